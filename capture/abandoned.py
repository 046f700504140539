"""The readers that were left behind because their source hangs."""

from collections.abc import Callable

from capture.reader import Reader
from runtime import process
from runtime.heartbeat import EXIT_HUNG

HUNG = "the camera hangs in its driver again; exiting, so that the process is restarted"


class AbandonedReaders:
    """Readers whose threads run on after their exit, because a call into the source has not returned.

    While one thread runs on, the source can be opened again; while two do, it is not. If both hang, the process ends. Otherwise a
    broken driver would collect threads without bound.
    """

    def __init__(self, terminate: Callable[[int, str], object] = process.terminate) -> None:
        self._readers: list[Reader] = []
        self._terminate = terminate

    def add(self, reader: Reader) -> bool:
        """Adds a reader after its exit, and returns whether it hangs. If two hang, the process ends."""
        hangs = reader.hangs()
        self._readers.append(reader)
        self.allow_another()
        return hangs

    def allow_another(self) -> bool:
        """Returns whether the source can be opened again. If two readers hang, the process ends."""
        self._readers = [reader for reader in self._readers if reader.is_alive]
        if len(self._readers) > 1 and all(reader.hangs() for reader in self._readers):
            self._terminate(EXIT_HUNG, HUNG)
        return len(self._readers) < 2
