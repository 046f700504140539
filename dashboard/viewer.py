"""One browser: it gets what has changed, and a picture of a camera when it has asked for one."""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

import anyio
from starlette.websockets import WebSocket, WebSocketDisconnect

from bus import InvalidMessage
from dashboard.pictures import Picture, Pictures

log = logging.getLogger(__name__)

HEARTBEAT = 4.0
"""Seconds after which a browser gets the time when nothing has changed, so that it knows that the connection works."""
CHECK_INTERVAL = 1.0
"""Seconds after which a wanted picture is looked for again, when nothing has changed."""
POLICY_VIOLATION = 1008
"""Close code of a WebSocket, after an invalid request."""


class Sections:
    """JSON values by name, with a version, so that each browser gets what is new to it; for one thread."""

    def __init__(self) -> None:
        self.version = 0
        self._texts: dict[str, str] = {}
        self._versions: dict[str, int] = {}

    def update(self, values: Mapping[str, Any]) -> None:
        """Set sections, to values that JSON can hold; an unchanged value raises no version."""
        for name, value in values.items():
            text = json.dumps(value)
            if self._texts.get(name) != text:
                self.version += 1
                self._texts[name] = text
                self._versions[name] = self.version

    def since(self, version: int, now: float) -> str:
        """The message with all that changed after `version`, at Unix time `now`."""
        changed = [f'"{name}": {self._texts[name]}' for name, changed_at in self._versions.items() if changed_at > version]
        return "{" + ", ".join([f'"now": {now:.3f}', *changed]) + "}"


class Viewer:
    """Serves one browser until it leaves; for the event loop's thread.

    A picture is sent only when it was asked for, and only one that is newer than the last: a slow browser gets fewer pictures,
    never older ones, and at most one message is queued for it.
    """

    def __init__(
        self,
        socket: WebSocket,
        sections: Sections,
        pictures: Pictures,
        cameras: Callable[[], Collection[str]],
        changed: asyncio.Event,
    ) -> None:
        """`cameras` are the names that are known at the moment; `changed` is set when there may be something to send."""
        self._socket = socket
        self._sections = sections
        self._pictures = pictures
        self._cameras = cameras
        self._wanted: dict[str, None] = {}
        """In the order in which they were asked for."""
        self._shown: dict[str, Picture] = {}
        self._version = 0
        self._sent_at = float("-inf")
        self._changed = changed

    async def run(self) -> None:
        """Until the browser leaves, or sends an invalid request."""
        await self._socket.accept()
        tasks = [asyncio.create_task(self._receive()), asyncio.create_task(self._send())]
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            errors = [task.exception() for task in ended]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        log.debug("a browser has left: %r", errors)
        if any(isinstance(error, InvalidMessage) for error in errors):
            await self._socket.close(POLICY_VIOLATION)

    async def _receive(self) -> None:
        """Raises `InvalidMessage` for an invalid request, `WebSocketDisconnect` at the end."""
        while True:
            camera = _wanted_camera(await self._socket.receive())
            if camera in self._cameras():
                self._wanted[camera] = None
                self._changed.set()

    async def _send(self) -> None:
        """Raises `WebSocketDisconnect` at the end."""
        while True:
            self._changed.clear()
            await self._send_changes()
            for camera in list(self._wanted):
                await self._send_picture(camera)
            with anyio.move_on_after(CHECK_INTERVAL):
                await self._changed.wait()

    async def _send_changes(self) -> None:
        is_due = time.monotonic() - self._sent_at >= HEARTBEAT
        if is_due or self._sections.version > self._version:
            text = self._sections.since(self._version, time.time())
            self._version = self._sections.version
            self._sent_at = time.monotonic()
            await self._socket.send_text(text)

    async def _send_picture(self, camera: str) -> None:
        """Send the camera's newest picture, once there is another than the last."""
        self._pictures.want(camera)
        picture = self._pictures.newest(camera)
        if picture is not None and picture is not self._shown.get(camera):
            self._shown[camera] = picture
            del self._wanted[camera]
            await self._socket.send_bytes(picture.packed(time.time()))


def _wanted_camera(received: Mapping[str, Any]) -> str:
    """The camera of which a browser wants the next picture. Raises `InvalidMessage`, `WebSocketDisconnect`."""
    if received["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(received["code"])
    try:
        request = json.loads(received.get("text") or "")
    except (ValueError, RecursionError):
        request = None
    camera = request.get("want") if isinstance(request, dict) else None
    if not isinstance(camera, str):
        raise InvalidMessage("a browser's request: it names no camera")
    return camera
