"""OpenCV's reader of cameras, video files and streams."""

import contextlib
from collections.abc import Callable, Iterator, Sequence

import cv2

from capture.source import Picture, SourceLost

__all__ = ["cv2", "open_capture", "read_until_lost"]


@contextlib.contextmanager
def open_capture(
    name: str, device: int | str, backend: int, options: Sequence[int] = (), explain: Callable[[], str] = str
) -> Iterator[cv2.VideoCapture]:
    """Opens a camera, file or address; `explain` says why it could not be opened. Raises `SourceLost`."""
    capture = cv2.VideoCapture(device, backend, list(options))
    try:
        if not capture.isOpened():
            reason = explain() or "OpenCV cannot open it; it must be a camera or a video that OpenCV knows"
            raise SourceLost(f"{name}: {reason}")
        yield capture
    except cv2.error as error:  # its text may hold the address
        raise SourceLost(f"{name}: OpenCV fails on it (code {error.code})") from None
    finally:
        capture.release()


def read_until_lost(name: str, capture: cv2.VideoCapture) -> Iterator[Picture]:
    """Pictures as they come. Raises `SourceLost` when there are no more."""
    while True:
        ok, picture = capture.read()
        if not ok:
            raise SourceLost(f"{name}: it stopped giving pictures")
        yield picture
