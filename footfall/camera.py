"""``footfall camera CAMERA=back VIDEO_PATH=1``: adds a camera to a running suite."""

import logging
import os
import sys
from contextlib import closing

from bus import InvalidSetting, topics
from bus.states import OFFLINE
from capture.settings import Settings
from capture.source import Recording, SourceLost
from footfall.connection import SignInRefused, module_connection, module_environment, statuses
from footfall.own_settings import own_environment
from runtime.settings import load

DEMO_SOURCES = "demo.source"
"""The default of SOURCE_MODULES outside containers, where the demo is installed."""


def load_settings() -> Settings:
    """Returns the capture settings, with the demo's scenes as a kind of source. Raises `InvalidSetting`."""
    os.environ["SOURCE_MODULES"] = os.environ.get("SOURCE_MODULES") or DEMO_SOURCES
    return load(Settings)


def is_recording(settings: Settings) -> bool:
    """Returns whether the source has an end."""
    return isinstance(settings.create_source(), Recording)


def check_source(settings: Settings) -> None:
    """Checks that a file or folder contains a picture. A camera or stream can appear later. Raises `InvalidSetting`."""
    if not is_recording(settings):
        return
    allowed = "must be a video file or a folder of pictures"
    logger = logging.getLogger("capture")
    level = logger.level
    logger.setLevel(logging.ERROR)  # capture itself warns about skipped files
    try:
        with closing(settings.create_source().pictures()) as pictures:
            if all(picture is None for picture in pictures):
                raise InvalidSetting(f"VIDEO_PATH: {settings.video_path}: contains no picture; {allowed}")
    except SourceLost as error:
        raise InvalidSetting(f"VIDEO_PATH: {error}; {allowed}") from None
    finally:
        logger.setLevel(level)


def _check_name(settings: Settings) -> None:
    """Raises `InvalidSetting` if the suite was started without the camera, or if the camera already runs."""
    name = settings.camera
    try:
        with module_connection(settings.default_name) as connection:
            running = [one for one in statuses(connection.retained(topics.status())) if one.module == settings.default_name]
    except SignInRefused:
        raise InvalidSetting(
            f"CAMERA={name!r}: not in CAMERAS of the running suite; start the suite with it: make run CAMERAS=door,{name}"
            " (list all cameras)"
        ) from None
    if any(one.state != OFFLINE for one in running):
        raise InvalidSetting(f"CAMERA={name!r}: already running; choose another one of CAMERAS")


def main() -> None:
    """Replaces this process with the capture module. Raises `InvalidSetting`."""
    if not os.environ.get("CAMERA"):
        raise InvalidSetting("CAMERA is not set, for example: make camera CAMERA=back VIDEO_PATH=1")
    settings = load_settings()
    check_source(settings)
    _check_name(settings)
    os.execve(
        sys.executable, [sys.executable, "-m", "capture"], own_environment("capture", module_environment(settings.default_name))
    )
