"""The HTTP application: the page for browsers, and its data for scripts."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from datetime import date
from http import HTTPStatus
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from bus import InvalidMessage, Setup, Site, topics
from bus.reports import PARAMETERS
from dashboard.counts import NoAnswer
from dashboard.exports import TABLES, as_csv, as_json
from dashboard.hub import Hub
from dashboard.reports import stream
from dashboard.request_body import NoBody, read_body
from dashboard.retained import NotSaved
from dashboard.setups import setup_json

PAGE = Path(__file__).parent / "page"
MAX_STALL = 10.0
"""Seconds without an update of the page after which /healthz fails."""
MAX_SNAPSHOT_AGE = 5.0
"""Seconds since the picture was captured."""
FIRST_DAY, LAST_DAY = date(1970, 1, 2), date(5000, 12, 31)
BOUNDARY = "picture"
BODY_TIMEOUT = 10.0
"""Seconds for the body of a request."""
READ_ONLY = "Without a password, the page is read-only behind a proxy. Set WEB_PASSWORD."
_INVALID_PART = re.compile(r"\w+: (?:((?:lines|zones|mask|visitors|alerts|name|locale|labels)[.\w]*): )?(.*)", re.DOTALL)


def create_app(hub: Hub) -> Starlette:
    """Creates the application. It checks neither hosts nor passwords: `dashboard.guard` does."""
    routes = Routes(hub)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with hub.running():
            yield

    return Starlette(
        routes=[
            WebSocketRoute("/live", hub.serve_viewer),
            Route("/healthz", routes.healthz),
            Route("/api/counts", routes.counts),
            Route("/reports", routes.reports),
            Route("/site", routes.site),
            Route("/site", routes.change_site, methods=["PUT"]),
            Route("/cameras/{name}/snapshot.jpg", routes.snapshot),
            Route("/cameras/{name}/stream.mjpeg", routes.stream),
            Route("/cameras/{name}/setup", routes.setup),
            Route("/cameras/{name}/setup", routes.change_setup, methods=["PUT", "DELETE"]),
            Mount("/", GZipMiddleware(StaticFiles(directory=PAGE, html=True))),
        ],
        exception_handlers={HTTPException: _error_response},
        lifespan=lifespan,
    )


class Routes:
    """Handlers of all HTTP requests except those for the files of the page."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def healthz(self, request: Request) -> Response:
        """Returns 200 while the broker is connected and the page is updated, else 503."""
        _check_parameters(request)
        state = {"connected": self._hub.connected, "stalled_seconds": round(self._hub.stalled, 1)}
        is_healthy = state["connected"] and state["stalled_seconds"] < MAX_STALL
        return JSONResponse(state, HTTPStatus.OK if is_healthy else HTTPStatus.SERVICE_UNAVAILABLE)

    async def counts(self, request: Request) -> Response:
        """Returns the counts of a day (default: today) by camera, label and hour; null where there is no data."""
        parameters = _check_parameters(request, "day", "format", "table")
        day = _parse_day(parameters["day"]) if "day" in parameters else None
        output = _choice(parameters, "format", ("json", "csv"))
        table = _choice(parameters, "table", TABLES)
        try:
            report = await self._hub.counts.report(day)
        except NoAnswer as error:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from None
        return Response(as_csv(report, table), media_type="text/csv") if output == "csv" else JSONResponse(as_json(report))

    async def reports(self, request: Request) -> Response:
        """Returns a report over any range of time."""
        return await stream(self._hub.counts, _check_parameters(request, "format", *PARAMETERS), request.is_disconnected)

    async def snapshot(self, request: Request) -> Response:
        """Returns the camera's newest picture as a JPEG."""
        _check_parameters(request)
        name = self._camera(request)
        picture = await self._hub.next_picture(name, max_age=MAX_SNAPSHOT_AGE)
        if picture is None:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, f"no recent picture of camera {name!r}")
        return Response(picture.frame.jpeg, headers=_captured_at(picture.frame.captured_at), media_type="image/jpeg")

    async def stream(self, request: Request) -> Response:
        """Returns the camera's pictures as Motion JPEG. A slow client skips pictures instead of falling behind."""
        _check_parameters(request)
        name = self._camera(request)
        return StreamingResponse(self._stream_parts(name), media_type=f"multipart/x-mixed-replace; boundary={BOUNDARY}")

    async def _stream_parts(self, camera: str) -> AsyncIterator[bytes]:
        async for picture in self._hub.stream_pictures(camera):
            jpeg = picture.frame.jpeg
            headers = {"Content-Type": "image/jpeg", "Content-Length": str(len(jpeg)), **_captured_at(picture.frame.captured_at)}
            head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            yield f"--{BOUNDARY}\r\n{head}\r\n".encode() + jpeg + b"\r\n"
        yield f"--{BOUNDARY}--\r\n".encode()

    async def setup(self, request: Request) -> Response:
        """Returns the camera's setup, completed with the settings."""
        _check_parameters(request)
        return JSONResponse(setup_json(self._hub.setups.effective(self._camera(request))))

    async def change_setup(self, request: Request) -> Response:
        """Replaces the camera's setup by the one in the body, or deletes it. Returns the setup that counts from now on."""
        return await _change(request, self._change_setup)

    async def _change_setup(self, request: Request) -> dict[str, Any]:
        name = self._camera(request)
        if request.method == "DELETE":
            await self._hub.setups.delete(name)
        else:
            body = await read_body(request, Setup.LIMIT, BODY_TIMEOUT)
            await self._hub.setups.save(Setup.from_topic(topics.setup(name), body))
        return setup_json(self._hub.setups.effective(name))

    async def site(self, request: Request) -> Response:
        """Returns the names of the place and of its labels."""
        _check_parameters(request)
        return JSONResponse(self._hub.site.as_json())

    async def change_site(self, request: Request) -> Response:
        """Replaces the names of the place and of its labels by those in the body, and returns them."""
        return await _change(request, self._change_site)

    async def _change_site(self, request: Request) -> dict[str, Any]:
        await self._hub.site.save(Site.from_topic(topics.site(), await read_body(request, Site.LIMIT, BODY_TIMEOUT)))
        return self._hub.site.as_json()

    def _camera(self, request: Request) -> str:
        name: str = request.path_params["name"]
        known = self._hub.state.cameras
        if name not in known:
            raise HTTPException(HTTPStatus.NOT_FOUND, f"unknown camera; known cameras: {', '.join(known) or 'none'}")
        return name


