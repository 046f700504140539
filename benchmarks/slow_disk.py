"""A file or folder on a slow disk: slow:SECONDS,EVERY,PATH waits some seconds before each picture, or before one of EVERY."""

import time

from capture.source import Pictures, Recording, SourceKind, SourceOptions
from capture.sources.local import LocalFile


class SlowDisk(Recording):
    """A recording whose reading takes longer than its decoding."""

    def __init__(self, address: str, options: SourceOptions) -> None:
        seconds, every, path = address.removeprefix("slow:").split(",", 2)
        self._seconds, self._every = float(seconds), int(every)
        self._file = LocalFile(path, options)

    def pictures(self) -> Pictures:
        """Yields the pictures of the file or folder."""
        pictures, number = self._file.pictures(), 0
        while True:
            if number % self._every == self._every - 1:
                time.sleep(self._seconds)
            try:
                yield next(pictures)
            except StopIteration:
                return
            number += 1


KIND = SourceKind("file on a slow disk", SlowDisk, pattern="slow:")
