"""Cameras, video files and network streams, by way of OpenCV."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2

from bus.logs import without_credentials
from capture.pace import in_time
from capture.source import Picture, Pictures, SourceLost

TIMEOUT_MS = 10_000
"""How long a network stream may take to open, or to give its next picture."""
USUAL_RATE = 25.0
"""Frames a second of a file that does not say."""


class Camera:
    """A camera on this machine: its number or its device file."""

    def __init__(self, device: int | str) -> None:
        self._device = device
        self._name = f"camera {device}"

    def pictures(self) -> Pictures:
        """Pictures as the camera takes them. Raises `SourceLost`."""
        path = Path(f"/dev/video{self._device}" if isinstance(self._device, int) else self._device)
        if not path.exists():
            raise SourceLost(f"{self._name}: there is no {path}; is it plugged in?")
        if not os.access(path, os.R_OK | os.W_OK):
            raise SourceLost(f"{self._name}: no permission for {path}; the user must be in the group video")
        with _opened(self._name, self._device, cv2.CAP_V4L2) as capture:
            capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
            yield from _until_lost(self._name, capture)


class Stream:
    """A camera or a file at an http, https, rtsp or rtsps address."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._name = without_credentials(address)

    def pictures(self) -> Pictures:
        """Pictures as they arrive. Raises `SourceLost`, after ten seconds of silence too."""
        options = (cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, TIMEOUT_MS)
        with _opened(self._name, self._address, cv2.CAP_FFMPEG, options) as capture:
            yield from _until_lost(self._name, capture)


class VideoFile:
    """A video file, played at its own rate."""

    def __init__(self, path: Path, complete: bool = False) -> None:
        self._path = path
        self._complete = complete
        self.interval = 1 / USUAL_RATE
        """Seconds between two pictures, once it is open."""

    def pictures(self) -> Pictures:
        """Pictures until the file's end; some are passed over where the machine is slower than the file, unless it is to be
        `complete`. Raises `SourceLost`.
        """
        try:
            with self._path.open("rb"):
                pass
        except OSError as error:
            raise SourceLost(f"{self._path}: {error.strerror}") from None
        with _opened(str(self._path), str(self._path), cv2.CAP_FFMPEG) as capture:
            rate = capture.get(cv2.CAP_PROP_FPS)
            self.interval = 1 / (rate if 0 < rate <= 240 else USUAL_RATE)
            yield from _played(capture, self.interval, self._complete)


@contextlib.contextmanager
def _opened(name: str, what: int | str, backend: int, options: Sequence[int] = ()) -> Iterator[cv2.VideoCapture]:
    capture = cv2.VideoCapture(what, backend, list(options))
    try:
        if not capture.isOpened():
            raise SourceLost(f"{name}: OpenCV cannot open it; it must be a camera or a video that OpenCV knows")
        yield capture
    finally:
        capture.release()


def _until_lost(name: str, capture: cv2.VideoCapture) -> Iterator[Picture]:
    while True:
        ok, picture = capture.read()
        if not ok:
            raise SourceLost(f"{name}: it stopped giving pictures")
        yield picture


def _played(capture: cv2.VideoCapture, interval: float, complete: bool = False) -> Iterator[Picture | None]:
    for grabbed in in_time(iter(capture.grab, False), interval, complete):
        if grabbed is None:
            yield None
            continue
        ok, picture = capture.retrieve()
        if ok:
            yield picture
