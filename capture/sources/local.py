"""A video file, a picture or a folder of pictures on this machine."""

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from capture.picture import Pixels
from capture.source import Pictures, Recording, SourceKind, SourceLost, SourceOptions, display_name
from capture.timing import Clock, paced, wait_until
from runtime.logs import LogThrottle

if TYPE_CHECKING:
    import cv2

log = logging.getLogger(__name__)

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
DEFAULT_RATE = 25.0
"""Frames a second, for a file that does not declare its rate."""
MIN_RATE, MAX_RATE = 0.001, 240
"""Rates that a file can declare; others are taken for damage. So are longer steps from one timestamp to the next."""
SCHEME_PREFIX = re.compile(r"[a-z]+:")
"""The beginning of a path that can be meant for another kind of source, such as demo:7."""
DRAWN_MARK = "A drawn scene"
"""The beginning of `about` in the JSON file beside a clip of the demo."""


class LocalFile(Recording):
    """A video, a picture or a folder. Opening decides which, because the path can appear later."""

    def __init__(self, path: str, options: SourceOptions) -> None:
        """Raises `ValueError` if the path begins with the home directory of an unknown user."""
        try:
            self._path = Path(path).expanduser()
        except RuntimeError as error:
            raise ValueError(str(error)) from None
        self._options = options
        self._throttle = LogThrottle(seconds=3600)

    def is_drawn(self) -> bool:
        """Returns whether this is a clip of the demo, according to the JSON file of the same name."""
        try:
            truth = json.loads(self._path.with_suffix(".json").read_text("utf-8"))
        except (OSError, ValueError, RecursionError):  # no file, or not JSON
            return False
        return isinstance(truth, dict) and str(truth.get("about", "")).startswith(DRAWN_MARK)

    def is_continuous(self) -> bool:
        """Returns whether this is a video: in a folder, each picture is wanted."""
        return not self._has_stills()

    def _has_stills(self) -> bool:
        return self._path.is_dir() or (self._path.is_file() and self._path.suffix.lower() in PICTURE_SUFFIXES)

    def pictures(self) -> Pictures:
        """Yields the pictures of a video, or of a folder in the order of their names. Raises `SourceLost`."""
        try:
            is_still = self._has_stills()
        except OSError as error:
            raise SourceLost(f"{display_name(str(self._path))}: {error.strerror}") from None
        yield from self._stills() if is_still else self._video()

    def _stills(self) -> Pictures:
        """Yields each readable picture once, at the rate of the options."""
        from capture.decoded import DecodedPicture  # noqa: PLC0415  # the driver
        from capture.prepare import decode  # noqa: PLC0415

        interval, number = 1 / self._options.frame_rate, 0
        try:
            files = [self._path] if self._path.is_file() else self._path.iterdir()
            paths = sorted(path for path in files if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file())
        except OSError as error:
            raise SourceLost(f"{display_name(str(self._path))}: {error.strerror}") from None
        clock = self._options.clock
        due = clock.monotonic()
        for path in paths:
            try:
                pixels = decode(path.read_bytes())
            except OSError:  # it was removed after the listing
                pixels = None
            if pixels is None:
                if self._throttle(str(path)) is not None:
                    log.warning("%s: OpenCV cannot decode this picture; skipping it", path)
                yield None
                continue
            yield from wait_until(due, clock)
            due = max(due, clock.monotonic() - interval) + interval
            yield DecodedPicture(pixels, number * interval)
            number += 1
        yield from wait_until(due, clock)  # show the last picture as long as the others

    def _video(self) -> Pictures:
        """Yields the pictures of the video at its own rate."""
        from capture.decoded import DecodedPicture  # noqa: PLC0415  # the driver
        from capture.opencv import cv2, open_capture  # noqa: PLC0415

        name = display_name(str(self._path))
        if self._path.exists() and not self._path.is_file():  # opening a pipe waits for its writer, perhaps for ever
            raise SourceLost(f"{name}: not a file")
        try:
            with self._path.open("rb"):
                pass
        except (OSError, ValueError) as error:
            hint = "; no module of SOURCE_MODULES accepts it either" if SCHEME_PREFIX.match(name) else ""
            raise SourceLost(f"{name}: {error.strerror if isinstance(error, OSError) else error}{hint}") from None
        absolute = str(self._path.absolute())  # FFmpeg would take the "12" of "12:30.mp4" for a protocol
        with open_capture(name, absolute, cv2.CAP_FFMPEG) as capture:
            rate = capture.get(cv2.CAP_PROP_FPS)
            interval = 1 / (rate if MIN_RATE <= rate <= MAX_RATE else DEFAULT_RATE)
            last: float | None = None
            for pixels in play(capture, interval, self._options.every_frame, self._options.clock):
                if pixels is None:
                    yield None
                    continue
                timestamp = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
                if last is not None and not last < timestamp <= last + 1 / MIN_RATE:
                    timestamp = last + interval
                last = timestamp
                yield DecodedPicture(pixels, timestamp)


def play(capture: "cv2.VideoCapture", interval: float, every_frame: bool, clock: Clock) -> Iterator[Pixels | None]:
    """Yields the pictures of an open video when they are due. Skipped pictures are not decoded."""
    for grabbed in paced(iter(capture.grab, False), interval, every_frame, clock):
        if grabbed is None:
            yield None
            continue
        ok, picture = capture.retrieve()
        if ok:
            yield picture


KIND = SourceKind("video file or folder of pictures", LocalFile)
