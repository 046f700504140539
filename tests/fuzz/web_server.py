"""An HTTP server without sockets: uvicorn and Footfall's protocol, with connections in memory and a clock that skips pauses."""

import asyncio
import logging
import selectors
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import Any, TypeVar
from unittest.mock import patch

import anyio
import anyio.to_thread
from anyio._backends import _asyncio as asyncio_backend
from uvicorn.lifespan.on import LifespanOn

from runtime.errors import FootfallError
from runtime.http_log import LOGGERS, HttpLogFilter
from runtime.server import Address, Server

T = TypeVar("T")

READ_SIZE = 256 * 1024
"""Bytes that asyncio reads at once."""
MAX_SECONDS = 90.0
"""Seconds of the skipping clock within which a connection is answered or closed: longer than any time limit of the servers."""
ANSWERED_SECONDS = 0.3
"""Seconds of the same clock after which most clients leave if they have an answer."""
ADDRESSES = {"peername": ("127.0.0.1", 50_000), "sockname": ("127.0.0.1", 9001)}
NO_DESCRIPTOR = -1
CHECK_INTERVAL = 100
"""Connections between two good requests."""


class SkippingSelector(selectors.DefaultSelector):
    """Waits for sockets and threads only. Of the time until the next timer, it skips the clock ahead."""

    def __init__(self) -> None:
        super().__init__()
        self.skipped = 0.0
        self.has_threads: Callable[[], bool] = bool

    def select(self, timeout: float | None = None) -> Any:
        """Returns the ready sockets, which only threads make ready."""
        if timeout is None or self.has_threads():
            return super().select(timeout and min(timeout, 0.05))
        if timeout > 0:
            self.skipped += timeout + 1e-4  # a timer must be due then, however its time is rounded
        return []


class Socket:
    """What the servers ask of a socket."""

    def fileno(self) -> int:
        return NO_DESCRIPTOR

    def getpeername(self) -> tuple[str, int]:
        return ADDRESSES["peername"]

    def getsockname(self) -> tuple[str, int]:
        return ADDRESSES["sockname"]


