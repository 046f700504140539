"""Reads a camera in a process of its own, because a driver or GStreamer's plugins are loaded into it.

python -m tests.support.camera_program PATH SETTINGS reads six pictures; with "reopen" behind it opens the camera ten times.
"""

import itertools
import json
import subprocess
import sys
import time
from contextlib import closing
from typing import Any

import psutil

from capture.drivers import device, program
from capture.pictures.decoded import decode
from capture.settings import Settings
from capture.source import Source, SourceLost
from tests.support.broker import ROOT
from tests.support.videos import number_of
from tests.support.wait import limit

TIMEOUT = limit(1)
"""Seconds until a silent camera is lost."""


def read(path: object, environment: dict[str, str], **settings: object) -> tuple[list[list[Any]], str]:
    """Returns size, number, whether it is a JPEG, and age of six pictures of a camera; and why it ended earlier.

    Their pixels are asked for when the camera is closed.
    """
    shown, reason = _run(path, environment, settings)
    return shown, reason


def reopen(path: object, environment: dict[str, str]) -> tuple[list[int], list[int]]:
    """Opens a camera ten times. Returns the numbers of descriptors, threads and children after two times and at the end."""
    first, last = _run(path, environment, {}, "reopen")
    return first, last


def _run(path: object, environment: dict[str, str], settings: dict[str, object], *words: str) -> Any:
    command = [sys.executable, "-m", "tests.support.camera_program", str(path), json.dumps(settings), *words]
    environment = {"PATH": "/usr/bin:/bin"} | environment
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=limit(60), check=False)
    assert (done.returncode, done.stderr) == (0, b""), done.stderr.decode()
    return json.loads(done.stdout)


def _read(source: Source) -> tuple[list[Any], str]:
    pictures, reason = [], ""
    try:
        with closing(source.pictures()) as given:
            for picture in itertools.islice(filter(None, given), 6):
                pictures.append((picture, picture.timestamp and time.monotonic() - picture.timestamp))
    except SourceLost as error:
        reason = str(error)
    shown = []
    for picture, age in pictures:
        pixels = decode(picture.jpeg) if picture.jpeg else picture.pixels()
        shown.append((picture.size, number_of(pixels), bool(picture.jpeg), age))
    return shown, reason


def _reopen(source: Source) -> tuple[Any, Any]:
    process, counts = psutil.Process(), []
    for _ in range(10):
        with closing(source.pictures()) as pictures:
            assert len(list(itertools.islice(filter(None, pictures), 2))) == 2
        counts.append((process.num_fds(), process.num_threads(), len(process.children())))
    return counts[1], counts[-1]


def main(path: str, settings: str, *words: str) -> None:
    for driver in (device, program):
        vars(driver)["TIMEOUT"] = TIMEOUT
    source = Settings(video_path=path, **json.loads(settings)).create_source()
    print(json.dumps(_reopen(source) if words else _read(source)))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
