"""The connection of one browser, with a scripted socket."""

import asyncio
from typing import Any

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
