"""The readers that were left behind because their source hangs."""

from collections.abc import Callable

from capture.reader import Reader
from runtime import process
from runtime.heartbeat import EXIT_HUNG

HUNG = "the camera still does not respond; exiting, so that the process is restarted"


class AbandonedReaders:
    """Readers whose threads run on after their exit, because a call into the source has not returned.

    While one thread runs on, the source can be opened again; while two do, it is not. If both hang, the process ends. Otherwise a
    broken driver would collect threads without bound.
    """

    def __init__(self, terminate: Callable[[int, str], object] = process.terminate) -> None:
        self._readers: list[Reader] = []
        self._terminate = terminate

    def allow_another(self) -> bool:
        """Returns whether the source can be opened again."""
        return sum(reader.is_alive for reader in self._readers) < 2

    def add(self, reader: Reader) -> None:
        """Adds a reader after its exit. If two hang, the process ends."""
        self._readers.append(reader)
        self.exit_if_two_hang()

    def exit_if_two_hang(self) -> None:
        """Ends the process if two readers hang."""
        self._readers = [reader for reader in self._readers if reader.is_alive]
        if len(self._readers) > 1 and all(reader.hangs() for reader in self._readers):
            self._terminate(EXIT_HUNG, HUNG)
