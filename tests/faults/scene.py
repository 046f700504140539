"""A camera in front of a drawn scene that goes on whether somebody looks or not, with its true visitors."""

import itertools
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import ClassVar, NamedTuple

import cv2

from capture.pictures.prepare import encode_jpeg
from demo.about import CLIP
from demo.visitors import FRAME_RATE
from tests.support.link import Link, open_link
from tests.support.web import QuietHandler, serve

FIRST = 60
"""The frame of the clip that is shown first; the first visitor comes 1.5 s later."""


class TrueVisit(NamedTuple):
    """A visitor in front of the camera, in Unix time."""

    label: str
    begin: float
    end: float


class Scene:
    """The demo's clip, played since `begin` (Unix time) and repeated. `link` is the line to its camera, a Motion JPEG stream."""

    def __init__(self, link: Link, begin: float) -> None:
        self.link = link
        self.begin = begin
        document = json.loads(CLIP.with_suffix(".json").read_text())
        self._length = document["frames"]
        self._visitors = document["visitors"]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.link.port}/video.mjpeg"

    def visits(self, end: float) -> Iterator[TrueVisit]:
        """Yields those who have come by a time."""
        for turn in itertools.count():
            for one in self._visitors:
                first, last = (one[name] + turn * self._length - FIRST for name in ("first", "last"))
                if self.begin + first / FRAME_RATE > end:
                    return
                if first >= 0:
                    yield TrueVisit(one["label"], self.begin + first / FRAME_RATE, self.begin + last / FRAME_RATE)

    def is_empty(self, at: float, margin: float) -> bool:
        """Returns whether nobody is there at a time, nor `margin` seconds before and after it."""
        return all(one.end + margin < at or at < one.begin - margin for one in self.visits(at + margin))


class _Camera(QuietHandler, BaseHTTPRequestHandler):
    pictures: ClassVar[list[bytes]]
    begin: ClassVar[float]

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace;boundary=frame")
        self.end_headers()
        number = self._number()
        while True:
            time.sleep(max(0.0, self.begin + number / FRAME_RATE - time.time()))
            picture = self.pictures[(FIRST + number) % len(self.pictures)]
            self.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + picture + b"\r\n")
            number = max(number + 1, self._number())

    def _number(self) -> int:
        return int((time.time() - self.begin) * FRAME_RATE)


@contextmanager
def open_scene() -> Iterator[Scene]:
    """Runs the camera while entered."""
    pictures, video = [], cv2.VideoCapture(str(CLIP))
    while (read := video.read())[0]:
        pictures.append(encode_jpeg(read[1], 80))
    video.release()
    begin = time.time()
    handler = type("Camera", (_Camera,), {"pictures": pictures, "begin": begin})
    with serve(handler) as server, open_link(server.server_port) as link:
        yield Scene(link, begin)
