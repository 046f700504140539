"""Notices that the files of MODEL have changed, and loads the new model once they are complete."""

import logging
from collections.abc import Callable
from pathlib import Path

from classifier import TrialInterrupted
from classifier.export import Export, read_export
from classifier.export_zip import export_files
from classifier.interpreter import Classifier
from runtime.errors import FootfallError

log = logging.getLogger(__name__)

Stamp = tuple[tuple[str, int, int, int], ...]
"""Name, time of change in ns, size and inode of each file."""


def take_stamp(path: Path) -> Stamp:
    """Distinguishes one state of a folder or zip from another; empty when nothing is there."""
    files = [path / name for name in sorted(export_files())] if path.is_dir() else [path]
    found = []
    for file in files:
        try:
            state = file.stat()
        except OSError:
            continue
        found.append((file.name, state.st_mtime_ns, state.st_size, state.st_ino))
    return tuple(found)


class ModelWatch:
    """Compares the files with those of the last look; a change counts when two looks in a row find the same.

    `load` makes a classifier of an export, or raises `FootfallError`; `changed` gets both; `refuse` gets the problem with the
    files, or an empty text when there is none any more.
    """

    def __init__(
        self,
        path: Path,
        known: tuple[str, Stamp],
        load: Callable[[Export], Classifier],
        changed: Callable[[Export, Classifier], object],
        refuse: Callable[[str], object],
    ) -> None:
        """`known` are the fingerprint of the export that is known already, and the stamp of its files if they need no look."""
        self._path = path
        self._fingerprint, self._judged = known
        self._last: Stamp = ()
        self._load = load
        self._changed = changed
        self._refuse = refuse

    def look(self) -> None:
        """One look at the files; loads the model if they have changed."""
        stamp = take_stamp(self._path)
        is_settled, self._last = stamp == self._last, stamp
        if not is_settled or not stamp or stamp == self._judged:
            return
        problem, export, classifier = "", None, None
        try:
            export = read_export(self._path)
            if export.fingerprint != self._fingerprint:
                classifier = self._load(export)
        except TrialInterrupted as error:
            log.info("%s; trying again", error)
            return
        except FootfallError as error:
            problem = str(error)
        if take_stamp(self._path) != stamp:
            return  # it changed meanwhile: what was read may be of two states
        self._judged = stamp
        if export is not None and classifier is not None:
            self._fingerprint = export.fingerprint
            self._changed(export, classifier)
        self._refuse(problem)
