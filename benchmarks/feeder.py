"""Sends frames of the demo's clip from within a container of capture, as the camera front, at a steady rate.

docker exec -i CONTAINER python3 - RATE SECONDS < benchmarks/feeder.py
"""

import itertools
import os
import secrets
import sys
import time

import cv2

from bus import Bus, Frame
from bus.settings import BusSettings

CLIP = "demo/visitors.mp4"


def pictures() -> list[bytes]:
    """A second of it, as JPEGs."""
    clip = cv2.VideoCapture(CLIP)
    read = [picture for ok, picture in (clip.read() for _ in range(15)) if ok]
    return [cv2.imencode(".jpg", picture)[1].tobytes() for picture in read]


def main(rate: float, seconds: float) -> None:
    """Says at the end how many the broker was handed."""
    os.environ["MODULE_NAME"] = "capture-front"
    sent, begin = 0, time.monotonic()
    with Bus(BusSettings()) as bus:
        while not bus.connected and time.monotonic() < begin + 10:
            time.sleep(0.05)
        frames = itertools.cycle(pictures())
        session, begin = secrets.token_hex(4), time.monotonic()
        for sequence in range(int(rate * seconds)):
            time.sleep(max(0.0, begin + sequence / rate - time.monotonic()))
            sent += bus.publish(Frame("front", session, sequence, time.monotonic() - begin, time.time(), 640, 480, next(frames)))
    print(sent)


if __name__ == "__main__":
    main(float(sys.argv[1]), float(sys.argv[2]))
