"""The setups of cameras, and their changes by people."""

import json
from typing import Any

from bus import Bus, Setup, Setups, topics
from bus.settings import SetupSettings
from dashboard.retained import RetainedMessages


class SetupStore:
    """Reads and changes the setups that the broker retains. Thread-safe."""

    def __init__(self, bus: Bus, settings: SetupSettings) -> None:
        """Create it before entering the bus. `settings` are those of cameras without a setup."""
        self._settings = settings
        self._setups = Setups(bus)
        self._retained = RetainedMessages(bus, topics.setup(), Setup)

    def effective(self, camera: str) -> Setup:
        """Returns the camera's setup, completed with the settings."""
        return self._settings.completed(self._setups[camera])

    def sections(self) -> dict[str, Any]:
        """Returns the sections of the page: the setups by camera, and what the settings say."""
        defaults = setup_json(self._settings.completed(Setup("settings")))
        return {
            "setups": {camera: setup_json(setup) for camera, setup in sorted(self._setups.by_camera.items())},
            "setup_defaults": {part: defaults[part] for part in ("lines", "zones", "alerts")},
        }

    async def save(self, setup: Setup) -> None:
        """Replaces the camera's setup. Raises `NotSaved`."""
        await self._retained.save(setup, _hint(setup.camera))

    async def delete(self, camera: str) -> None:
        """Deletes the camera's own setup, so that the settings count. Raises `NotSaved`."""
        await self._retained.delete(topics.setup(camera), _hint(camera))


def _hint(camera: str) -> str:
    return f"; is {camera!r} in CAMERAS?"


def setup_json(setup: Setup) -> dict[str, Any]:
    """Returns the setup as in its message."""
    document: dict[str, Any] = json.loads(setup.pack())
    return document
