"""A folder of pictures, shown one after the other, or a single picture."""

import logging
import time
from pathlib import Path

from capture.pace import rest
from capture.prepare import decoded
from capture.source import Picture, Pictures, SourceLost, shown
from runtime.logs import LogThrottle

log = logging.getLogger(__name__)

KINDS = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})


class Folder:
    """The pictures of a folder in the order of their names, `rate` a second; or one picture, of a file."""

    def __init__(self, path: Path, rate: float) -> None:
        self._path = path
        self.interval = 1 / rate
        """Seconds between two pictures."""
        self._throttle = LogThrottle(seconds=3600)

    def pictures(self) -> Pictures:
        """Each picture that can be read, once. Raises `SourceLost` when the folder is gone."""
        try:
            files = [self._path] if self._path.is_file() else self._path.iterdir()
            paths = sorted(path for path in files if path.suffix.lower() in KINDS)
        except OSError as error:
            raise SourceLost(f"{shown(str(self._path))}: {error.strerror}") from None
        due = time.monotonic()
        for path in paths:
            if (picture := _read(path)) is None:
                if self._throttle(str(path)) is not None:
                    log.warning("%s: not a picture that OpenCV can read; passed over", path)
                yield None
                continue
            yield from rest(due)
            due = max(due, time.monotonic() - self.interval) + self.interval
            yield picture
        yield from rest(due)  # the last one is shown as long as the others


def _read(path: Path) -> Picture | None:
    """None when the file is no picture, or gone since it was listed."""
    try:
        return decoded(path.read_bytes())
    except OSError:
        return None
