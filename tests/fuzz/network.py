"""The network of HTTP clients: connections to a hostile server, which sends its bytes without waiting for a request."""

import functools
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any
from unittest.mock import patch

import anyio

BREAK = b"\r\n==next connection==\r\n"
"""What separates the bytes of two connections in an input."""
BUFFER = 128 * 1024
"""Bytes that a socket takes while nobody reads; a thread sends more."""


class UnixSocket(socket.socket):
    """An end of a pair, for clients that expect TCP."""

    def setsockopt(self, level: int, *values: Any) -> None:
        """Sets an option, unless it is one of TCP."""
        if level != socket.IPPROTO_TCP:
            super().setsockopt(level, *values)


class HostileServer:
    """A server that sends `parts`, one for each connection, and the last one for all further ones."""

    def __init__(self) -> None:
        self.parts: Sequence[bytes] = (b"",)
        self._open = ExitStack()

    def prepare(self, data: bytes) -> None:
        """Sets the parts for the next connections."""
        self.parts = data.split(BREAK)

    def connect(self, *_: Any, **__: Any) -> socket.socket:
        """Returns the client's end of a new connection. It has the time limit of a client that gave none."""
        part, self.parts = self.parts[0], self.parts[1:] or self.parts[:1]
        pair = socket.socketpair()
        client, server = (UnixSocket(one.family, one.type, fileno=one.detach()) for one in pair)
        self._open.callback(client.close)
        sent = server.send(part[:BUFFER])
        if sent == len(part):
            server.shutdown(socket.SHUT_WR)
            self._open.callback(server.close)
        else:
            thread = threading.Thread(target=_send, args=(server, part[sent:]))
            thread.start()
            self._open.callback(thread.join)
            self._open.callback(_end, client)
        return client

    def close(self) -> None:
        """Closes all connections."""
        self._open.close()


def _end(client: socket.socket) -> None:
    """Ends a connection, although a response may have a reference to it, so that its sender ends."""
    with suppress(OSError):  # it is closed
        client.shutdown(socket.SHUT_RDWR)


def _send(server: socket.socket, data: bytes) -> None:
    with server, suppress(OSError):
        server.sendall(data)


def _refuse(*_: Any, **__: Any) -> socket.socket:
    raise ConnectionRefusedError


@contextmanager
def network(connect: Any) -> Iterator[None]:
    """Lets urllib3 and httpx connect by this function, to any host, while entered. Authorities are loaded once, which is slow."""

    async def connect_stream(*_: Any, **__: Any) -> anyio.abc.SocketStream:
        return await anyio.abc.UNIXSocketStream.from_socket(connect())

    with (
        patch("anyio.connect_tcp", connect_stream),
        patch("urllib3.util.connection.create_connection", connect),
        patch("ssl.create_default_context", functools.cache(ssl.create_default_context)),
        patch.object(ssl.SSLContext, "load_default_certs"),
    ):
        yield


@contextmanager
def no_network() -> Iterator[None]:
    """Refuses all connections while entered."""
    with network(_refuse):
        yield


@contextmanager
def hostile_server() -> Iterator[HostileServer]:
    """Connects HTTP clients to a hostile server while entered."""
    server = HostileServer()
    with network(server.connect):
        try:
            yield server
        finally:
            server.close()
