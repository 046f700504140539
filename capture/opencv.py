"""Cameras, video files and streams, read by OpenCV."""

import contextlib
from collections.abc import Callable, Iterator, Sequence

import cv2

from capture.decoded import DecodedPicture
from capture.picture import Picture
from capture.source import SourceLost

__all__ = ["cv2", "open_capture", "read_until_lost"]


@contextlib.contextmanager
def open_capture(
    name: str, device: int | str, backend: int, options: Sequence[int] = (), explain: Callable[[], str] = str
) -> Iterator[cv2.VideoCapture]:
    """Opens a camera, file or address. `explain` returns why it cannot be opened, or "". Raises `SourceLost`."""
    capture = cv2.VideoCapture(device, backend, list(options))
    try:
        if not capture.isOpened():
            reason = explain() or "OpenCV cannot open it; it must be a camera or a video that OpenCV supports"
            raise SourceLost(f"{name}: {reason}")
        yield capture
    except cv2.error as error:  # its text can contain the address
        raise SourceLost(f"{name}: OpenCV failed (code {error.code})") from None
    finally:
        capture.release()


def read_until_lost(name: str, capture: cv2.VideoCapture) -> Iterator[Picture]:
    """Yields pictures as they arrive. Raises `SourceLost` when no more arrive."""
    while True:
        ok, picture = capture.read()
        if not ok:
            raise SourceLost(f"{name}: it stopped sending pictures")
        yield DecodedPicture(picture)
