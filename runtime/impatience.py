"""HTTP connections that are not kept waiting for."""

import asyncio
import time
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

IDLE = 10.0
"""Seconds in which a request must have come whole, as far as its headers go."""
LOOK_EVERY = 2.0


class ImpatientProtocol(H11Protocol):
    """Ends connections on which nothing is asked: uvicorn would wait for ever for a first request, and let nobody else in."""

    def connection_made(self, transport: Any) -> None:
        """A client has connected."""
        super().connection_made(transport)
        self._asked_at = time.monotonic()
        self._look()

    def _look(self) -> None:
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            return  # gone, or a WebSocket by now
        if self.cycle is not None and not self.cycle.response_complete:
            self._asked_at = time.monotonic()
        if time.monotonic() - self._asked_at > IDLE:
            self.transport.close()
        else:
            asyncio.get_running_loop().call_later(LOOK_EVERY, self._look)
