"""make camera CAMERA=back VIDEO_PATH=1: one more camera for a running suite."""

import os
import sys

from bus import InvalidSetting, topics
from capture.settings import Settings
from runtime.settings import load
from scripts import command
from scripts.connection import SignInRefused, as_capture, broker_folder, statuses
from scripts.plan import check_source
from scripts.state import modules_port


def environment(settings: Settings) -> dict[str, str]:
    """What the capture module gets, beside the settings of the camera itself.

    Raises `InvalidSetting` when the suite was started without that camera, or has it already.
    """
    try:
        with as_capture(settings.own_name) as connection:
            running = [one for one in statuses(connection.retained(topics.status())) if one.module == settings.own_name]
            if any(one.state != "offline" for one in running):
                raise InvalidSetting(f"CAMERA={settings.camera!r}: it runs already; choose another one of CAMERAS")
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
    settings = load(Settings)
    check_source(settings)
    own = environment(settings)
    os.execve(sys.executable, [sys.executable, "-m", "capture"], os.environ | own)


if __name__ == "__main__":
    sys.exit(command.run("camera", main))
