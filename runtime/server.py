"""An HTTP server for an ASGI application, on a thread. It needs uvicorn, so only modules with a server import it."""

import asyncio
import logging
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import h11
import uvicorn
from typing_extensions import Self
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.h11_impl import H11Protocol

from runtime.errors import InvalidSetting
from runtime.http_log import limit_lines
from runtime.listener import ACCEPTED_AT_ONCE, Listener
from runtime.logs import LogThrottle

log = logging.getLogger(__name__)

REQUEST_TIMEOUT = 5
"""Seconds within which a connection must complete the headers of its first or next request."""
SEND_TIMEOUT = 20
"""Seconds after which a client that acknowledges no data is disconnected."""
TICK_INTERVAL = 1.0
"""Seconds between two updates of the header `Date`."""
SHUTDOWN_TIMEOUT = 1
"""Seconds for running requests to complete when the server stops."""
CLOSING = 16
"""Connections that the listener has ended, but that uvicorn still counts: it notices a few turns of the event loop later."""
MAX_WEBSOCKET_MESSAGE = 4096
"""Maximum size of a WebSocket message from a client, in bytes."""


class Address(NamedTuple):
    """The address to listen on; `setting` is the name of the port's setting, for error messages."""

    setting: str
    host: str
    port: int


class Certificate(NamedTuple):
    """The paths of the server's PEM files."""

    chain: Path
    key: Path

    @property
    def changed_at(self) -> list[int] | None:
        """When the files were last changed; None while one is missing."""
        try:
            return [path.stat().st_mtime_ns for path in self]
        except OSError:
            return None


class _Flow(FlowControl):
    """uvicorn's control of when it reads from a connection. It notes when the application wants more of a body."""

    def __init__(self, transport: asyncio.Transport, on_read: Callable[[], object]) -> None:
        super().__init__(transport)
        self._on_read = on_read

    def resume_reading(self) -> None:
        """Reads on. uvicorn calls this whenever the application asks for more."""
        super().resume_reading()
        self._on_read()


class Protocol(H11Protocol):
    """uvicorn's HTTP protocol with a timeout for request headers.

    uvicorn's keep-alive timer starts after a response and stops at the next byte, so idle clients could hold connections forever.
    Here it also runs before the first request, and until the headers are complete. The listener learns who waits for whom.
    """

    def __init__(self, listener: Listener, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._listener = listener

    def connection_made(self, transport: Any) -> None:
        """Starts the timer for a new connection."""
        super().connection_made(transport)
        self.flow = _Flow(transport, self._on_read)
        self._number = transport.get_extra_info("socket").fileno()
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def data_received(self, data: bytes) -> None:
        """Passes data on, and keeps the timer running until the headers are complete."""
        timer, self.timeout_keep_alive_task = self.timeout_keep_alive_task, None
        super().data_received(data)
        if timer is None or self._is_answering or self.transport.get_protocol() is not self:  # not self after a WebSocket upgrade
            if timer is not None:
                timer.cancel()
        else:
            self.timeout_keep_alive_task = timer
        self._note_waiting()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Leaves the connection to the WebSocket, unless that cannot read the request: uvicorn would never answer or close it."""
        super().handle_websocket_upgrade(event)
        if getattr(getattr(self.transport.get_protocol(), "conn", None), "handshake_exc", None) is not None:
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Closes the connection after an invalid request, with a response if none has begun. uvicorn would let both fail."""
        if self.conn.our_state is not h11.SEND_BODY:
            with suppress(h11.LocalProtocolError):  # the response to HEAD has no body
                super().send_400_response(msg)
        self.transport.close()
        if self._is_answering:
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    def on_response_complete(self) -> None:
        """Waits for the next request."""
        super().on_response_complete()
        self._note_waiting()

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _on_read(self) -> None:
        """Waits for more of a body, unless there is some."""
        if self._is_answering and self.conn.their_state is h11.SEND_BODY and not self.cycle.message_event.is_set():
            self._note(True)

    def _note_waiting(self) -> None:
        is_incomplete = self.conn.their_state in (h11.IDLE, h11.SEND_BODY)
        self._note(is_incomplete and not self._is_answering and self.transport.get_protocol() is self)

    def _note(self, is_waiting: bool) -> None:
        if not self.transport.is_closing():
            self._listener.note(self._number, is_waiting)


def _websocket_protocol(listener: Listener) -> Any:
    from runtime.websocket import WebSocketProtocol  # noqa: PLC0415  # needs websockets

    return partial(WebSocketProtocol, listener)


class _UvicornServer(uvicorn.Server):
    """uvicorn's server, without its checks ten times a second whether it must stop: they cost more than anything else it does
    while there are no requests.
    """

    _loop: asyncio.AbstractEventLoop | None = None

    def __init__(self, config: uvicorn.Config, certificate: Certificate | None) -> None:
        super().__init__(config)
        self._certificate = certificate
        self._changed_at = None if certificate is None else certificate.changed_at
        self._throttle = LogThrottle()

    async def main_loop(self) -> None:
        """Serves until `stop`."""
        self._stopping = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            self._renew_certificate()
            with anyio.move_on_after(TICK_INTERVAL):
                await self._stopping.wait()

    def _renew_certificate(self) -> None:
        """Uses a certificate that was renewed for new connections, as soon as its key is there too."""
        if self._certificate is None or (changed_at := self._certificate.changed_at) == self._changed_at:
            return
        try:
            # In another context first: if the key is not the certificate's, it would have neither.
            for context in (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), self.config.ssl):
                if context is not None:
                    context.load_cert_chain(*self._certificate, "")
        except OSError:
            if (more := self._throttle("")) is not None:
                log.warning("%s: cannot be used with its key yet; the earlier one still is%s", self._certificate.chain, more)
        else:
            self._changed_at = changed_at
            log.info("%s: renewed", self._certificate.chain)

    def stop(self) -> None:
        """Ends `main_loop`, also one that has yet to begin. Thread-safe."""
        self.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop was closed
                self._loop.call_soon_threadsafe(self._stopping.set)


