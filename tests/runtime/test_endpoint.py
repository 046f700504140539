"""The server of /metrics: answers, a port in use, clients that do not go away, and a lack of file descriptors."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from bus import InvalidSetting
from runtime import endpoint
from runtime.endpoint import MAX_REQUESTS, Endpoint
from tests.runtime.program import python
from tests.support.broker import free_port
from tests.support.wait import limit, until

pytestmark = pytest.mark.system

GET = b"GET /metrics HTTP/1.0\r\nAccept: text/plain\r\n\r\n"


@pytest.fixture
def port() -> Iterator[int]:
    """The port of a running server, which answers with the Accept header."""
    port = free_port()
    with Endpoint("127.0.0.1", port, lambda accept: (f"# {accept}\n".encode(), "text/plain")):
        yield port


def ask(port: int, request: bytes = GET) -> str:
    """Returns the answer; empty if the server closed the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=limit(10)) as client, suppress(ConnectionError):
        client.sendall(request)
        return b"".join(iter(lambda: client.recv(4096), b"")).decode()
    return ""


@pytest.mark.parametrize(
    ("request_line", "code"),
    [
        (b"GET /metrics", 200),
        (b"GET /metrics?name=up", 200),
        (b"GET /", 404),
        (b"GET /metrics/../etc", 404),
        (b"POST /metrics", 501),
    ],
)
def test_only_metrics_are_served(port: int, request_line: bytes, code: int) -> None:
    """There is one path and one method."""
    answer = ask(port, GET.replace(b"GET /metrics", request_line))
    assert answer.split()[1] == str(code)
    assert ("# text/plain" in answer) == (code == 200)


def test_a_port_in_use_is_an_error_at_once(port: int) -> None:
    """The error names the setting and the address."""
    with pytest.raises(InvalidSetting, match=rf"^METRICS_PORT={port} on 127\.0\.0\.1: Address already in use$"):
        Endpoint("127.0.0.1", port, lambda _: (b"", ""))


@pytest.mark.parametrize("repeated", [b"", b"X-More: x\r\n"], ids=["silent", "endless headers"])
def test_slow_clients_are_disconnected(port: int, repeated: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """They can hold all places, and then others are turned away at once, but only until their time is over."""
    monkeypatch.setattr(endpoint, "REQUEST_TIMEOUT", 1.0)
    with ExitStack() as stack:
        slow = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(MAX_REQUESTS)]
        for client in slow:
            client.sendall(b"GET /metrics HTTP/1.0\r\n")
        until(lambda: ask(port) == "", 10, "all places to be taken")

        def is_served() -> bool:
            for client in slow:
                with suppress(OSError):
                    client.sendall(repeated)
            time.sleep(0.1)
            return "200" in ask(port)

        until(is_served, 10, "a place")


EXHAUSTED = """
import os, resource, time
from runtime.endpoint import Endpoint
with Endpoint("127.0.0.1", int(os.environ["PORT"]), lambda _: (b"up", "text/plain")):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    began = time.process_time()
    print("exhausted", flush=True)
    time.sleep(2)
    print(time.process_time() - began, flush=True)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    time.sleep(3600)
"""


def test_a_lack_of_descriptors_keeps_no_core_busy() -> None:
    """A client waits meanwhile, and is served afterwards. Nothing is written."""
    port = free_port()
    with python(EXHAUSTED, PORT=str(port)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"exhausted\n"
        assert ask(port).endswith("up")
        assert float(process.stdout.readline()) < 0.5
        process.kill()
        assert process.communicate(timeout=limit(10)) == (b"", b"")