class Connection(asyncio.Transport):
    """A client's connection. It sends `data` in pieces, as asyncio would read them, and keeps what the server writes.

    It sends `more` as soon as the server answers.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, protocol: Any, data: bytes, more: bytes) -> None:
        super().__init__(ADDRESSES | {"socket": Socket()})
        self._loop, self._protocol, self._unread, self._more = loop, protocol, memoryview(data), more
        self._is_paused = self._is_reading = self._is_closing = False
        self.answer = bytearray()
        self.closed = asyncio.Event()
        protocol.connection_made(self)
        self.resume_reading()

    def _read(self) -> None:
        self._is_reading = False
        if self._unread and not self._is_paused and not self._is_closing:
            data, self._unread = bytes(self._unread[:READ_SIZE]), self._unread[READ_SIZE:]
            try:
                self._protocol.data_received(data)
            except Exception as error:  # any exception: asyncio logs it, and ends the connection
                self._loop.call_exception_handler({"message": "data_received failed", "exception": error})
                self.close()
            self.resume_reading(self._is_paused)

    @property
    def is_read(self) -> bool:
        """Whether the server has read everything."""
        return not self._unread

    def get_protocol(self) -> Any:
        return self._protocol

    def set_protocol(self, protocol: Any) -> None:
        self._protocol = protocol

    def pause_reading(self) -> None:
        self._is_paused = True

    def resume_reading(self, is_paused: bool = False) -> None:
        self._is_paused = is_paused
        if not is_paused and not self._is_reading:
            self._is_reading = True
            self._loop.call_soon(self._read)

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        if not self._is_closing:
            self._is_closing = True
            self._loop.call_soon(self._lose)

    def abort(self) -> None:
        self.close()

    def _lose(self) -> None:
        self.closed.set()
        self._protocol.connection_lost(None)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._is_closing:
            self.answer += data
            if self._more:
                self._unread, self._more = memoryview(bytes(self._unread) + self._more), b""
                self.resume_reading(self._is_paused)

    def can_write_eof(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0


class Problems(logging.Filter):
    """Keeps the errors that are logged, before `runtime.http_log` drops those that it has logged before."""

    def __init__(self) -> None:
        super().__init__()
        self._found: list[tuple[str, BaseException | None]] = []

    def filter(self, record: logging.LogRecord) -> bool:
        """Drops the record, after a filter that has seen none before."""
        HttpLogFilter().filter(record)
        if record.levelno >= logging.ERROR or record.exc_info:
            self._found.append((record.getMessage().strip(), record.exc_info[1] if record.exc_info else None))
        return False

    def check(self) -> None:
        """Raises `AssertionError` if an error was logged since the last call."""
        found, self._found = self._found, []
        for text, cause in found[:1]:
            raise AssertionError(text) from cause


class Rejected(FootfallError):
    """The server answered with an error of the client, or closed the connection."""


class WebServer:
    """A running server. `connect` makes a connection."""

    def __init__(self, server: Server, good: bytes, selector: SkippingSelector, loop: asyncio.AbstractEventLoop) -> None:
        """`good` is a request that is answered with 200."""
        self._config = server._server.config
        self._state = server._server.server_state
        self._selector, self._loop, self._good = selector, loop, good
        self._served = 0
        self._problems = Problems()
        for name in LOGGERS:
            logging.getLogger(name).filters.insert(0, self._problems)

    def close(self) -> None:
        """Lets other filters work again."""
        for name in LOGGERS:
            logging.getLogger(name).removeFilter(self._problems)

    def connect(self, data: bytes, more: bytes = b"") -> bytes:
        """Sends data on a new connection, and more after the first answer. Returns all answers.

        Raises `Rejected`, and `AssertionError` if the server does what no data may make it do.
        """
        self._served += 1
        if self._served % CHECK_INTERVAL == 0:
            answer = self._run(self._serve(self._good))
            self._run(asyncio.sleep(MAX_SECONDS))
            assert answer.startswith(b"HTTP/1.1 200"), f"a good request is answered with {answer[:100]!r}"
            assert not self._state.tasks, "a request has not ended after its connection"
            assert not self._state.connections, "a connection is not forgotten"
        answer = self._run(self._serve(data, more))
        assert b"HTTP/1.1 500" not in answer, answer[:300]
        if not answer.startswith((b"HTTP/1.1 1", b"HTTP/1.1 2", b"HTTP/1.1 3")):
            raise Rejected(answer[:12].decode("latin-1"))
        return answer

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        clock = time.monotonic
        try:
            with patch("time.monotonic", lambda: clock() + self._selector.skipped):
                return self._loop.run_until_complete(work)
        finally:
            self._problems.check()

    async def _serve(self, data: bytes, more: bytes = b"") -> bytes:
        create: Any = self._config.http_protocol_class
        protocol = create(config=self._config, server_state=self._state, app_state={}, _loop=self._loop)
        connection = Connection(self._loop, protocol, data, more)
        self._selector.has_threads = partial(_has_threads, anyio.to_thread.current_default_thread_limiter())
        try:
            patience = MAX_SECONDS if self._served % CHECK_INTERVAL == 1 else ANSWERED_SECONDS
            with anyio.move_on_after(patience):
                await connection.closed.wait()
            if not connection.answer or not connection.is_read:
                with anyio.move_on_after(MAX_SECONDS):
                    await connection.closed.wait()
            assert connection.closed.is_set() or connection.answer, "a connection is neither answered nor closed"
        finally:
            connection.close()
            for _ in range(10):
                await asyncio.sleep(0)
        return bytes(connection.answer)


def _has_threads(limiter: anyio.CapacityLimiter) -> bool:
    return limiter.borrowed_tokens > 0


async def _keep_threads(task: asyncio.Task[Any]) -> None:
    """Lets the threads for requests last as long as this task, instead of one connection."""
    asyncio_backend._root_task.set(task)


async def _end(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.wait([task])


@contextmanager
def web_server(app: Any, max_requests: int, good: bytes, has_websockets: bool = False) -> Iterator[WebServer]:
    """Runs the server of an application while entered. `good` is a request that it answers with 200."""
    selector = SkippingSelector()
    loop = asyncio.SelectorEventLoop(selector)
    with (
        patch("anyio._backends._asyncio.WorkerThread.MAX_IDLE_TIME", float("inf")),  # idle threads are not ended by skipped time
        closing(loop),
    ):
        asyncio.set_event_loop(loop)
        bound = Server(app, Address("WEB_PORT", "127.0.0.1", 0), max_requests, has_websockets=has_websockets)
        bound._socket.close()
        bound._server.config.load()
        lifespan = LifespanOn(bound._server.config)
        threads = loop.create_task(asyncio.Event().wait())
        loop.run_until_complete(lifespan.startup())
        loop.run_until_complete(_keep_threads(threads))
        with closing(WebServer(bound, good, selector, loop)) as server:
            yield server
        loop.run_until_complete(_end(threads))
        loop.run_until_complete(lifespan.shutdown())
