"""The cameras that a running suite knows, by what its broker has retained."""

from typing import NamedTuple

from bus import InvalidSetting, Status, topics
from bus.states import OFFLINE
from footfall.connection import Connection, statuses


class KnownCamera(NamedTuple):
    """A camera, and the last report of the module that captures it; None where there is none."""

    name: str
    capture: Status | None

    @property
    def is_running(self) -> bool:
        """Whether its module is there, even if the camera itself is lost or paused."""
        return self.capture is not None and self.capture.state != OFFLINE

    @property
    def state(self) -> str:
        """In words."""
        if self.capture is None:
            return "no capture module has reported for it"
        return f"{self.capture.module} is {self.capture.state}{self.capture.detail and f' ({self.capture.detail})'}"


def known_cameras(connection: Connection) -> dict[str, KnownCamera]:
    """By name: those with a label, counts, or a capture module."""
    retained = connection.retained(topics.status(), topics.label(), topics.counts())
    captures = {one.about.camera: one for one in statuses(retained) if one.about.camera is not None}
    others = [topics.second_level(topic) for topic in retained if not topic.startswith(topics.status(""))]
    return {name: KnownCamera(name, captures.get(name)) for name in sorted({*captures, *others})}


def known_camera(connection: Connection, name: str) -> KnownCamera:
    """The camera of that name. Raises `InvalidSetting`, which names those that there are."""
    cameras = known_cameras(connection)
    if name not in cameras:
        raise InvalidSetting(f"CAMERA={name!r}: there is no such camera; known are: {', '.join(cameras) or 'none'}")
    return cameras[name]
