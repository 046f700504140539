"""Serves an application over HTTP in a thread of its own; for those modules that do, as it needs uvicorn."""

import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import uvicorn
from typing_extensions import Self

from runtime.errors import InvalidSetting
from runtime.impatience import ImpatientProtocol

DEAF = 20
"""Seconds after which a client that takes in nothing of what it is sent is let go."""
GRACE = 1
"""Second that requests have to end when the server does."""
MOST_RECEIVED = 4096
"""Bytes of a WebSocket message from a client."""


class Address(NamedTuple):
    """Where it listens; `setting` is the port's name, for messages."""

    setting: str
    host: str
    port: int


class Certificate(NamedTuple):
    """Paths of the server's PEM files."""

    chain: Path
    key: Path


class Server:
    """Listens from its creation on, so that a port that cannot be had is known at once; answers while it is entered."""

    def __init__(
        self,
        app: Any,
        address: Address,
        most_requests: int,
        certificate: Certificate | None = None,
        send_buffer: int | None = None,
    ) -> None:
        """More than `most_requests` at once are refused with 503. `send_buffer` is what the system may hold back of what is sent
        to a slow client, in bytes; without it, it chooses up to megabytes itself.

        Raises `InvalidSetting` for the address.
        """
        setting, host, port = address
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self._socket = socket.create_server((host, port), family=family, dualstack_ipv6=host == "::")
        except OSError as error:
            raise InvalidSetting(f"{setting}={port} on {host}: {error.strerror or error}") from None
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # on Linux; as with the next, those that are accepted have it from here
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAF * 1000)
        if send_buffer is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        config = uvicorn.Config(
            app,
            log_config=None,
            log_level="warning",
            http=ImpatientProtocol,
            access_log=False,
            limit_concurrency=most_requests,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=GRACE,
            ws_max_size=MOST_RECEIVED,
            ws_per_message_deflate=False,  # pictures do not get smaller
            ssl_certfile=certificate and certificate.chain,
            ssl_keyfile=certificate and certificate.key,
            server_header=False,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="http", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=GRACE + 1)
        self._socket.close()
