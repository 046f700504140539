"""A camera's pictures for other programs, one after another: what browsers and viewers know as Motion JPEG."""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from dashboard.pictures import Picture

BOUNDARY = "picture"

Next = Callable[[Picture | None], Awaitable[Picture | None]]
"""Gives the next picture after one; None when there will be no more."""


class Stream(Response):
    """Sends the newest picture whenever the last one has gone out, until the client leaves."""

    def __init__(self, following: Next) -> None:
        super().__init__(media_type=f"multipart/x-mixed-replace; boundary={BOUNDARY}", headers={"Cache-Control": "no-store"})
        del self.headers["content-length"]
        self._following = following

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        sending = asyncio.create_task(self._send_all(send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)

    async def _send_all(self, send: Send) -> None:
        last: Picture | None = None
        while (picture := await self._following(last)) is not None:
            last = picture
            jpeg = picture.frame.jpeg
            head = (
                f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n"
                f"X-Captured-At: {picture.frame.captured_at:.3f}\r\n\r\n"
            )
            await send({"type": "http.response.body", "body": head.encode() + jpeg + b"\r\n", "more_body": True})
        await send({"type": "http.response.body", "body": f"--{BOUNDARY}--\r\n".encode()})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
