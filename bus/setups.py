"""The setups of cameras that the broker retains."""

from collections.abc import Mapping
from functools import lru_cache

from bus import topics
from bus.connection import Bus
from bus.setup import Setup

MAX_CAMERAS = 128
"""Upper bound; more than this indicates spoofed names."""


@lru_cache(MAX_CAMERAS)
def _empty(camera: str) -> Setup:
    return Setup(camera)  # validated once, not for each frame


class Setups:
    """The newest setup of each camera, of one or of all. Handlers run on the network thread; any thread can read."""

    def __init__(self, bus: Bus, camera: str = "+") -> None:
        """Subscribes, so `bus` must not be connected yet."""
        self._bus = bus
        self._setups: dict[str, Setup] = {}
        self._unreadable: frozenset[str] = frozenset()
        """Cameras whose setup is invalid, and was not known before."""
        self._received: dict[str, int] = {}
        """By camera, the connection in which its setup arrived last."""
        self._was_known = False
        bus.subscribe(topics.setup(camera), Setup, self._on_setup, on_cleared=self._on_cleared, on_invalid=self._on_invalid)
        bus.on_settled(self._on_settled)

    def __getitem__(self, camera: str) -> Setup:
        """Returns the setup of a camera; an empty one if there is none."""
        return self._setups.get(camera) or _empty(camera)

    @property
    def by_camera(self) -> Mapping[str, Setup]:
        """The setups of the cameras that have one."""
        return self._setups

    @property
    def are_known(self) -> bool:
        """Whether the setups are those that the broker retains. They are not while an invalid one hides the one before."""
        return self._bus.settled and not self._unreadable

    @property
    def unreadable(self) -> frozenset[str]:
        """The cameras whose setup is invalid, and was not known before."""
        return self._unreadable

    def _on_setup(self, setup: Setup) -> None:
        self._replace(setup.camera, setup)

    def _on_cleared(self, topic: str) -> None:
        self._replace(topics.setup.name_in(topic), None)

    def _on_invalid(self, topic: str) -> None:
        """Keeps the previous setup. Without one since the start, the camera's setup is unknown."""
        camera = topics.setup.name_in(topic)
        self._received[camera] = self._bus.connection
        if not self._was_known:
            self._unreadable |= {camera}

    def _replace(self, camera: str, setup: Setup | None) -> None:
        if camera not in self._received and len(self._received) >= MAX_CAMERAS:
            return
        others = {name: one for name, one in self._setups.items() if name != camera}
        self._setups = others if setup is None else {**others, camera: setup}
        self._received[camera] = self._bus.connection
        self._unreadable -= {camera}

    def _on_settled(self) -> None:
        """Removes setups that were deleted while this module was not connected."""
        for camera in [name for name in self._setups if self._received[name] != self._bus.connection]:
            self._replace(camera, None)
        self._was_known = True
