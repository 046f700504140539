"""The setups of cameras, and their changes by people."""

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from bus import Bus, FootfallError, Setup, Setups, topics
from bus.settings import SetupSettings

SAVE_TIMEOUT = 5.0
"""Seconds that the broker has to publish a changed setup to its subscribers."""


class NotSaved(FootfallError):
    """The broker did not take a changed setup."""


class _Pending(NamedTuple):
    """A change that the broker has not published yet. `setup` is None if it deletes the setup."""

    camera: str
    setup: Setup | None
    loop: asyncio.AbstractEventLoop
    published: asyncio.Event


class SetupStore:
    """Reads and changes the setups that the broker retains. Thread-safe."""

    def __init__(self, bus: Bus, settings: SetupSettings) -> None:
        """Create it before entering the bus. `settings` are the lines and zones of cameras without their own."""
        self._bus = bus
        self._settings = settings
        self._setups = Setups(bus)
        self._lock = threading.Lock()
        self._pending: list[_Pending] = []
        bus.subscribe(topics.setup(), Setup, lambda setup: self._confirm(setup.camera, setup), on_cleared=self._on_cleared)

    def _on_cleared(self, topic: str) -> None:
        self._confirm(topics.setup.name_in(topic), None)

    def _confirm(self, camera: str, setup: Setup | None) -> None:
        with self._lock:
            published = [one for one in self._pending if (one.camera, one.setup) == (camera, setup)]
        for one in published:
            one.loop.call_soon_threadsafe(one.published.set)

    def effective(self, camera: str) -> Setup:
        """Returns the camera's setup, completed with the lines and zones of the settings."""
        return self._settings.completed(self._setups[camera])

    def sections(self) -> dict[str, Any]:
        """Returns the sections of the page: the setups by camera, and the lines and zones of the settings."""
        defaults = setup_json(self._settings.completed(Setup("settings")))
        return {
            "setups": {camera: setup_json(setup) for camera, setup in sorted(self._setups.by_camera.items())},
            "setup_defaults": {"lines": defaults["lines"], "zones": defaults["zones"]},
        }

    async def save(self, setup: Setup) -> None:
        """Replaces the camera's setup. Raises `NotSaved`."""
        await self._change(setup.camera, setup, lambda: self._bus.publish(setup, on_acknowledged=int))

    async def delete(self, camera: str) -> None:
        """Deletes the camera's own setup, so that the settings count. Raises `NotSaved`."""
        await self._change(camera, None, lambda: self._bus.clear(topics.setup(camera), on_acknowledged=int))

    async def _change(self, camera: str, setup: Setup | None, send: Callable[[], bool]) -> None:
        """Publishes a change, and waits until the broker publishes it: it acknowledges even what its access list denies."""
        pending = _Pending(camera, setup, asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            self._pending.append(pending)
        try:
            if not send():
                raise NotSaved("no connection to the broker")
            await asyncio.wait_for(pending.published.wait(), SAVE_TIMEOUT)
        except asyncio.TimeoutError:
            raise NotSaved(f"the broker did not publish it within {SAVE_TIMEOUT:g} s; is {camera!r} in CAMERAS?") from None
        finally:
            with self._lock:
                self._pending.remove(pending)


def setup_json(setup: Setup) -> dict[str, Any]:
    """Returns the setup as in its message."""
    document: dict[str, Any] = json.loads(setup.pack())
    return document
