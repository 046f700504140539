"""A video file, a picture or a folder of pictures on this machine."""

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path

from bus.images import UnusablePicture
from capture.pictures.picture import Picture
from capture.source import Pictures, Recording, SourceKind, SourceLost, SourceOptions, display_name
from capture.timing import Timeline, paced, wait_until
from runtime.logs import LogThrottle

log = logging.getLogger(__name__)

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
MAX_BYTES = 64 * 1024 * 1024
"""Size of a picture's file. An uncompressed one of 16 million px has 48 MB, or 64 MB with transparency."""
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
        try:
            return not self._has_stills()
        except OSError:  # the folder was on a disk that is gone; reading says so
            return False

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
        from capture.pictures.jpeg import open_still  # noqa: PLC0415  # the driver

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
                picture = open_still(_read(path), number * interval)
            except (OSError, UnusablePicture) as error:  # a file can be removed after the listing
                self._options.on_unusable()
                if self._throttle(str(path)) is not None:
                    reason = error.strerror if isinstance(error, OSError) else error
                    log.warning("%s: %s; skipping it", path, reason)
                yield None
                continue
            yield from wait_until(due, clock)
            due = max(due, clock.monotonic() - interval) + interval
            yield picture
            number += 1
        yield from wait_until(due, clock)  # show the last picture as long as the others

    def _video(self) -> Pictures:
        """Yields the pictures of the video when they are due by their timestamps."""
        from capture.drivers.video import open_video  # noqa: PLC0415  # the driver

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
        with open_video(name, absolute) as video:
            timed = Timeline(video.interval).timed(self._until_damage(video.pictures()))
            yield from paced(timed, video.interval, self._options.every_frame, self._options.clock)

    def _until_damage(self, pictures: Iterator[Picture]) -> Iterator[Picture]:
        """Yields the pictures of a video that ends where it is damaged. Raises `SourceLost` if there is none before."""
        picture = None
        try:
            for picture in pictures:
                yield picture
        except SourceLost as error:
            if picture is None:
                raise
            if self._throttle("") is not None:
                log.warning("%s; the rest of the video is skipped", error)


def _read(path: Path) -> bytes:
    """Returns the content of a picture's file. Raises `OSError`, and `UnusablePicture` if it is too large."""
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise UnusablePicture(f"a file of more than {MAX_BYTES} bytes")
    return data


KIND = SourceKind("video file or folder of pictures", LocalFile)
