"""The cameras of a running suite, by what its broker has retained; ``footfall send_command`` commands one, ``footfall forget`` clears."""

import time
from typing import Literal, NamedTuple

from pydantic import Field

from bus import Command, InvalidSetting, Status, topics
from bus.settings import BusSettings, CameraName
from bus.states import OFFLINE, PAUSED
from footfall.connection import Connection, operator_connection, parse, statuses
from runtime.settings import load

TIMEOUT = 5.0
"""Seconds for a camera to obey, or for the counter to forget it too."""
SETTLE_TIME = 1.0
"""Seconds after which what has not come back stays away: the counter applies its timeouts every half a second."""
Do = Literal["pause", "resume", "snapshot"]


class CommandSettings(BusSettings):
    """What is to be done, and by which camera."""

    do: Do | None = Field(default=None, description="the command")
    camera: CameraName = Field(default="door", description="the camera")


class ForgetSettings(BusSettings):
    """Which camera."""

    camera: CameraName | None = Field(default=None, description="the camera")


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
    others = [topics.label.name_in(topic) for topic in retained if not topic.startswith(topics.status(""))]
    return {name: KnownCamera(name, captures.get(name)) for name in sorted({*captures, *others})}


def _known_camera(connection: Connection, name: str) -> KnownCamera:
    """The camera of that name. Raises `InvalidSetting`, which names those that there are."""
    cameras = known_cameras(connection)
    if name not in cameras:
        raise InvalidSetting(f"CAMERA={name!r}: there is no such camera; known are: {', '.join(cameras) or 'none'}")
    return cameras[name]


def send_command(connection: Connection, camera: str, do: Do, timeout: float = TIMEOUT) -> str:
    """Commands the camera and waits until its module has obeyed, up to `timeout` seconds; returns what came of it, in words.

    Raises `InvalidSetting` when there is no such camera.
    """
    known, command = _known_camera(connection, camera), Command(camera, do)
    if not known.is_running or known.capture is None:
        connection.publish(command.topic, command.pack())
        return f"{camera}: {do} was sent, but the camera does not run now: {known.state}"
    connection.follow(known.capture.topic)
    connection.publish(command.topic, command.pack())
    if do == "snapshot":
        return f"{camera}: snapshot was sent"
    end, last = time.monotonic() + timeout, known.capture
    while (last.state == PAUSED) != (do == "pause"):
        if time.monotonic() > end:
            raise InvalidSetting(f"CAMERA={camera!r}: {do} was sent and has had no effect yet; {last.module} is {last.state}")
        if (message := connection.take(0.2)) is not None:
            last = parse(Status, message.topic, message.payload) or last
    return f"{camera}: {last.state}{last.detail and f' ({last.detail})'}"


def forget(connection: Connection, camera: str, timeout: float = TIMEOUT) -> str:
    """Clears what the broker has retained of the camera, by which the counter forgets it too, and checks that it is gone.

    Raises `InvalidSetting` when it is not known, still runs, or comes back for `timeout` seconds.
    """
    known = _known_camera(connection, camera)
    if known.is_running:
        raise InvalidSetting(f"CAMERA={camera!r}: it still runs, stop it first; {known.state}")
    modules = statuses(connection.retained(topics.status()))
    if not any(one.module == "counter" and one.state != OFFLINE for one in modules):
        raise InvalidSetting("the counter does not run, and would bring the camera back when it does: start it first")
    captures = [known.capture.topic] if known.capture is not None else []
    end = time.monotonic() + timeout
    while True:
        for topic in (topics.label(camera), topics.counts(camera), *captures):
            connection.publish(topic, b"", retain=True)
        time.sleep(SETTLE_TIME)
        if camera not in known_cameras(connection):
            return f"{camera}: forgotten; its visits stay in the ledger"
        if time.monotonic() > end:
            raise InvalidSetting(f"CAMERA={camera!r}: it comes back each time, so something still publishes for it")


def main_command() -> None:
    """Takes DO and CAMERA from the environment."""
    settings = load(CommandSettings)
    if settings.do is None:
        raise InvalidSetting("DO is not set: must be pause, resume or snapshot, as in: make send_command DO=pause")
    with operator_connection() as connection:
        print(send_command(connection, settings.camera, settings.do))


def main_forget() -> None:
    """Takes CAMERA from the environment."""
    camera = load(ForgetSettings).camera
    if camera is None:
        raise InvalidSetting("CAMERA is not set, as in: make forget CAMERA=back")
    with operator_connection() as connection:
        print(forget(connection, camera))
