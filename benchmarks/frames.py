"""Publishes prepared frames of several cameras in turn, at a steady rate, until the process is stopped.

python -m benchmarks.frames PORT FOLDER RATE CAMERAS WIDTH HEIGHT
"""

import itertools
import secrets
import sys
import time
from pathlib import Path

import cv2

from bus import Bus, Frame
from bus.settings import BusSettings
from capture.drivers.video import open_video
from capture.pictures.picture import Pixels
from capture.pictures.prepare import Preparation, encode_jpeg
from demo.about import CLIP

WIDTH, HEIGHT = 640, 480


def read_jpegs(folder: Path, width: int = WIDTH, height: int = HEIGHT) -> list[bytes]:
    """Returns the pictures of a folder as JPEGs, resized and encoded like a camera's frames."""
    preparation = Preparation(width, height)
    pictures: list[Pixels | None] = [cv2.imread(str(path)) for path in sorted(folder.glob("*.jpg"))]
    return [encode_jpeg(preparation.apply(picture), 80) for picture in pictures if picture is not None]


def write_stills(folder: Path, number: int = 200) -> Path:
    """Writes the first pictures of the demo's clip into a new folder, which it returns."""
    folder.mkdir()
    with open_video(CLIP.name, str(CLIP)) as clip:
        for index, picture in enumerate(itertools.islice(clip.pictures(), number)):
            cv2.imwrite(str(folder / f"{index:03}.jpg"), picture.pixels())
    return folder


def main(port: int, folder: Path, rate: float, cameras: int, width: int, height: int) -> None:
    """Publishes frames without end, captured when they are sent; `rate` is the frames a second of all cameras together."""
    pictures = itertools.cycle(read_jpegs(folder, width, height))
    with Bus(BusSettings.model_validate({"MODULE_NAME": "bench-frames", "mqtt_port": port})) as bus:
        session, begin = secrets.token_hex(4), time.monotonic()
        for sequence in itertools.count():
            time.sleep(max(0.0, begin + sequence / rate - time.monotonic()))
            camera = f"bench{sequence % cameras}"
            number, seconds = sequence // cameras, time.monotonic() - begin
            bus.publish(Frame(camera, session, number, seconds, time.time(), width, height, next(pictures)))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), *map(int, sys.argv[4:]))
