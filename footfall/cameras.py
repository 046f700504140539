"""The cameras of a running suite, from its retained messages; ``footfall command`` and ``footfall forget``."""

import time
from typing import Literal, NamedTuple

from pydantic import Field

from bus import Command, InvalidSetting, Status, topics
from bus.settings import BusSettings, CameraName
from bus.states import CAMERA_LOST, OFFLINE, PAUSED
from footfall.connection import Connection, operator_connection, parse, statuses
from runtime.settings import load

TIMEOUT = 5.0
"""Seconds for a camera to obey a command, or for the counter to forget a camera."""
SETTLE_TIME = 1.0
"""Seconds after which a cleared message stays cleared: the counter applies its timeouts every half second."""
RETAINED = (topics.setup, topics.label, topics.counts, topics.occupancy, topics.alerts)
"""The topics of a camera with a retained message. The setup is first, because the counter answers a change of it."""
Do = Literal["pause", "resume", "snapshot"]


class CommandSettings(BusSettings):
    """The settings of ``footfall command``."""

    do: Do | None = Field(default=None, description="the command")
    camera: CameraName = Field(default="door", description="the camera")


class ForgetSettings(BusSettings):
    """The settings of ``footfall forget``."""

    camera: CameraName | None = Field(default=None, description="the camera")


class KnownCamera(NamedTuple):
    """A camera, and the last status of its capture module, or None."""

    name: str
    capture: Status | None

    @property
    def is_running(self) -> bool:
        """Whether its capture module runs, even if the camera itself is lost or paused."""
        return self.capture is not None and self.capture.state != OFFLINE

    @property
    def state(self) -> str:
        """The state of its capture module, as text."""
        if self.capture is None:
            return "it has no capture module"
        return f"{self.capture.module} is {self.capture.state}{self.capture.detail and f' ({self.capture.detail})'}"


def known_cameras(connection: Connection) -> dict[str, KnownCamera]:
    """Returns the cameras with a capture module or another retained message, by name."""
    retained = connection.retained(topics.status(), *(topic() for topic in RETAINED))
    captures = {one.about.camera: one for one in statuses(retained) if one.about.camera is not None}
    others = [topics.label.name_in(topic) for topic in retained if not topic.startswith(topics.status(""))]
    return {name: KnownCamera(name, captures.get(name)) for name in sorted({*captures, *others})}


def known_camera(connection: Connection, name: str) -> KnownCamera:
    """Returns a camera by its name. Raises `InvalidSetting`, which lists the known cameras."""
    cameras = known_cameras(connection)
    if name not in cameras:
        raise InvalidSetting(f"CAMERA={name!r}: unknown camera; known cameras: {', '.join(cameras) or 'none'}")
    return cameras[name]


def send_command(connection: Connection, camera: str, do: Do, timeout: float = TIMEOUT) -> str:
    """Sends a command and waits up to `timeout` seconds for the camera to obey. Returns the outcome as text.

    Raises `InvalidSetting` if the camera is unknown or does not obey.
    """
    known, command = known_camera(connection, camera), Command(camera, do)
    if not known.is_running or known.capture is None:
        connection.publish(command.topic, command.pack())
        return f"{camera}: {do} sent, but the camera is not running: {known.state}"
    connection.follow(known.capture.topic)
    connection.publish(command.topic, command.pack())
    if do == "snapshot":
        gives_none = known.capture.state in (PAUSED, CAMERA_LOST)
        return f"{camera}: " + (f"no snapshot: {known.state}" if gives_none else "snapshot sent")
    end, last = time.monotonic() + timeout, known.capture
    while (last.state == PAUSED) != (do == "pause"):
        if time.monotonic() > end:
            raise InvalidSetting(f"CAMERA={camera!r}: {do} sent, no effect within {timeout:g} s; {last.module} is {last.state}")
        if (message := connection.take(0.2)) is not None:
            last = parse(Status, message.topic, message.payload) or last
    return f"{camera}: {last.state}{last.detail and f' ({last.detail})'}"


def forget(connection: Connection, camera: str, timeout: float = TIMEOUT) -> str:
    """Clears the camera's retained messages, so that the counter forgets it too. Checks that they stay cleared.

    Raises `InvalidSetting` if the camera is unknown, runs, or is published again for `timeout` seconds.
    """
    known = known_camera(connection, camera)
    if known.is_running:
        raise InvalidSetting(f"CAMERA={camera!r}: still running; stop it first ({known.state})")
    modules = statuses(connection.retained(topics.status()))
    if not any(one.module == "counter" and one.state != OFFLINE for one in modules):
        raise InvalidSetting("the counter is not running, and would publish the camera again at its start; start it first")
    captures = [known.capture.topic] if known.capture is not None else []
    end = time.monotonic() + timeout
    while True:
        for topic in (*(one(camera) for one in RETAINED), *captures):
            connection.publish(topic, b"", retain=True)
        time.sleep(SETTLE_TIME)
        if camera not in known_cameras(connection):
            return f"{camera}: forgotten; its visits stay in the ledger"
        if time.monotonic() > end:
            raise InvalidSetting(f"CAMERA={camera!r}: published again after each removal; stop the program that publishes it")


def main_command() -> None:
    """Sends the command DO to CAMERA."""
    settings = load(CommandSettings)
    if settings.do is None:
        raise InvalidSetting("DO is not set: must be pause, resume or snapshot, for example: make command DO=pause")
    with operator_connection() as connection:
        print(send_command(connection, settings.camera, settings.do))


def main_forget() -> None:
    """Removes CAMERA from the running suite."""
    camera = load(ForgetSettings).camera
    if camera is None:
        raise InvalidSetting("CAMERA is not set, for example: make forget CAMERA=back")
    with operator_connection() as connection:
        print(forget(connection, camera))
