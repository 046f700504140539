"""The HTTP server: timeouts of connections, and a port in use."""

import asyncio
import socket
import threading
import time
from typing import Any

import pytest

from bus import InvalidSetting
from runtime import server
from runtime.server import Address, Server
from tests.support.broker import free_port
from tests.support.wait import limit

pytestmark = pytest.mark.system

REQUEST_TIMEOUT = 1
REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Responds later than the timeout for request headers."""
    assert scope["type"] == "http"
    await asyncio.sleep(REQUEST_TIMEOUT + 1)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": b"done"})


@pytest.mark.parametrize(
    ("first", "repeated"),
    [(b"", b""), (b"GET / HTTP/1.1\r\n", b"X-More: x\r\n"), (REQUEST, b""), (REQUEST * 2, b"")],
    ids=["no data", "endless headers", "one request", "two requests at once"],
)
def test_only_requests_hold_a_connection(first: bytes, repeated: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection stays open while a request is answered, however long that takes. Otherwise it is closed."""
    monkeypatch.setattr(server, "REQUEST_TIMEOUT", REQUEST_TIMEOUT)
    address = ("127.0.0.1", free_port())
    with Server(application, Address("HTTP_PORT", *address), 4), socket.create_connection(address) as client:
        client.settimeout(0.5)
        client.sendall(first)
        received, end, is_open = b"", time.monotonic() + limit(15), True
        while is_open:
            assert time.monotonic() < end, "the connection was not closed"
            try:
                data = client.recv(4096)
                received, is_open = received + data, data != b""
                client.sendall(repeated)
            except TimeoutError:
                client.sendall(repeated)
            except OSError:  # closed while the client was still sending
                is_open = False
    assert received.count(b"done") == first.count(REQUEST)


def test_a_port_in_use_is_a_bad_setting() -> None:
    """The error names the setting."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = Address("WEB_PORT", *taken.getsockname())
        with pytest.raises(InvalidSetting, match=r"^WEB_PORT=\d+ on 127.0.0.1: Addr"):
            Server(application, address, 4)


@pytest.mark.parametrize("has_served", [True, False], ids=["after a request", "at once"])
def test_a_server_stops_at_once(has_served: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does so although it sleeps while there are no requests."""
    monkeypatch.setattr(server, "TICK_INTERVAL", 3600.0)
    address = ("127.0.0.1", free_port())
    with Server(application, Address("HTTP_PORT", *address), 4):
        if has_served:
            with socket.create_connection(address) as client:
                client.settimeout(limit(15))
                client.sendall(REQUEST)
                assert client.recv(4096).startswith(b"HTTP/1.1 200 OK\r\ndate: ")
    assert "http" not in [thread.name for thread in threading.enumerate()]
