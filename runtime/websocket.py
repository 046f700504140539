"""The WebSockets of `runtime.server`. They need websockets, so the server imports this only where it has WebSockets."""

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from runtime.listener import Listener


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol. A refused WebSocket makes room for others while the client has yet to close it."""

    def __init__(self, listener: Listener, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._listener = listener

    async def send(self, message: Any) -> None:
        """Sends a message of the application."""
        await super().send(message)
        if message["type"] == "websocket.close" and not self.transport.is_closing():
            self._listener.note(self.transport.get_extra_info("socket").fileno(), True)
