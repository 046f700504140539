"""Small videos and pictures whose frames can be distinguished."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from capture.pictures.picture import Pixels


def numbered(number: int, width: int = 64, height: int = 48) -> Pixels:
    """Returns a grey picture. Its level encodes the number (0..24) and survives compression."""
    return np.full((height, width, 3), 5 + number * 10, np.uint8)


def number_of(picture: Pixels) -> int:
    """Returns the number of such a picture."""
    return round((float(picture.mean()) - 5) / 10)


def video(path: Path, frames: int = 10, rate: float = 20.0) -> Path:
    """Writes a video of numbered pictures: Motion JPEG in AVI, which every OpenCV can write and read."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), rate, (64, 48))  # type: ignore[attr-defined]
    assert writer.isOpened()
    for number in range(frames):
        writer.write(numbered(number))
    writer.release()
    return path


def pictures(folder: Path, number: int = 3) -> Path:
    """Writes numbered pictures into a folder."""
    folder.mkdir(exist_ok=True)
    for one in range(number):
        cv2.imwrite(str(folder / f"{one}.png"), numbered(one))
    return folder


def timed_video(
    path: Path, pictures: Iterable[tuple[float, Pixels]], codec: str = "mpeg4", pixel_format: str = "yuv420p", degrees: int = 0
) -> Path:
    """Writes a video of pictures (BGR), each with its time in seconds, at any rate, as phones record them.

    They are stored as they are; the file says that a player must turn them clockwise by `degrees`.
    """
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=30)
        stream.pix_fmt, stream.codec_context.time_base = pixel_format, Fraction(1, 1000)
        if degrees:
            stream.set_display_rotation(-degrees)
        for at, picture in pictures:
            if not stream.codec_context.is_open:
                stream.height, stream.width = picture.shape[:2]
            frame = av.VideoFrame.from_ndarray(picture, "bgr24")
            frame.pts, frame.time_base = round(at * 1000), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
