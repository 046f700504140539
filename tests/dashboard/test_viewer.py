"""The connection of one browser, with a scripted socket."""

import asyncio
from typing import Any

import pytest
from starlette.websockets import WebSocket

from bus import Bus
from bus.settings import SetupSettings
from dashboard.hub import MAX_VIEWERS, Hub
from dashboard.pictures import Pictures
from dashboard.viewer import POLICY_VIOLATION, Sections, Viewer
from tests.support.wait import limit


class ScriptedSocket:
    """Delivers its requests at once, as soon as the viewer has sent the first message and waits for changes."""

    def __init__(self, *requests: str) -> None:
        self.requests = [*requests]
        self.sent = asyncio.Event()
        self.close_code: int | None = None

    async def accept(self) -> None:
        """Accepts the connection."""

    async def receive(self) -> dict[str, Any]:
        if not self.sent.is_set():
            await self.sent.wait()
            await asyncio.sleep(0)  # until the viewer waits
        return {"type": "websocket.receive", "text": self.requests.pop(0)}

    async def send_text(self, text: str) -> None:
        self.sent.set()

    async def close(self, code: int) -> None:
        self.close_code = code


def test_an_invalid_request_right_after_a_valid_one_closes_the_connection() -> None:
    """The cancellation arrives together with the change that the valid request causes, and must not be lost."""

    async def run() -> None:
        socket: Any = ScriptedSocket('{"want": "door"}', "no JSON")
        pictures = Pictures(lambda camera: None, lambda camera: None, lambda: None)
        viewer = Viewer(socket, Sections(), pictures, lambda: ["door"], asyncio.Event())
        running = asyncio.create_task(viewer.run())
        await asyncio.wait([running], timeout=limit(2))
        assert running.done()
        assert socket.close_code == POLICY_VIOLATION

    asyncio.run(run())


@pytest.mark.parametrize("viewers", [0, MAX_VIEWERS], ids=["invalid request", "too many browsers"])
def test_a_browser_that_has_left_cannot_be_closed(monkeypatch: pytest.MonkeyPatch, viewers: int) -> None:
    """A browser that disconnects before the server closes its connection is no error."""
    settings = SetupSettings(mqtt_port=1, module_name="dashboard")
    hub = Hub(Bus(settings), settings, signed_in=False)
    monkeypatch.setattr(hub, "_viewers", viewers)
    received = iter([{"type": "websocket.connect"}, {"type": "websocket.receive", "text": "no JSON"}])

    async def receive() -> Any:
        return next(received)

    async def send(message: Any) -> None:
        if message["type"] != "websocket.accept":
            raise OSError

    scope = {"type": "websocket", "path": "/live", "headers": [], "state": {"may_write": True}}
    asyncio.run(hub.serve_viewer(WebSocket(scope, receive, send)))
