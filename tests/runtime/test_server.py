"""The HTTP server: timeouts and limits of connections, a port in use, and a lack of file descriptors."""

import asyncio
import logging
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
import trustme

from bus import InvalidSetting
from runtime import server
from runtime.http_log import LOGGERS
from runtime.listener import Listener
from runtime.server import Address, Certificate, Server
from tests.runtime.program import python
from tests.support.broker import free_port
from tests.support.wait import limit, until

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


SIZE = 16
"""Concurrent requests of the servers below."""
STARTS = {
    "no data": b"",
    "half of the headers": b"POST / HTTP/1.1\r\nHost: a\r\n",
    "half of a body": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf",
}


async def reader(scope: Any, receive: Any, send: Any) -> None:
    """Reads the body and this file, and responds ``done``."""
    while (await receive()).get("more_body"):
        pass
    Path(__file__).read_bytes()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": b"done"})


def connect(address: tuple[str, int], source: str) -> socket.socket:
    """Connects from another address of this machine."""
    return socket.create_connection(address, limit(10), (source, 0))


def is_served(address: tuple[str, int], source: str) -> bool:
    """Returns whether a request gets its answer."""
    with suppress(OSError), connect(address, source) as client:
        client.sendall(REQUEST)
        return client.recv(4096).startswith(b"HTTP/1.1 200")
    return False


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
@pytest.mark.parametrize("clients", [1, 4], ids=["one address", "four addresses"])
def test_slow_clients_shut_nobody_out(start: bytes, clients: int) -> None:
    """While clients hold as many connections as they can, a request is answered, of their own address too."""
    address = ("127.0.0.1", free_port())
    with Server(reader, Address("HTTP_PORT", *address), SIZE), ExitStack() as stack:
        for number in range(10 * SIZE):
            slow = stack.enter_context(connect(address, f"127.0.0.{2 + number % clients}"))
            slow.sendall(start)
        for source in ("127.0.0.9", "127.0.0.2"):
            assert [is_served(address, source) for _ in range(5)] == [True] * 5


LARGE = 4 << 20
LARGE_REQUEST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % LARGE


def send_large(address: tuple[str, int], source: str) -> bytes:
    """Sends a large body. Returns the status of the answer, or nothing if the connection was closed."""
    with suppress(ConnectionError), connect(address, source) as client:
        client.sendall(LARGE_REQUEST + bytes(LARGE))
        return client.recv(4096)[9:12]
    return b""


