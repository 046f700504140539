"""Small videos and pictures whose frames can be told apart."""

from pathlib import Path

import cv2
import numpy as np

from capture.source import Picture


def numbered(number: int, width: int = 64, height: int = 48) -> Picture:
    """A grey picture; the level tells the number (0..24) after compression too."""
    return np.full((height, width, 3), 5 + number * 10, np.uint8)


def number_of(picture: Picture) -> int:
    """The number in such a picture."""
    return round((float(picture.mean()) - 5) / 10)


def video(path: Path, frames: int = 10, rate: float = 20.0) -> Path:
    """A video of numbered pictures; Motion JPEG in AVI, which OpenCV writes and reads everywhere."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), rate, (64, 48))  # type: ignore[attr-defined]
    assert writer.isOpened()
    for number in range(frames):
        writer.write(numbered(number))
    writer.release()
    return path


def pictures(folder: Path, number: int = 3) -> Path:
    """A folder of numbered pictures."""
    folder.mkdir(exist_ok=True)
    for one in range(number):
        cv2.imwrite(str(folder / f"{one}.png"), numbered(one))
    return folder
