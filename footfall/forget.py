"""``footfall forget CAMERA=back``: a running suite forgets a camera that is gone for good; its visits stay in the ledger."""

import time

from pydantic import Field

from bus import InvalidSetting, topics
from bus.settings import BusSettings, CameraName
from bus.states import OFFLINE
from footfall.cameras import KnownCamera, known_camera, known_cameras
from footfall.connection import Connection, as_operator, statuses
from runtime.settings import load

FORGET_TIMEOUT = 5.0
"""Seconds for the counter to forget it too."""
SETTLED = 1.0
"""Seconds after which what has not come back stays away: the counter applies its timeouts every half a second."""


class Settings(BusSettings):
    """Which camera."""

    camera: CameraName | None = Field(default=None, description="the camera")


def forget(connection: Connection, camera: str, timeout: float = FORGET_TIMEOUT) -> str:
    """Clears what the broker has retained of the camera, by which the counter forgets it too, and checks that it is gone.

    Raises `InvalidSetting` when it is not known, still runs, or comes back for `timeout` seconds.
    """
    known = known_camera(connection, camera)
    if known.is_running:
        raise InvalidSetting(f"CAMERA={camera!r}: it still runs, stop it first; {known.state}")
    modules = statuses(connection.retained(topics.status()))
    if not any(one.module == "counter" and one.state != OFFLINE for one in modules):
        raise InvalidSetting("the counter does not run, and would bring the camera back when it does: start it first")
    end = time.monotonic() + timeout
    _clear(connection, known)
    while camera in known_cameras(connection):
        if time.monotonic() > end:
            raise InvalidSetting(f"CAMERA={camera!r}: it comes back each time, so something still publishes for it")
        _clear(connection, known)
    return f"{camera}: forgotten; its visits stay in the ledger"


def _clear(connection: Connection, camera: KnownCamera) -> None:
    captures = [camera.capture.topic] if camera.capture is not None else []
    for topic in (topics.label(camera.name), topics.counts(camera.name), *captures):
        connection.publish(topic, b"", retain=True)
    time.sleep(SETTLED)


def main() -> None:
    """Takes CAMERA from the environment."""
    camera = load(Settings).camera
    if camera is None:
        raise InvalidSetting("CAMERA is not set, as in: make forget CAMERA=back")
    with as_operator() as connection:
        print(forget(connection, camera))
