"""``footfall tell DO=pause CAMERA=door``: commands a camera of a running suite."""

import time
from typing import Literal

from pydantic import Field

from bus import Command, InvalidSetting, Status
from bus.settings import BusSettings, CameraName
from bus.states import PAUSED
from footfall.cameras import known_camera
from footfall.connection import Connection, as_operator, parsed
from runtime.settings import load

COMMAND_TIMEOUT = 5.0
"""Seconds for the camera to obey."""


class Settings(BusSettings):
    """What is to be done, and by which camera."""

    do: Literal["pause", "resume", "snapshot"] | None = Field(default=None, description="the command")
    camera: CameraName = Field(default="door", description="the camera")


def tell(
    connection: Connection, camera: str, do: Literal["pause", "resume", "snapshot"], timeout: float = COMMAND_TIMEOUT
) -> str:
    """Commands the camera and waits until its module has obeyed, up to `timeout` seconds; returns what came of it, in words.

    Raises `InvalidSetting` when there is no such camera.
    """
    known, command = known_camera(connection, camera), Command(camera, do)
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
            last = parsed(Status, message.topic, message.payload) or last
    return f"{camera}: {last.state}{last.detail and f' ({last.detail})'}"


def main() -> None:
    """Takes DO and CAMERA from the environment."""
    settings = load(Settings)
    if settings.do is None:
        raise InvalidSetting("DO is not set: must be pause, resume or snapshot, as in: make tell DO=pause")
    with as_operator() as connection:
        print(tell(connection, settings.camera, settings.do))
