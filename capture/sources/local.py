"""A video file, a picture or a folder of pictures on this machine."""

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from capture.source import Picture, Pictures, Recording, SourceKind, SourceLost, SourceOptions, display_name
from capture.timing import Clock, paced, wait_until
from runtime.logs import LogThrottle

if TYPE_CHECKING:
    import cv2

log = logging.getLogger(__name__)

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
DEFAULT_RATE = 25.0
"""Frames a second of a file that does not say."""
SCHEME_PREFIX = re.compile(r"[a-z]+:")
"""How a path begins that may be the address of another kind of source, as demo:7."""
DEMO_MARKER = "A drawn scene"
"""How `about` begins in the JSON file beside a clip of the demo."""


class LocalFile(Recording):
    """What there is at a path; decided when it is opened, as it may come later."""

    def __init__(self, path: str, options: SourceOptions) -> None:
        """Raises `ValueError` for the home of an unknown user."""
        try:
            self._path = Path(path).expanduser()
        except RuntimeError as error:
            raise ValueError(str(error)) from None
        self._options = options
        self.interval = 1 / DEFAULT_RATE
        self._throttle = LogThrottle(seconds=3600)

    def is_drawn(self) -> bool:
        """Whether it is a clip of the demo: the JSON file of the same name says so."""
        try:
            truth = json.loads(self._path.with_suffix(".json").read_text("utf-8"))
        except (OSError, ValueError, RecursionError):  # no file, or no JSON
            return False
        return isinstance(truth, dict) and str(truth.get("about", "")).startswith(DEMO_MARKER)

    def pictures(self) -> Pictures:
        """The pictures of a folder in the order of their names, or of a video. Raises `SourceLost`."""
        try:
            is_still = self._path.is_dir() or (self._path.is_file() and self._path.suffix.lower() in PICTURE_SUFFIXES)
        except OSError as error:
            raise SourceLost(f"{display_name(str(self._path))}: {error.strerror}") from None
        yield from self._stills() if is_still else self._video()

    def _stills(self) -> Pictures:
        """Each picture that can be read, once, at the rate of the options."""
        from capture.prepare import decode  # noqa: PLC0415  # the driver

        self.interval = 1 / self._options.frame_rate
        try:
            files = [self._path] if self._path.is_file() else self._path.iterdir()
            paths = sorted(path for path in files if path.suffix.lower() in PICTURE_SUFFIXES)
        except OSError as error:
            raise SourceLost(f"{display_name(str(self._path))}: {error.strerror}") from None
        clock = self._options.clock
        due = clock.monotonic()
        for path in paths:
            try:
                picture = decode(path.read_bytes())
            except OSError:  # it has gone since it was listed
                picture = None
            if picture is None:
                if self._throttle(str(path)) is not None:
                    log.warning("%s: not a picture that OpenCV can read; skipped", path)
                yield None
                continue
            yield from wait_until(due, clock)
            due = max(due, clock.monotonic() - self.interval) + self.interval
            yield picture
        yield from wait_until(due, clock)  # the last one is shown as long as the others

    def _video(self) -> Pictures:
        """The video at its own rate."""
        from capture.opencv import cv2, open_capture  # noqa: PLC0415  # the driver

        name = display_name(str(self._path))
        try:
            with self._path.open("rb"):
                pass
        except (OSError, ValueError) as error:
            hint = "; SOURCE_MODULES has no kind of source for it either" if SCHEME_PREFIX.match(name) else ""
            raise SourceLost(f"{name}: {error.strerror if isinstance(error, OSError) else error}{hint}") from None
        absolute = str(self._path.absolute())  # in "12:30.mp4", FFmpeg takes what is before the colon for a protocol
        with open_capture(name, absolute, cv2.CAP_FFMPEG) as capture:
            rate = capture.get(cv2.CAP_PROP_FPS)
            self.interval = 1 / (rate if 0 < rate <= 240 else DEFAULT_RATE)
            yield from play(capture, self.interval, self._options.every_frame, self._options.clock)


def play(capture: "cv2.VideoCapture", interval: float, every_frame: bool, clock: Clock) -> Iterator[Picture | None]:
    """The frames of an open video when they are due; those that are skipped are not decoded."""
    for grabbed in paced(iter(capture.grab, False), interval, every_frame, clock):
        if grabbed is None:
            yield None
            continue
        ok, picture = capture.retrieve()
        if ok:
            yield picture


KIND = SourceKind("video file or folder of pictures", LocalFile)
