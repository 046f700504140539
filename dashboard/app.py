"""The page and the data behind it, over HTTP: for browsers, and for scripts."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from http import HTTPStatus
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from dashboard.counts import NoAnswer, as_csv, as_json
from dashboard.hub import Hub

PAGE = Path(__file__).parent / "page"
MAX_STALL = 10.0
"""Seconds without an update of the page, after which /healthz fails."""
MAX_SNAPSHOT_AGE = 5.0
"""Seconds."""
FIRST_DAY, LAST_DAY = date(1970, 1, 2), date(5000, 12, 31)
BOUNDARY = "picture"


def create_app(hub: Hub) -> Starlette:
    """The application, without protection: see `dashboard.guard`."""
    routes = Routes(hub)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with hub.running():
            yield

    return Starlette(
        routes=[
            WebSocketRoute("/live", hub.watch),
            Route("/healthz", routes.healthz),
            Route("/api/counts", routes.counts),
            Route("/cameras/{name}/snapshot.jpg", routes.snapshot),
            Route("/cameras/{name}/stream.mjpeg", routes.stream),
            Mount("/", StaticFiles(directory=PAGE, html=True)),
        ],
        exception_handlers={HTTPException: _problem},
        lifespan=lifespan,
    )


class Routes:
    """What is served beside the files of the page."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def healthz(self, request: Request) -> Response:
        """Whether the broker is connected and the page is kept up to date."""
        _check_parameters(request)
        state = {"connected": self._hub.connected, "stalled_seconds": round(self._hub.stalled, 1)}
        is_well = state["connected"] and state["stalled_seconds"] < MAX_STALL
        return JSONResponse(state, HTTPStatus.OK if is_well else HTTPStatus.SERVICE_UNAVAILABLE)

    async def counts(self, request: Request) -> Response:
        """The visits of a day of the site (by default today) by camera, label and hour; null where there is no data."""
        given = _check_parameters(request, "day", "format")
        day = _parse_day(given["day"]) if "day" in given else None
        kind = given.get("format", "json")
        if kind not in ("json", "csv"):
            raise HTTPException(HTTPStatus.BAD_REQUEST, f"format={kind:.40}: not a format; json or csv is needed")
        try:
            report = await self._hub.counts.report(day)
        except NoAnswer as problem:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, str(problem)) from None
        return Response(as_csv(report), media_type="text/csv") if kind == "csv" else JSONResponse(as_json(report))

    async def snapshot(self, request: Request) -> Response:
        """The camera's newest picture."""
        _check_parameters(request)
        name = self._camera(request)
        picture = await self._hub.next_picture(name, max_age=MAX_SNAPSHOT_AGE)
        if picture is None:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, f"no picture of {name} has come lately")
        return Response(picture.frame.jpeg, headers=_captured_at(picture.frame.captured_at), media_type="image/jpeg")

    async def stream(self, request: Request) -> Response:
        """The camera's pictures as Motion JPEG: after each one is sent, the newest, so that nothing queues for a slow client."""
        _check_parameters(request)
        name = self._camera(request)
        return StreamingResponse(self._parts(name), media_type=f"multipart/x-mixed-replace; boundary={BOUNDARY}")

    async def _parts(self, camera: str) -> AsyncIterator[bytes]:
        async for picture in self._hub.pictures_of(camera):
            jpeg = picture.frame.jpeg
            headers = {"Content-Type": "image/jpeg", "Content-Length": str(len(jpeg)), **_captured_at(picture.frame.captured_at)}
            head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            yield f"--{BOUNDARY}\r\n{head}\r\n".encode() + jpeg + b"\r\n"
        yield f"--{BOUNDARY}--\r\n".encode()

    def _camera(self, request: Request) -> str:
        name: str = request.path_params["name"]
        known = self._hub.state.cameras
        if name not in known:
            raise HTTPException(HTTPStatus.NOT_FOUND, f"no camera of that name; there are: {', '.join(known) or 'none'}")
        return name


def _captured_at(time: float) -> dict[str, str]:
    return {"X-Captured-At": f"{time:.3f}"}


def _check_parameters(request: Request, *allowed: str) -> dict[str, str]:
    """The query's parameters. Refuses unknown and repeated ones: ignoring them would answer another question."""
    given = [name for name, _ in request.query_params.multi_items()]
    for name in given:
        if name not in allowed:
            known = f"allowed: {', '.join(allowed)}" if allowed else "this address takes none"
            raise HTTPException(HTTPStatus.BAD_REQUEST, f"{name[:40]}: there is no such parameter; {known}")
        if given.count(name) > 1:
            raise HTTPException(HTTPStatus.BAD_REQUEST, f"{name}: is given {given.count(name)} times; once is allowed")
    return dict(request.query_params)


def _parse_day(text: str) -> str:
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII) and FIRST_DAY <= date.fromisoformat(text) <= LAST_DAY:
            return text
    except ValueError:
        pass
    problem = f"day={text:.40}: not a day; one such as 2026-11-23 is needed, from {FIRST_DAY} to {LAST_DAY}"
    raise HTTPException(HTTPStatus.BAD_REQUEST, problem)


def _problem(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return JSONResponse({"problem": error.detail}, error.status_code, error.headers)
