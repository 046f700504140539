"""The body of a request, with limits of size and time."""

import asyncio

from starlette.requests import ClientDisconnect, Request

from bus import FootfallError


class NoBody(FootfallError):
    """The body did not arrive in time, or is too large. `status` is the HTTP status that says so."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


async def read_body(request: Request, limit: int, timeout: float) -> bytes:
    """Returns the body. Raises `NoBody` if it has more than `limit` bytes, or takes longer than `timeout` seconds."""
    try:
        body = await asyncio.wait_for(_read(request, limit), timeout)
    except (asyncio.TimeoutError, ClientDisconnect):
        raise NoBody(408, "The request timed out") from None
    if len(body) > limit:
        raise NoBody(413, "The request is too large")
    return body


async def _read(request: Request, limit: int) -> bytes:
    """Reads the body; stops once it exceeds `limit` bytes."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            break
    return body
