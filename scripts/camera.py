"""make camera CAMERA=back VIDEO_PATH=1: one more camera for a running suite."""

import os
import sys

from bus import InvalidSetting
from bus.settings import load
from capture.settings import Settings
from scripts import command
from scripts.connection import SignInRefused, as_capture, broker_folder, modules_port


def environment(settings: Settings) -> dict[str, str]:
    """What the capture module gets, beside the settings of the camera itself.

    Raises `InvalidSetting` when the suite was started without that camera.
    """
    try:
        with as_capture(settings.own_name):
            pass
    except SignInRefused:
        name = settings.camera
        raise InvalidSetting(
            f"CAMERA={name!r}: the running suite has no such camera; add it to CAMERAS, as in: make run CAMERAS=door,{name}"
        ) from None
    folder = broker_folder()
    return {
        "MQTT_HOST": "127.0.0.1",
        "MQTT_PORT": str(modules_port(folder)),
        "MQTT_PASSWORD_FILE": str(folder / "secrets" / "capture" / "password"),
        "LOG_FORMAT": os.environ.get("LOG_FORMAT") or "plain",
    }


def main() -> None:
    """Becomes the capture module."""
    if not os.environ.get("CAMERA"):
        raise InvalidSetting("CAMERA is not set, as in: make camera CAMERA=back VIDEO_PATH=1")
    own = environment(load(Settings))
    os.execve(sys.executable, [sys.executable, "-m", "capture"], os.environ | own)


if __name__ == "__main__":
    sys.exit(command.run("camera", main))
