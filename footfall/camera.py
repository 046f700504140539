"""``footfall camera CAMERA=back VIDEO_PATH=1``: adds a camera to a running suite."""

import logging
import os
import sys
from contextlib import closing

from bus import InvalidSetting, topics
from bus.states import OFFLINE
from capture.settings import Settings
from capture.source import Recording, SourceLost
from footfall.connection import SignInRefused, as_module, module_environment, statuses
from runtime.settings import load

DEMO_SOURCES = "demo.source"
"""The SOURCE_MODULES of a laptop, where the demo is installed."""


def load_settings() -> Settings:
    """The camera's settings, among whose sources are the demo's scenes. Raises `InvalidSetting`."""
    os.environ["SOURCE_MODULES"] = os.environ.get("SOURCE_MODULES") or DEMO_SOURCES
    return load(Settings)


def is_recording(settings: Settings) -> bool:
    """Whether the source has an end."""
    return isinstance(settings.create_source(), Recording)


def check_source(settings: Settings) -> None:
    """Check that a file or a folder gives a picture; a camera or a stream may come later. Raises `InvalidSetting`."""
    if not is_recording(settings):
        return
    needed = "a video file or a folder of pictures is needed"
    logger = logging.getLogger("capture")
    level = logger.level
    logger.setLevel(logging.ERROR)  # capture itself warns of the files that it skips
    try:
        with closing(settings.create_source().pictures()) as pictures:
            if all(picture is None for picture in pictures):
                raise InvalidSetting(f"VIDEO_PATH: {settings.video_path}: there is no picture in it; {needed}")
    except SourceLost as error:
        raise InvalidSetting(f"VIDEO_PATH: {error}; {needed}") from None
    finally:
        logger.setLevel(level)


def _check_name(settings: Settings) -> None:
    """Raises `InvalidSetting` when the suite was started without that camera, or has it already."""
    name = settings.camera
    try:
        with as_module(settings.default_name, "capture") as connection:
            running = [one for one in statuses(connection.retained(topics.status())) if one.module == settings.default_name]
    except SignInRefused:
        raise InvalidSetting(
            f"CAMERA={name!r}: the running suite has no such camera; add it to CAMERAS, as in: make run CAMERAS=door,{name}"
        ) from None
    if any(one.state != OFFLINE for one in running):
        raise InvalidSetting(f"CAMERA={name!r}: it runs already; choose another one of CAMERAS")


def main() -> None:
    """Becomes the capture module."""
    if not os.environ.get("CAMERA"):
        raise InvalidSetting("CAMERA is not set, as in: make camera CAMERA=back VIDEO_PATH=1")
    settings = load_settings()
    check_source(settings)
    _check_name(settings)
    os.execve(sys.executable, [sys.executable, "-m", "capture"], os.environ | module_environment("capture"))
