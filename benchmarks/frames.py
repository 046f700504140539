"""Sends frames that were encoded beforehand, at a steady rate, until it is ended: python -m benchmarks.frames PORT FOLDER RATE"""

import itertools
import sys
import time
from pathlib import Path

import cv2

from bus import Bus, Frame
from bus.settings import BusSettings
from capture.prepare import Preparation, jpeg
from capture.source import Picture

WIDTH, HEIGHT = 640, 480


def encoded(folder: Path) -> list[bytes]:
    """The pictures of a folder as the JPEGs of 640x480 that a camera's frames would be."""
    preparation = Preparation(WIDTH, HEIGHT)
    read: list[Picture | None] = [cv2.imread(str(path)) for path in sorted(folder.glob("*.jpg"))]
    return [jpeg(preparation.of(picture), 80) for picture in read if picture is not None]


def main(port: int, folder: Path, rate: float) -> None:
    """Publishes with the time of sending as the time of capture."""
    pictures = itertools.cycle(encoded(folder))
    with Bus(BusSettings.model_validate({"MODULE_NAME": "bench-frames", "mqtt_port": port})) as bus:
        begin = time.monotonic()
        for sequence in itertools.count():
            time.sleep(max(0.0, begin + sequence / rate - time.monotonic()))
            bus.publish(Frame("bench", sequence, time.time(), WIDTH, HEIGHT, next(pictures)))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))