class Server:
    """An HTTP server. It binds its port on creation, so that a port in use is an error at once, and serves while entered."""

    def __init__(
        self,
        app: Any,
        address: Address,
        max_requests: int,
        certificate: Certificate | None = None,
        send_buffer: int | None = None,
        has_websockets: bool = False,
    ) -> None:
        """Binds the port. Raises `InvalidSetting` if the address cannot be used.

        Above about `max_requests` concurrent connections or requests, the response is 503; `Listener` has more limits.
        `send_buffer` is the size in bytes of the system's buffer for a slow client; the default is up to some megabytes.
        """
        setting, host, port = address
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            bound = socket.create_server((host, port), family=family, dualstack_ipv6=host == "::")
        except OSError as error:
            raise InvalidSetting(f"{setting}={port} on {host}: {error.strerror or error}") from None
        self._socket = Listener(bound, max_requests)
        limit_lines()
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; accepted connections inherit this option and the next one
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SEND_TIMEOUT * 1000)
        if send_buffer is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        config = uvicorn.Config(
            app,
            log_config=None,
            log_level="warning",
            http=partial(Protocol, self._socket),  # type: ignore[arg-type]
            ws=_websocket_protocol(self._socket) if has_websockets else "none",
            loop="asyncio",  # another loop would not call the listener's methods
            backlog=ACCEPTED_AT_ONCE,
            access_log=False,
            limit_concurrency=max_requests + CLOSING,
            timeout_keep_alive=REQUEST_TIMEOUT,
            timeout_graceful_shutdown=SHUTDOWN_TIMEOUT,
            ws_max_size=MAX_WEBSOCKET_MESSAGE,
            ws_per_message_deflate=False,  # JPEG does not get smaller
            ssl_certfile=certificate and certificate.chain,
            ssl_keyfile=certificate and certificate.key,
            server_header=False,
        )
        self._server = _UvicornServer(config, certificate)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="http", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()
        self._thread.join(timeout=SHUTDOWN_TIMEOUT + 1)
        self._socket.close()
