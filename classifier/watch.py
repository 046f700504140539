"""Notices that the model has been changed, and has the new one served once it is whole and has been tried."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from typing_extensions import Self

from bus import FootfallError
from classifier import TrialInterrupted
from classifier.export import Export, read_export
from classifier.export_zip import FILES
from classifier.interpreter import Classifier

log = logging.getLogger(__name__)

INTERVAL = 1.0
"""Seconds between two looks; a change counts once it looks the same twice, so that a file is not read while it is written."""
Stamp = tuple[tuple[str, int, int, int], ...]
"""Name, time of change in ns, size and inode of each file."""


def stamp_of(path: Path) -> Stamp:
    """What tells one state of a folder or zip from another; empty when nothing is there."""
    files = [path / name for name in FILES] if path.is_dir() else [path]
    found = []
    for file in files:
        try:
            state = file.stat()
        except OSError:
            continue
        found.append((file.name, state.st_mtime_ns, state.st_size, state.st_ino))
    return tuple(found)


class ModelWatch:
    """Looks at a model's folder or zip in a thread of its own; `seen` is its stamp from before `served` was read.

    `load` makes a classifier of an export, or raises what it has against it; `take_over` gets the classifier, and `refuse` hears
    what was wrong, or an empty text when what is served is there again.
    """

    def __init__(
        self,
        path: Path,
        seen: Stamp,
        served: Export,
        load: Callable[[Export], Classifier],
        take_over: Callable[[Classifier], object],
        refuse: Callable[[str], object],
    ) -> None:
        self._path = path
        self._judged = self._last = seen
        self._served = _essence(served)
        self._load = load
        self._take_over = take_over
        self._refuse = refuse
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join(timeout=2)

    def _watch(self) -> None:
        while not self._stop.wait(INTERVAL):
            try:
                self.look()
            except Exception as error:
                log.debug("the model could not be looked at", exc_info=True)
                self._refuse(f"{type(error).__name__}: {error}"[:300])

    def look(self) -> None:
        """One look."""
        stamp = stamp_of(self._path)
        is_settled, self._last = stamp == self._last, stamp
        if not is_settled or not stamp or stamp == self._judged:
            return
        wrong, classifier, essence = "", None, self._served
        try:
            export = read_export(self._path)
            essence = _essence(export)
            if essence != self._served:
                classifier = self._load(export)
        except TrialInterrupted as error:
            log.info("%s; trying again", error)
            return
        except FootfallError as error:
            wrong = str(error)
        if stamp_of(self._path) != stamp:
            return  # it changed meanwhile: what was read may be of two states
        self._judged = stamp
        if classifier is not None:
            self._served = essence
            self._take_over(classifier)
        self._refuse(wrong)


def _essence(export: Export) -> tuple[object, ...]:
    """What makes an export the same as another, without the bytes of the model."""
    return export.identity, export.labels, export.description
