"""A client that uses the dashboard's server like a browser: by HTTP and WebSocket."""

import json
import socket
import struct
import threading
from contextlib import ExitStack, suppress
from typing import Any, NamedTuple

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.support.wait import limit, until


class Picture(NamedTuple):
    """A received picture: its header and the JPEG."""

    head: dict[str, Any]
    jpeg: bytes


class Browser(ExitStack):
    """A connection to /live that keeps the newest content of each section."""

    def __init__(self, port: int, **headers: str) -> None:
        super().__init__()
        address = f"ws://127.0.0.1:{port}/live"
        limits: dict[str, Any] = {"open_timeout": limit(10), "ping_timeout": limit(20), "close_timeout": limit(10)}
        browser = connect(address, max_size=None, additional_headers=headers, compression=None, **limits)
        self._socket = self.enter_context(browser)
        self.sections: dict[str, Any] = {}
        self.pictures = 0
        """The number of received pictures."""

    def send(self, text: str) -> None:
        """Sends a text message."""
        self._socket.send(text)

    def want(self, camera: str = "door") -> None:
        """Requests the next picture."""
        self.send(json.dumps({"want": camera}))

    def receive(self, seconds: float = 10.0) -> Picture | None:
        """Receives the next message. Returns a picture, or None for an update of the sections. Raises `TimeoutError`."""
        message = self._socket.recv(timeout=limit(seconds))
        if isinstance(message, str):
            self.sections |= json.loads(message)
            return None
        self.pictures += 1
        (size,) = struct.unpack(">I", message[:4])
        return Picture(json.loads(message[4 : 4 + size]), message[4 + size :])

    def picture(self, camera: str = "door") -> Picture:
        """Requests the next picture and waits for it."""
        self.want(camera)
        return until(self.receive, 15, f"a picture of {camera}")

    def until(self, condition: Any, seconds: float = 15.0, what: str = "") -> None:
        """Receives messages until the sections fulfil the condition."""

        def is_fulfilled() -> bool:
            if self.sections and condition(self.sections):
                return True
            self.receive(seconds)
            return False

        until(is_fulfilled, seconds, what)


def is_healthy(port: int) -> bool:
    """Returns whether the dashboard's server reports that it is healthy."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=limit(5)).status_code == 200
    except httpx.TransportError:
        return False


def request_without_reading(port: int, end: threading.Event, camera: str = "door") -> None:
    """Requests pictures until `end` is set, and never reads them."""
    with socket.create_connection(("127.0.0.1", port)) as plain:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        browser = connect(f"ws://127.0.0.1:{port}/live", sock=plain, open_timeout=limit(10), close_timeout=1, max_queue=1)
        with suppress(ConnectionClosed), browser as deaf:
            while not end.wait(0.05):
                deaf.send(json.dumps({"want": camera}))
