"""The files of a model, watched for changes."""

import time
from pathlib import Path

from classifier.files import FileStats, stat_files
from runtime.backoff import Backoff


class FileWatch:
    """Says when a model's files must be read: once they have changed, and at growing intervals while they cannot be read."""

    def __init__(self, path: Path, retry: tuple[float, float]) -> None:
        """`retry` is the first and the longest interval in seconds."""
        self._path = path
        self._backoff = Backoff(*retry)
        self._again_at = 0.0
        self._last: FileStats = ()
        self._known: FileStats = ()

    def stat(self) -> FileStats:
        """Returns the metadata of the files as they are now; empty if there are none."""
        return stat_files(self._path)

    def changed(self) -> FileStats:
        """Returns the metadata of files that must be read now; empty if there are none.

        A change counts once two successive calls find the same files.
        """
        stats = self.stat()
        is_settled, self._last = stats == self._last, stats
        if not is_settled:
            self._backoff.reset()
            self._again_at = 0.0
        return stats if is_settled and stats != self._known and time.monotonic() >= self._again_at else ()

    def accept(self, stats: FileStats) -> bool:
        """Notes that files with this metadata were read. Returns False if they have changed meanwhile: they may not match."""
        if self.stat() != stats:
            return False
        self._known = stats
        return True

    def forget(self) -> None:
        """Lets the files be read again."""
        self._known = ()

    def postpone(self) -> float:
        """Returns the seconds until files that could not be read are read again."""
        wait = self._backoff.next()
        self._again_at = time.monotonic() + wait
        return wait
