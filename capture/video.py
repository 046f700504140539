"""Cameras, video files and network streams, by way of OpenCV."""

import contextlib
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import cv2

from capture.pace import in_time
from capture.source import Picture, Pictures, SourceLost, advice, shown

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
        self._name = shown(address)

    def pictures(self) -> Pictures:
        """Pictures as they arrive. Raises `SourceLost`, after ten seconds of silence too."""
        options = (cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, TIMEOUT_MS)
        with _opened(self._name, self._address, cv2.CAP_FFMPEG, options, lambda: _unreachable(self._address)) as capture:
            yield from _until_lost(self._name, capture)


class VideoFile:
    """A video file, played at its own rate."""

    def __init__(self, path: Path, complete: bool = False) -> None:
        self._path = path
        self._name = shown(str(path))
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
        except (OSError, ValueError) as error:
            raise SourceLost(f"{self._name}: {error.strerror if isinstance(error, OSError) else error}") from None
        absolute = str(self._path.absolute())  # in "12:30.mp4", FFmpeg takes what is before the colon for a protocol
        with _opened(self._name, absolute, cv2.CAP_FFMPEG) as capture:
            rate = capture.get(cv2.CAP_PROP_FPS)
            self.interval = 1 / (rate if 0 < rate <= 240 else USUAL_RATE)
            yield from _played(capture, self.interval, self._complete)


@contextlib.contextmanager
def _opened(
    name: str, what: int | str, backend: int, options: Sequence[int] = (), why_not: Callable[[], str] = lambda: ""
) -> Iterator[cv2.VideoCapture]:
    capture = cv2.VideoCapture(what, backend, list(options))
    try:
        if not capture.isOpened():
            reason = why_not() or "OpenCV cannot open it; it must be a camera or a video that OpenCV knows"
            raise SourceLost(f"{name}: {reason}")
        yield capture
    except cv2.error as error:  # whose text may hold the address
        raise SourceLost(f"{name}: OpenCV fails on it (code {error.code})") from None
    finally:
        capture.release()


def _unreachable(address: str) -> str:
    """Why a stream could not be opened, as far as that shows without FFmpeg, whose own words may hold the address."""
    if how := advice(address):
        return f"it cannot be opened{how}"
    try:
        parts = urlsplit(address)
        port = parts.port or {"http": 80, "https": 443, "rtsp": 554, "rtsps": 322}[parts.scheme]
        socket.create_connection((parts.hostname or "", port), TIMEOUT_MS / 1000).close()
    except (OSError, ValueError) as error:
        return (error.strerror if isinstance(error, OSError) else "") or f"no connection ({type(error).__name__})"
    return "it answers, but OpenCV cannot open it; path, user and password must be right, and it must be a video it knows"


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
