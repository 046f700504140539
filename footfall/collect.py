"""``footfall collect FOLDER``: saves pictures of a running suite's camera, to train a model with.

It is the only program of Footfall that stores pictures. It does so on the machine of the suite, only when somebody calls it, and
for a limited time and number. It signs in as the dashboard, which may read frames.
"""

import argparse
import os
import shlex
from pathlib import Path

from bus import InvalidSetting
from bus.states import CAMERA_LOST, ENDED, PAUSED
from classifier.settings import Settings
from footfall.cameras import known_camera
from footfall.collector import Collector
from footfall.connection import Connection, check_running, module_connection
from footfall.paths import argument_path
from footfall.picture_folder import PictureFolder
from runtime.settings import load

MAX_MINUTES, MAX_COUNT = 1440, 10_000
"""Upper bounds of --minutes and --count."""


def main(arguments: argparse.Namespace) -> None:
    """Collects pictures until a limit is reached, or Ctrl-C. Raises `FootfallError` if that is not possible."""
    settings = load(Settings)
    if not 0 < arguments.minutes <= MAX_MINUTES:
        raise InvalidSetting(f"--minutes {arguments.minutes:g}: must be more than 0 and at most {MAX_MINUTES}")
    if not 1 <= arguments.count <= MAX_COUNT:
        raise InvalidSetting(f"--count {arguments.count}: must be 1 to {MAX_COUNT}")
    camera = arguments.camera or os.environ.get("CAMERA") or "door"
    folder = PictureFolder(argument_path("FOLDER=", arguments.folder).absolute(), arguments.count, arguments.minutes * 60)
    with module_connection("dashboard") as connection:
        check_running(connection)
        _check_camera(connection, camera)
        folder.create()
        print(_notice(arguments, camera, folder.path), flush=True)
        try:
            Collector(folder, settings, arguments.crops, not arguments.unsorted).run(connection, camera, arguments.minutes * 60)
        except KeyboardInterrupt:
            pass
        finally:
            print(_summary(folder), flush=True)
            folder.remove_if_empty()


def _check_camera(connection: Connection, camera: str) -> None:
    """Raises `InvalidSetting` if the camera is unknown or sends no pictures."""
    known = known_camera(connection, camera)
    if not known.is_running or (known.capture and known.capture.state in (PAUSED, CAMERA_LOST, ENDED)):
        raise InvalidSetting(f"CAMERA={camera!r}: sends no pictures: {known.state}")


def _notice(arguments: argparse.Namespace, camera: str, path: Path) -> str:
    what = "each visitor that the detector finds, cut out" if arguments.crops else "whole frames"
    sorting = "not sorted" if arguments.unsorted else "sorted into folders by the present model's guess"
    return f"""This stores pictures from the camera {camera}, to train a model with.
  what       {what}: different ones, {sorting}
  where      {path}, which only you can read
  how long   {arguments.minutes:g} minutes at most (--minutes)
  how many   {arguments.count} pictures at most (--count)
Tell your visitors before you begin. A sign that says that no picture is kept is wrong meanwhile (docs/privacy.md).
Delete the pictures once the model is trained. Ctrl-C ends the collection."""


def _summary(folder: PictureFolder) -> str:
    if not folder.number:
        return "No picture was stored."
    labels = ", ".join(f"{label} {number}" for label, number in sorted(folder.counts.items()))
    return (
        f"Stored {folder.number} pictures, {folder.bytes / 1e6:.1f} MB, in {folder.path}: {labels}.\n"
        f"Delete them once the model is trained: rm -r {shlex.quote(str(folder.path))}"
    )