def test_a_burst_of_large_bodies_is_answered() -> None:
    """A body that the application does not read yet does not count as that of a slow client."""
    turn, address = threading.Semaphore(2), ("127.0.0.1", free_port())

    async def in_turn(scope: Any, receive: Any, send: Any) -> None:
        while not turn.acquire(blocking=False):
            await asyncio.sleep(0.01)
        await reader(scope, receive, send)
        turn.release()

    with Server(in_turn, Address("HTTP_PORT", *address), SIZE), ThreadPoolExecutor(SIZE) as pool:
        answers = pool.map(partial(send_large, address), ["127.0.0.2", "127.0.0.3"] * (SIZE // 2))
        assert list(answers) == [b"200"] * SIZE


def test_a_client_that_is_cut_learns_it_at_once() -> None:
    """It does although it waits to send more of a large body, and what it has sent was read."""
    with Listener(socket.create_server(("127.0.0.1", 0)), SIZE) as listener, ExitStack() as stack:
        listener.listen()
        clients = [stack.enter_context(connect(listener.getsockname(), "127.0.0.2")) for _ in range(SIZE // 4 + 1)]
        clients[0].setblocking(False)
        with suppress(BlockingIOError):
            while clients[0].send(bytes(LARGE)):
                pass
        served = [stack.enter_context(listener.accept()[0]) for _ in clients]
        while served[0].recv(LARGE):
            pass
        served[0].close()
        clients[0].settimeout(limit(2))
        with pytest.raises(ConnectionError):
            clients[0].sendall(bytes(2 * LARGE))


def test_half_open_tls_shuts_nobody_out(tmp_path: Path) -> None:
    """Clients that never complete the handshake make room for one of their address that does."""
    authority, address = trustme.CA(), ("127.0.0.1", free_port())
    own = authority.issue_cert("127.0.0.1")
    own.cert_chain_pems[0].write_to_path(tmp_path / "chain.pem")
    own.private_key_pem.write_to_path(tmp_path / "key.pem")
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    certificate = Certificate(tmp_path / "chain.pem", tmp_path / "key.pem")
    with Server(reader, Address("HTTP_PORT", *address), SIZE, certificate), ExitStack() as stack:
        for _ in range(10 * SIZE):
            stack.enter_context(connect(address, "127.0.0.2"))
        with trust.wrap_socket(connect(address, "127.0.0.2"), server_hostname="127.0.0.1") as client:
            client.sendall(REQUEST)
            assert client.recv(4096).startswith(b"HTTP/1.1 200")


UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


async def viewers(scope: Any, receive: Any, send: Any) -> None:
    """Accepts a WebSocket, and refuses it if it comes from 127.0.0.2 or 127.0.0.3. Also responds to requests."""
    if scope["type"] == "http":
        await reader(scope, receive, send)
        return
    await receive()
    await send({"type": "websocket.accept"})
    if scope["client"][0] in ("127.0.0.2", "127.0.0.3"):
        await send({"type": "websocket.close", "code": 4401})
    else:
        await receive()


def upgrade(stack: ExitStack, address: tuple[str, int], source: str) -> socket.socket:
    """Opens a WebSocket, and never sends anything in it."""
    client = stack.enter_context(connect(address, source))
    client.sendall(UPGRADE)
    return client


def test_websockets_stay_open_and_refused_ones_make_room() -> None:
    """Nobody loses a WebSocket while two other addresses open many that are refused, and leave them half closed."""
    address = ("127.0.0.1", free_port())
    with Server(viewers, Address("WEB_PORT", *address), SIZE, has_websockets=True), ExitStack() as stack:
        open_ones = []
        for _ in range(SIZE // 2):
            open_ones.append(upgrade(stack, address, "127.0.0.4"))
            assert open_ones[-1].recv(4096).startswith(b"HTTP/1.1 101")
        for number in range(10 * SIZE):
            upgrade(stack, address, f"127.0.0.{2 + number % 2}")
        for source in ("127.0.0.2", "127.0.0.4", "127.0.0.9"):
            assert is_served(address, source), source
        for one in open_ones:
            one.settimeout(0.01)
            with pytest.raises(TimeoutError):
                one.recv(1)


def test_a_renewed_certificate_is_used_without_a_restart(tmp_path: Path) -> None:
    """New connections get it as soon as both of its files are complete; until then they get the earlier one."""
    address, authorities = ("127.0.0.1", free_port()), [trustme.CA(), trustme.CA()]
    first, second = (authority.issue_cert("127.0.0.1") for authority in authorities)
    certificate = Certificate(tmp_path / "chain.pem", tmp_path / "key.pem")

    def is_trusted(authority: trustme.CA) -> bool:
        trust = ssl.create_default_context()
        authority.configure_trust(trust)
        with suppress(ssl.SSLCertVerificationError), connect(address, "127.0.0.2") as client:
            return bool(trust.wrap_socket(client, server_hostname="127.0.0.1").version())
        return False

    first.cert_chain_pems[0].write_to_path(certificate.chain)
    first.private_key_pem.write_to_path(certificate.key)
    with Server(reader, Address("HTTP_PORT", *address), SIZE, certificate):
        assert is_trusted(authorities[0])
        second.private_key_pem.write_to_path(certificate.key)
        time.sleep(1.5 * server.TICK_INTERVAL)
        assert is_trusted(authorities[0])
        second.cert_chain_pems[0].write_to_path(certificate.chain)
        until(lambda: is_trusted(authorities[1]), 5, "the renewed certificate")


def test_one_address_cannot_take_all_places() -> None:
    """With as many requests as it can have, there are places for another address. Their number does not grow without end."""
    address = ("127.0.0.1", free_port())
    with Server(application, Address("HTTP_PORT", *address), SIZE), ExitStack() as stack:
        busy = [stack.enter_context(connect(address, "127.0.0.2")) for _ in range(SIZE // 4)]
        while len(busy) < 2 * SIZE:
            for client in busy[-SIZE // 4 :]:
                with suppress(OSError):
                    client.sendall(REQUEST)
            time.sleep(0.1)
            busy += [stack.enter_context(connect(address, "127.0.0.2")) for _ in range(SIZE // 4)]
        assert is_served(address, "127.0.0.3")


EXHAUSTED = """
import os, resource, time
from runtime import logs
from runtime.server import Address, Server
from tests.runtime.test_server import reader
logs.configure(verbose=False)
with Server(reader, Address("HTTP_PORT", "127.0.0.1", int(os.environ["PORT"])), 64):
    resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))
    time.sleep(3600)
"""


def test_a_lack_of_descriptors_passes() -> None:
    """Without file descriptors a server logs a few lines and no traceback, uses little of a core, and serves again afterwards."""
    address = ("127.0.0.1", free_port())
    with python(EXHAUSTED, PORT=str(address[1])) as process:
        until(lambda: is_served(address, "127.0.0.2"), 30, "the server")
        with ExitStack() as stack:
            for number in range(120):
                stack.enter_context(connect(address, f"127.0.0.{3 + number % 4}")).sendall(REQUEST)
            before = psutil.Process(process.pid).cpu_times().user
            time.sleep(3)
            assert psutil.Process(process.pid).cpu_times().user - before < 1
        until(lambda: is_served(address, "127.0.0.2"), 30, "recovery")
        process.kill()
        lines = process.communicate(timeout=limit(10))[1].decode().splitlines()
    assert 0 < len(lines) < 8, lines
    assert all("[ERR]" in line or "[WRN]" in line for line in lines), lines
    assert any("Too many open files" in line for line in lines)


async def browser(scope: Any, receive: Any, send: Any) -> None:
    """Accepts a WebSocket, and waits for its end."""
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


@pytest.mark.parametrize("more", [b"", b"\x88\x82\0\0\0\0\x03\xe8"], ids=["alone", "before the end"])
def test_text_that_is_not_utf_8_needs_no_traceback(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, more: bytes
) -> None:
    """It ends the WebSocket, and is a warning."""
    for name in LOGGERS:
        monkeypatch.setattr(logging.getLogger(name), "filters", [])  # lines of other tests do not count
    address = ("127.0.0.1", free_port())
    server = Server(browser, Address("WEB_PORT", *address), 4, has_websockets=True)
    with server, connect(address, "127.0.0.2") as client:
        client.sendall(UPGRADE)
        client.recv(4096)
        client.sendall(b"\x81\x81\0\0\0\0\xff" + more)
        while client.recv(4096):
            pass
    assert caplog.records
    assert {(one.levelname, one.exc_info) for one in caplog.records} == {("WARNING", None)}


@pytest.mark.parametrize("host", [b"\x1b", b"a" * 9000], ids=["control character", "long"])
def test_an_upgrade_that_cannot_be_read_is_closed(host: bytes) -> None:
    """uvicorn would leave it open without an answer, and so many would take the places of all others."""
    address = ("127.0.0.1", free_port())
    server = Server(browser, Address("WEB_PORT", *address), 4, has_websockets=True)
    with server, connect(address, "127.0.0.2") as client:
        client.sendall(UPGRADE.replace(b"Host: a", b"Host: " + host))
        assert client.recv(4096) == b""


async def hasty(scope: Any, receive: Any, send: Any) -> None:
    """Responds without reading the body."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"done"})


async def greeter(scope: Any, receive: Any, send: Any) -> None:
    """Begins to respond before it reads the body."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello", "more_body": True})
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.body", "body": b"bye"})


CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(("method", "app"), [(b"POST", hasty), (b"HEAD", hasty), (b"POST", greeter)])
def test_an_invalid_body_needs_no_traceback(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, method: bytes, app: Any
) -> None:
    """Its connection is closed, with 400 if there is no other response yet. The application learns that the client has gone."""
    for name in LOGGERS:
        monkeypatch.setattr(logging.getLogger(name), "filters", [])
    address = ("127.0.0.1", free_port())
    with Server(app, Address("WEB_PORT", *address), 4), connect(address, "127.0.0.2") as client:
        if app is greeter:
            client.sendall(CHUNKED)
            received = b""
            while b"hello" not in received:
                received += client.recv(4096)
            client.sendall(b"not a chunk\r\n")
            assert client.recv(4096) == b""
        else:
            client.sendall(CHUNKED.replace(b"POST", method) + b"not a chunk\r\n")
            assert client.recv(4096).startswith(b"HTTP/1.1 400")
    assert [one.levelname for one in caplog.records] == ["WARNING"]
