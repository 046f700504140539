"""A camera in front of a drawn scene that goes on whether somebody looks or not, with its true visitors."""

import itertools
import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import ClassVar, NamedTuple

import cv2

from bus import Visit
from capture.pictures.prepare import encode_jpeg
from demo.about import CLIP
from demo.visitors import FRAME_RATE
from tests.support.link import Link, open_link
from tests.support.wait import until
from tests.support.web import QuietHandler, serve

ENOUGH = 1.5
"""Seconds without an interruption in which a visitor must be seen to be counted."""
FIRST, LAST = 345, 412
"""The frames of the clip that are repeated: nobody for 1.9 s, somebody for 3.9 s, nobody for 0.8 s."""


class TrueVisit(NamedTuple):
    """A visitor in front of the camera, in Unix time."""

    begin: float
    end: float


class Scene:
    """A part of the demo's clip, repeated since `begin` (Unix time). `link` is the line to its camera, a Motion JPEG stream."""

    def __init__(self, link: Link, begin: float) -> None:
        self.link = link
        self.begin = begin
        self._empty_at = begin
        visitors = json.loads(CLIP.with_suffix(".json").read_text())["visitors"]
        (self._visitor,) = (one for one in visitors if FIRST < one["first"] < LAST)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.link.port}/video.mjpeg"

    def visits(self, end: float) -> Iterator[TrueVisit]:
        """Yields those who have come by a time."""
        for turn in itertools.count():
            first, last = (self._visitor[name] - FIRST + turn * (LAST - FIRST) for name in ("first", "last"))
            if self.begin + first / FRAME_RATE > end:
                return
            yield TrueVisit(self.begin + first / FRAME_RATE, self.begin + last / FRAME_RATE)

    def wait_for_visitor(self, seconds: float = 3.0) -> None:
        """Waits until somebody has been there for half a second who stays for at least `seconds`."""

        def is_there() -> bool:
            now = time.time()
            return any(one.begin + 0.5 <= now <= one.end - seconds for one in self.visits(now))

        until(is_there, 30, "a visitor in front of the camera")

    def problems(self, found: Iterable[Visit], first: float, blind: tuple[float, float]) -> Iterator[str]:
        """Yields which visitors were not counted once until `wait_until_empty`, if they were seen for `ENOUGH` seconds.

        Nothing was seen before `first`, nor between the times `blind`.
        """
        left = [visit for visit in found if visit.started_at < self._empty_at]
        for one in self.visits(self._empty_at):
            parts = [visit for visit in left if visit.started_at <= one.end + 0.3 and one.begin - 0.3 <= visit.ended_at]
            left = [visit for visit in left if visit not in parts]
            seen = min(one.end, blind[0]) - max(one.begin, first), one.end - max(one.begin, blind[1], first)
            if len(parts) > 1 or (not parts and max(seen) > ENOUGH):
                yield f"a visitor in front of the camera was counted {len(parts)} times"
        if left:
            yield f"{len(left)} visits without a visitor in front of the camera"

    def wait_until_empty(self) -> None:
        """Waits until somebody's visit has ended, and nobody is there."""
        until(lambda: all(one.end + 1.5 < time.time() for one in self.visits(time.time())), 20, "a moment without a visitor")
        self._empty_at = time.time()


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
            picture = self.pictures[number % len(self.pictures)]
            self.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + picture + b"\r\n")
            number = max(number + 1, self._number())

    def _number(self) -> int:
        return int((time.time() - self.begin) * FRAME_RATE)


@contextmanager
def open_scene() -> Iterator[Scene]:
    """Runs the camera while entered."""
    pictures, video = [], cv2.VideoCapture(str(CLIP))
    for number in range(LAST):
        _, picture = video.read()
        if number >= FIRST:
            pictures.append(encode_jpeg(picture, 80))
    video.release()
    begin = time.time()
    handler = type("Camera", (_Camera,), {"pictures": pictures, "begin": begin})
    with serve(handler) as server, open_link(server.server_port) as link:
        yield Scene(link, begin)
