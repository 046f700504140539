"""The connection of one browser: sends changes of the state, and pictures on request."""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any

import anyio
from starlette.websockets import WebSocket, WebSocketDisconnect

from bus import InvalidMessage
from dashboard.pictures import Picture, Pictures

log = logging.getLogger(__name__)

HEARTBEAT = 4.0
"""Maximum seconds between two messages: without changes a browser gets the time, which shows that the connection works."""
CHECK_INTERVAL = 1.0
"""Maximum seconds between two checks for requested pictures."""
POLICY_VIOLATION = 1008
"""WebSocket close code after an invalid request."""


class Sections:
    """The sections of the page, with a version for each, so a browser gets only the changes. Not thread-safe."""

    def __init__(self) -> None:
        self.version = 0
        self._texts: dict[str, str] = {}
        self._versions: dict[str, int] = {}

    def update(self, values: Mapping[str, Any]) -> None:
        """Sets sections to JSON values. An unchanged value keeps its version."""
        for name, value in values.items():
            text = json.dumps(value)
            if self._texts.get(name) != text:
                self.version += 1
                self._texts[name] = text
                self._versions[name] = self.version

    def changes_since(self, version: int, now: float, more: Mapping[str, Any] | None = None) -> str:
        """Returns the message with all sections changed after `version`, and `more`, at Unix time `now`."""
        changed = [f'"{name}": {self._texts[name]}' for name, changed_at in self._versions.items() if changed_at > version]
        added = [f'"{name}": {json.dumps(value)}' for name, value in (more or {}).items()]
        return "{" + ", ".join([f'"now": {now:.3f}', *added, *changed]) + "}"


class Viewer:
    """Serves one browser until it disconnects. Not thread-safe.

    Sends a picture only on request, and only if it is newer than the last one. A slow browser gets fewer pictures instead of
    older ones, and at most one message is queued for it.
    """

    def __init__(
        self,
        socket: WebSocket,
        sections: Sections,
        pictures: Pictures,
        cameras: Callable[[], Collection[str]],
        changed: asyncio.Event,
        own: Mapping[str, Any] | None = None,
    ) -> None:
        """`cameras` returns the names of the known cameras; `changed` is set when there may be something to send.

        `own` are sections for this browser only, which do not change.
        """
        self._socket = socket
        self._sections = sections
        self._pictures = pictures
        self._cameras = cameras
        self._requested: dict[str, None] = {}
        """Cameras with a pending request, oldest first."""
        self._sent: dict[str, Picture] = {}
        self._version = 0
        self._sent_at = float("-inf")
        self._changed = changed
        self._own = own

    async def run(self) -> None:
        """Runs until the browser disconnects. An invalid request closes the connection."""
        await self._socket.accept()
        tasks = [asyncio.create_task(self._receive()), asyncio.create_task(self._send())]
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            errors = [task.exception() for task in ended]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        log.debug("browser disconnected: %r", errors)
        if any(isinstance(error, InvalidMessage) for error in errors):
            await close(self._socket, POLICY_VIOLATION)

    async def _receive(self) -> None:
        """Receives requests for pictures. Raises `InvalidMessage` and `WebSocketDisconnect`."""
        while True:
            camera = _requested_camera(await self._socket.receive())
            if camera in self._cameras():
                self._requested[camera] = None
                self._changed.set()

    async def _send(self) -> None:
        """Sends changes and requested pictures. Raises `WebSocketDisconnect`."""
        while True:
            self._changed.clear()
            await self._send_changes()
            for camera in list(self._requested):
                await self._send_picture(camera)
            with anyio.move_on_after(CHECK_INTERVAL):
                await self._changed.wait()

    async def _send_changes(self) -> None:
        is_due = time.monotonic() - self._sent_at >= HEARTBEAT
        if is_due or self._sections.version > self._version:
            text = self._sections.changes_since(self._version, time.time(), self._own)
            self._own = None
            self._version = self._sections.version
            self._sent_at = time.monotonic()
            await self._socket.send_text(text)

    async def _send_picture(self, camera: str) -> None:
        """Sends the camera's newest picture, unless it was the last one sent."""
        self._pictures.want(camera)
        picture = self._pictures.newest(camera)
        if picture is not None and picture is not self._sent.get(camera):
            self._sent[camera] = picture
            del self._requested[camera]
            await self._socket.send_bytes(picture.packed(time.time()))


async def close(socket: WebSocket, code: int) -> None:
    """Closes the connection of a browser, unless the browser has left."""
    with suppress(WebSocketDisconnect, RuntimeError):
        await socket.close(code)


def _requested_camera(received: Mapping[str, Any]) -> str:
    """Returns the camera named in a request. Raises `InvalidMessage` and `WebSocketDisconnect`."""
    if received["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(received["code"])
    try:
        request = json.loads(received.get("text") or "")
    except (ValueError, RecursionError):
        request = None
    camera = request.get("want") if isinstance(request, dict) else None
    if not isinstance(camera, str):
        raise InvalidMessage("request of a browser: 'want' must be the name of a camera")
    return camera