async def _change(request: Request, change: Callable[[Request], Awaitable[dict[str, Any]]]) -> Response:
    """Returns the result of a change of a retained message, or why nothing was changed.

    Of an invalid message the response says `at` which part the problem is: ``zones.0.polygon``.
    """
    _check_parameters(request)
    if not request.state.may_write:
        raise HTTPException(HTTPStatus.FORBIDDEN, READ_ONLY)
    try:
        return JSONResponse(await change(request))
    except NoBody as problem:
        raise HTTPException(problem.status, str(problem), {"Connection": "close"}) from None
    except InvalidMessage as error:
        at, reason = _INVALID_PART.fullmatch(str(error)).groups()  # type: ignore[union-attr]  # it always matches
        return JSONResponse({"problem": reason, "at": at or ""}, HTTPStatus.UNPROCESSABLE_ENTITY)
    except NotSaved as error:
        raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, f"not saved: {error}") from None


def _captured_at(time: float) -> dict[str, str]:
    return {"X-Captured-At": f"{time:.3f}"}


def _check_parameters(request: Request, *allowed: str) -> dict[str, str]:
    """Returns the query parameters. Responds 400 to unknown and repeated ones instead of ignoring them."""
    names = [name for name, _ in request.query_params.multi_items()]
    for name in names:
        if name not in allowed:
            known = ", ".join(allowed) or "none"
            raise HTTPException(HTTPStatus.BAD_REQUEST, f"{name[:40]}: unknown parameter; allowed: {known}")
        if names.count(name) > 1:
            raise HTTPException(HTTPStatus.BAD_REQUEST, f"{name}: given {names.count(name)} times; only one is allowed")
    return dict(request.query_params)


def _choice(parameters: dict[str, str], name: str, allowed: Collection[str]) -> str:
    """Returns a parameter that has one of the allowed values; the first one by default."""
    first, *_ = allowed
    value = parameters.get(name, first)
    if value not in allowed:
        raise HTTPException(HTTPStatus.BAD_REQUEST, f"{name}={value:.40}: unknown {name}; use {' or '.join(allowed)}")
    return value


def _parse_day(text: str) -> str:
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII) and FIRST_DAY <= date.fromisoformat(text) <= LAST_DAY:
            return text
    except ValueError:
        pass
    problem = f"day={text:.40}: not a valid date; use YYYY-MM-DD, from {FIRST_DAY} to {LAST_DAY}"
    raise HTTPException(HTTPStatus.BAD_REQUEST, problem)


def _error_response(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return JSONResponse({"problem": error.detail}, error.status_code, error.headers)
