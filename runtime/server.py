"""Serves an application over HTTP on a thread. Only modules that do so import this, as it needs uvicorn."""

import socket
import threading
from pathlib import Path
from typing import Any, NamedTuple

import uvicorn
from typing_extensions import Self
from uvicorn.protocols.http.h11_impl import H11Protocol

from runtime.errors import InvalidSetting

REQUEST_TIMEOUT = 5
"""Seconds in which the headers of a connection's first or next request must be complete."""
SEND_TIMEOUT = 20
"""Seconds after which a client is dropped that acknowledges nothing of what it is sent."""
SHUTDOWN_TIMEOUT = 1
"""Seconds that requests have to finish when the server ends."""
MAX_RECEIVED = 4096
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


class Protocol(H11Protocol):
    """Applies uvicorn's keep-alive timer also before the first request, and until a request's headers are complete.

    uvicorn starts it after a response and stops it at the next byte, so that an idle client would hold a connection for ever.
    """

    def connection_made(self, transport: Any) -> None:
        """A client has connected."""
        super().connection_made(transport)
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def data_received(self, data: bytes) -> None:
        """A client has sent something."""
        timer, self.timeout_keep_alive_task = self.timeout_keep_alive_task, None
        super().data_received(data)
        is_answering = self.cycle is not None and not self.cycle.response_complete
        if timer is None or is_answering or self.transport.get_protocol() is not self:  # the last: it is a WebSocket now
            if timer is not None:
                timer.cancel()
        else:
            self.timeout_keep_alive_task = timer


class Server:
    """Listens from its creation on, so that a port that is in use is an error at once; answers while it is entered."""

    def __init__(
        self,
        app: Any,
        address: Address,
        max_requests: int,
        certificate: Certificate | None = None,
        send_buffer: int | None = None,
    ) -> None:
        """More than `max_requests` connections or requests at once are refused with 503. `send_buffer` is what the system may
        buffer for a slow client, in bytes; by default up to some megabytes.

        Raises `InvalidSetting` for the address.
        """
        setting, host, port = address
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self._socket = socket.create_server((host, port), family=family, dualstack_ipv6=host == "::")
        except OSError as error:
            raise InvalidSetting(f"{setting}={port} on {host}: {error.strerror or error}") from None
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; accepted connections inherit this option and the next one
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SEND_TIMEOUT * 1000)
        if send_buffer is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        config = uvicorn.Config(
            app,
            log_config=None,
            log_level="warning",
            http=Protocol,
            access_log=False,
            limit_concurrency=max_requests,
            timeout_keep_alive=REQUEST_TIMEOUT,
            timeout_graceful_shutdown=SHUTDOWN_TIMEOUT,
            ws_max_size=MAX_RECEIVED,
            ws_per_message_deflate=False,  # JPEG does not get smaller
            ssl_certfile=certificate and certificate.chain,
            ssl_keyfile=certificate and certificate.key,
            server_header=False,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="http", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=SHUTDOWN_TIMEOUT + 1)
        self._socket.close()
