"""One browser: gets what has changed, and a picture of a camera when it has asked for the next."""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from fastapi import WebSocket, WebSocketDisconnect

from bus import InvalidMessage
from dashboard.pictures import Picture, Pictures
from dashboard.sections import Sections

log = logging.getLogger(__name__)

HEARTBEAT = 4.0
"""Seconds after which it is told the time when nothing has changed, so that it knows that the connection stands."""
TURN = 1.0
"""Seconds after which what it waits for is looked at again, when nothing has changed."""
NO_REQUEST = 1008
"""Close code for what makes no sense: a violated policy."""


class Viewer:
    """Talks to one browser until it leaves; for the event loop's thread.

    A picture is sent only when it was asked for, and only one that is newer than the last: a slow browser gets fewer pictures,
    never older ones, and nothing gathers for it but one message.
    """

    def __init__(
        self,
        socket: WebSocket,
        sections: Sections,
        pictures: Pictures,
        cameras: Callable[[], Collection[str]],
        changed: asyncio.Event,
    ) -> None:
        """`cameras` are the names that there are at the moment; `changed` is set when there may be something to send."""
        self._socket = socket
        self._sections = sections
        self._pictures = pictures
        self._cameras = cameras
        self._wanted: dict[str, None] = {}
        """In the order in which they were asked for."""
        self._shown: dict[str, Picture] = {}
        self._version = 0
        self._told_at = float("-inf")
        self._changed = changed

    async def run(self) -> None:
        """Until the browser leaves, or says what makes no sense."""
        await self._socket.accept()
        tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._talk())]
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            errors = [task.exception() for task in ended]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        log.debug("a viewer goes: %r", errors)
        if any(isinstance(error, InvalidMessage) for error in errors):
            await self._socket.close(NO_REQUEST)

    async def _listen(self) -> None:
        """Raises `InvalidMessage` for what is no request, `WebSocketDisconnect` at the end."""
        while True:
            camera = _wanted(await self._socket.receive())
            if camera in self._cameras():
                self._wanted[camera] = None
                self._changed.set()

    async def _talk(self) -> None:
        """Raises `WebSocketDisconnect` at the end."""
        while True:
            self._changed.clear()
            await self._tell_news()
            for camera in list(self._wanted):
                await self._show(camera)
            try:
                await asyncio.wait_for(self._changed.wait(), TURN)
            except asyncio.TimeoutError:
                continue

    async def _tell_news(self) -> None:
        is_due = time.monotonic() - self._told_at >= HEARTBEAT
        if is_due or self._sections.version > self._version:
            text = self._sections.since(self._version, time.time())
            self._version = self._sections.version
            self._told_at = time.monotonic()
            await self._socket.send_text(text)

    async def _show(self, camera: str) -> None:
        """Sends the camera's newest picture, once there is another than the last."""
        self._pictures.want(camera)
        picture = self._pictures.newest(camera)
        if picture is not None and picture is not self._shown.get(camera):
            self._shown[camera] = picture
            del self._wanted[camera]
            await self._socket.send_bytes(picture.packed(time.time()))


def _wanted(received: Mapping[str, Any]) -> str:
    """The camera of which a browser wants the next picture. Raises `InvalidMessage`, `WebSocketDisconnect`."""
    if received["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(received["code"])
    try:
        request = json.loads(received.get("text") or "")
    except (ValueError, RecursionError):
        request = None
    camera = request.get("want") if isinstance(request, dict) else None
    if not isinstance(camera, str):
        raise InvalidMessage("a browser's request: no camera is wanted")
    return camera
