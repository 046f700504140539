"""``footfall camera CAMERA=back VIDEO_PATH=1``: adds a camera to a running suite."""

import logging
import os
import sys
from contextlib import closing

from bus import InvalidSetting, topics
from bus.states import OFFLINE
from capture.scenes import is_drawn
from capture.settings import Settings
from capture.source import SourceLost
from capture.sources import Local, source_of
from footfall.connection import SignInRefused, as_module, module_environment, statuses
from runtime.settings import load


def is_recording(settings: Settings) -> bool:
    """Whether the source is a file or a folder, which has an end."""
    return isinstance(source_of(settings.video_path, settings.frame_rate), Local)


def check_source(settings: Settings) -> None:
    """Check that a file or a folder gives a picture; a camera or a stream may come later. Raises `InvalidSetting`."""
    if not is_recording(settings):
        return
    needed = "a video file or a folder of pictures is needed"
    logger = logging.getLogger("capture")
    level = logger.level
    logger.setLevel(logging.ERROR)  # capture itself warns of the files that it skips
    try:
        with closing(source_of(settings.video_path, settings.frame_rate).pictures()) as pictures:
            if all(picture is None for picture in pictures):
                raise InvalidSetting(f"VIDEO_PATH: {settings.video_path}: there is no picture in it; {needed}")
    except SourceLost as error:
        raise InvalidSetting(f"VIDEO_PATH: {error}; {needed}") from None
    finally:
        logger.setLevel(level)


def _check_name(settings: Settings) -> None:
    """Raises `InvalidSetting` when the suite was started without that camera, or has it already."""
    try:
        with as_module(settings.own_name, "capture") as connection:
            running = [one for one in statuses(connection.retained(topics.status())) if one.module == settings.own_name]
    except SignInRefused:
        name = settings.camera
        raise InvalidSetting(
            f"CAMERA={name!r}: the running suite has no such camera; add it to CAMERAS, as in: make run CAMERAS=door,{name}"
        ) from None
    if any(one.state != OFFLINE for one in running):
        raise InvalidSetting(f"CAMERA={settings.camera!r}: it runs already; choose another one of CAMERAS")


def main() -> None:
    """Becomes the capture module."""
    if not os.environ.get("CAMERA"):
        raise InvalidSetting("CAMERA is not set, as in: make camera CAMERA=back VIDEO_PATH=1")
    settings = load(Settings)
    check_source(settings)
    _check_name(settings)
    program = "demo.capture" if is_drawn(settings.video_path) else "capture"
    os.execve(sys.executable, [sys.executable, "-m", program], os.environ | module_environment("capture"))
