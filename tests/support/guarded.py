"""An application behind the dashboard's guard, and those who ask it."""

import asyncio
import functools
from base64 import b64encode
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect

from dashboard import guard
from dashboard.access import Pass, Password
from dashboard.guard import Guard

SECRET = "grün: & sicher"
HERE = "http://127.0.0.1:9001"
PERSON = {"Accept": "text/html,*/*", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none", "Sec-Fetch-Dest": "document"}
FORM = {"Origin": HERE, "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
LIVE = "ws://127.0.0.1:9001/live"
cached_pass = functools.cache(Pass)


def quicken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is made once, and waits do not end."""
    monkeypatch.setattr(guard, "Pass", cached_pass)
    monkeypatch.setattr(guard, "Password", lambda password: Password(password, clock=lambda: 0.0))


async def _page(request: Request) -> Response:
    """Says that it was reached; fails where it is asked to."""
    if request.url.path == "/broken":
        raise ValueError
    kept = {"Cache-Control": "max-age=60"} if request.url.path == "/main.js" else None
    return PlainTextResponse("inside", headers=kept)


async def _live(socket: WebSocket) -> None:
    """Says that it was reached."""
    await socket.accept()
    await socket.send_text("inside")
    await socket.close()


def client(password: str | None = SECRET, url: str = HERE) -> TestClient:
    """A browser's or a program's, which starts with no cookie."""
    app = Starlette(routes=[WebSocketRoute("/live", _live), Route("/{path:path}", _page, methods=["GET", "POST"])])
    return TestClient(Guard(app, password, ["shop.example"]), url, raise_server_exceptions=False, follow_redirects=False)


def sign_in(browser: TestClient, password: str = SECRET) -> Any:
    """What the form does."""
    return browser.post("/sign-in", data={"password": password}, headers=FORM)


def basic(password: str, user: str = "any") -> dict[str, str]:
    """A program's header."""
    return {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


def asked(app: Any, headers: list[tuple[bytes, bytes]], *received: Message, **scope: Any) -> list[Message]:
    """What is sent to one who sends just this; after `received`, it says no more."""

    async def ask() -> list[Message]:
        waiting, sent = list(received), list[Message]()

        async def receive() -> Message:
            return waiting.pop(0) if waiting else await asyncio.Future()

        async def send(message: Message) -> None:
            sent.append(message)

        defaults = {"type": "http", "method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "headers": headers}
        await app({**defaults, "client": None, **scope}, receive, send)
        return sent

    return asyncio.run(ask())


def live_code(one: TestClient, headers: dict[str, str] | None = None) -> int:
    """The code that the WebSocket was closed with, before it was accepted or after."""
    try:
        with one.websocket_connect(LIVE, headers=dict(headers or {})) as socket:
            while True:
                assert socket.receive_text() == "inside"
    except WebSocketDisconnect as end:
        return end.code
