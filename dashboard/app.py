"""What the display serves over HTTP: the page, what it is told, and the same for other programs."""

import hashlib
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Literal

from fastapi import Depends, FastAPI, Query, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from pydantic import BeforeValidator
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request

from dashboard.counts import as_csv, as_json
from dashboard.days import NoAnswer
from dashboard.hub import Hub
from dashboard.stream import Stream

PAGE = Path(__file__).parents[1] / "dashboard"
PATIENCE = 10.0
"""Seconds for which the matrix may take before the display is taken to be stuck."""

FIRST_DAY, LAST_DAY = date(1970, 1, 2), date(5000, 12, 31)
ALLOWED = {
    "day": f"not a day; one such as 2026-11-23 is needed, from {FIRST_DAY} to {LAST_DAY}",
    "format": "not a format; json or csv is needed",
}
"""By parameter: what is said when it has another value."""
FRESH = 5.0
"""Seconds; a snapshot is no older."""


def app_of(hub: Hub, health: Callable[[], dict[str, bool | float]], signed_in: bool) -> FastAPI:
    """The application, without what guards it; `signed_in` is whether a password had to be given."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with hub.running(_version(PAGE), signed_in):
            yield

    app = FastAPI(
        title="Footfall display",
        description=__doc__ or "",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(_check_parameters)],
    )
    app.add_exception_handler(HTTPException, _problem)
    app.add_exception_handler(RequestValidationError, _bad_request)

    @app.websocket("/live")
    async def live(socket: WebSocket) -> None:
        await hub.watch(socket)

    @app.api_route("/healthz", methods=["GET", "HEAD"])
    def healthz() -> JSONResponse:
        """Whether the display hears the broker and shows what it hears."""
        state = health()
        is_well = state["connected"] and state["stalled_seconds"] < PATIENCE
        return JSONResponse(state, HTTPStatus.OK if is_well else HTTPStatus.SERVICE_UNAVAILABLE)

    @app.api_route("/api/counts", methods=["GET", "HEAD"])
    async def counts(
        day: Annotated[date | None, BeforeValidator(_day_of), Query(ge=FIRST_DAY, le=LAST_DAY)] = None,
        format: Literal["json", "csv"] = "json",  # noqa: A002  # as it is called in the address
    ) -> Response:
        """The visits of a day of the site (today, without it), by camera, label and hour; null where there is no data."""
        try:
            report = await hub.days.report(None if day is None else day.isoformat())
        except NoAnswer as problem:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, str(problem)) from None
        return Response(as_csv(report), media_type="text/csv") if format == "csv" else JSONResponse(as_json(report))

    @app.api_route("/cameras/{name}/snapshot.jpg", methods=["GET", "HEAD"])
    async def snapshot(name: str) -> Response:
        """The camera's newest picture."""
        _known(hub, name)
        picture = await hub.next_picture(name, most_age=FRESH)
        if picture is None:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, f"no picture of {name} has come lately")
        headers = {"Cache-Control": "no-store", "X-Captured-At": f"{picture.frame.captured_at:.3f}"}
        return Response(picture.frame.jpeg, media_type="image/jpeg", headers=headers)

    @app.get("/cameras/{name}/stream.mjpeg")
    async def stream(name: str) -> Response:
        """The camera's pictures as Motion JPEG."""
        _known(hub, name)
        return Stream(lambda last: hub.following(name, last))

    app.mount("/", StaticFiles(directory=PAGE, html=True))
    return app


def _check_parameters(request: HTTPConnection) -> None:
    """Refuses a parameter that the endpoint does not have, or that is given twice: the answer would be to another question."""
    allowed = [parameter.alias for parameter in request.scope["route"].dependant.query_params]
    given = [name for name, _ in request.query_params.multi_items()]
    for name in given:
        if name not in allowed:
            known = f"allowed: {', '.join(allowed)}" if allowed else "this address takes none"
            raise HTTPException(HTTPStatus.BAD_REQUEST, f"{name[:40]}: there is no such parameter; {known}")
        if given.count(name) > 1:
            raise HTTPException(HTTPStatus.BAD_REQUEST, f"{name}: is given {given.count(name)} times; once is allowed")


def _version(folder: Path) -> str:
    """Changes with any file of the page: one that was left open through an update loads itself anew."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _known(hub: Hub, camera: str) -> None:
    if camera not in hub.situation.cameras:
        raise HTTPException(
            HTTPStatus.NOT_FOUND, f"no camera of that name; there are: {', '.join(hub.situation.cameras) or 'none'}"
        )


def _day_of(text: object) -> object:
    """Of what pydantic takes for a date, only days: no Unix times, and no times of a day."""
    if isinstance(text, str) and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        raise ValueError("a day as 2026-11-23 is needed")
    return text


def _problem(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return JSONResponse({"problem": error.detail}, error.status_code, error.headers)


def _bad_request(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    name = first["loc"][-1]
    return JSONResponse(
        {"problem": f"{name}={first['input']!s:.40}: {ALLOWED.get(str(name), first['msg'])}"}, HTTPStatus.BAD_REQUEST
    )
