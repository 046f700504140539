"""Reads the bodies of HTTP requests, few at a time, so that their memory is bounded."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus

import anyio
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

MAX_BODIES = 4
"""Bodies that are in memory at the same time. The model takes one picture at a time, so more would not be faster."""
TIMEOUT = 10.0
"""Seconds that a request waits for its turn, and then for its body."""
MIN_TIMEOUT = 2.0
"""Seconds for a body while other requests wait. A slow client that holds them up is refused then."""


class Bodies:
    """The bodies of all requests. At most `MAX_BODIES` are read or processed at the same time; other requests wait in turn."""

    def __init__(self) -> None:
        self._places = anyio.Semaphore(MAX_BODIES)
        self._waiting = 0
        self._reading: dict[anyio.CancelScope, float] = {}
        """The bodies that are being read, by the scope with their time limit, and when they began."""

    @asynccontextmanager
    async def read(self, request: Request, limit: int, rule: str) -> AsyncIterator[bytes]:
        """Yields the body, which must have at most `limit` bytes, as `rule` says. It is processed within the context.

        Raises `HTTPException`: 413 for a larger body, 503 if there are too many requests, 408 for one that is too slow.
        """
        announced = request.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > limit:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, rule)
        await self._take_place()
        try:
            yield await self._receive(request, limit, rule)
        finally:
            self._places.release()

    async def _take_place(self) -> None:
        self._waiting += 1
        self._hurry()
        try:
            with anyio.fail_after(TIMEOUT):
                await self._places.acquire()
        except TimeoutError:
            problem = f"too many requests; this one gave up after {TIMEOUT:g} s"
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, problem) from None
        finally:
            self._waiting -= 1

    def _hurry(self) -> None:
        """Shortens the time limits of the bodies that are being read, if other requests wait for their places."""
        if self._waiting:
            for scope, begin in self._reading.items():
                scope.deadline = min(scope.deadline, begin + MIN_TIMEOUT)

    async def _receive(self, request: Request, limit: int, rule: str) -> bytes:
        body, begin = bytearray(), anyio.current_time()
        with anyio.move_on_after(TIMEOUT) as scope, suppress(ClientDisconnect):
            self._reading[scope] = begin
            self._hurry()
            try:
                async for part in request.stream():
                    body += part
                    if len(body) > limit:
                        raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, rule)
                return bytes(body)
            finally:
                del self._reading[scope]
        problem = f"the body did not arrive within {scope.deadline - begin:g} s"
        raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, problem, {"Connection": "close"})
