"""The HTTP address of reports: the counter answers in pages, which are passed on as one stream of CSV or JSON."""

from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from bus import InvalidMessage, Page
from bus.requests import MAX_PARAMETER
from bus.rows import ROW_TEXTS
from dashboard.counts import CountsClient, NoAnswer, Refused

FILES = {"csv": {"Content-Disposition": "attachment"}}
"""Headers by format. They name no file: a name here would replace the one that the page's link gives."""
OPENING_HOURS = "X-Opening-Hours"
"""The header of a report that says that the setting OPENING_HOURS is set: the page then offers `open=yes`."""


async def stream(
    counts: CountsClient, parameters: dict[str, str], has_left: Callable[[], Awaitable[bool]] | None = None
) -> Response:
    """Returns a report. Its parameters are those of the counter's query, and `format`; the counter checks them.

    `has_left` says whether the client no longer waits for the first page. Raises `HTTPException`.
    """
    if long := [name for name, value in parameters.items() if len(value) > MAX_PARAMETER]:
        raise HTTPException(HTTPStatus.BAD_REQUEST, f"{long[0]}: longer than {MAX_PARAMETER} characters")
    kind = parameters.pop("format", "json")
    if kind not in ROW_TEXTS:
        raise HTTPException(HTTPStatus.BAD_REQUEST, f"format={kind:.40}: unknown format; use {' or '.join(ROW_TEXTS)}")
    try:
        first = await counts.page(parameters, has_left)
    except (Refused, InvalidMessage) as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST, str(error)) from None
    except NoAnswer as error:
        raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from None
    parts = _parts(counts, parameters, kind, first)
    headers = FILES.get(kind, {}) | ({OPENING_HOURS: "set"} if first.has_opening_hours else {})
    return StreamingResponse(parts, media_type=ROW_TEXTS[kind].MEDIA_TYPE, headers=headers)


async def _parts(counts: CountsClient, parameters: dict[str, str], kind: str, page: Page) -> AsyncIterator[str]:
    """Yields the text of each page. An error breaks off the response, so that no client takes it for complete."""
    text = ROW_TEXTS[kind]()
    yield text.process(page)
    while page.cursor:
        page = await counts.page(parameters | {"cursor": page.cursor})
        yield text.process(page)
    yield text.end()
