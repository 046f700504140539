"""The inputs that a parser does not stand, as files."""

import hashlib
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Finding:
    """An input that exceeds a limit or leads to an uncaught error."""

    kind: str
    """`error`, `slow`, `memory`, `hang` or `crash`."""
    detail: str
    path: str
    """The file with the input."""


def save(folder: Path, target: str, content: bytes) -> Path:
    """Writes an input into a file whose name has the target's, and returns its path."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{target}-{hashlib.sha1(content).hexdigest()[:12]}"
    path.write_bytes(content)
    return path


def target_of(path: Path) -> str:
    """Returns the name of the target in the name of a file."""
    return path.name.rpartition("-")[0]


class Findings:
    """The findings of one target, the smallest input of each kind of outcome."""

    def __init__(self, folder: Path, target: str) -> None:
        self._folder = folder
        self._target = target
        self._found: dict[Hashable, tuple[Finding, int]] = {}

    def add(self, kind: str, signature: Hashable, detail: str, content: bytes) -> None:
        """Saves an input, unless a smaller one did the same."""
        before = self._found.get((kind, signature))
        if before is not None and before[1] <= len(content):
            return
        if before is not None:
            Path(before[0].path).unlink(missing_ok=True)
        path = save(self._folder, self._target, content)
        self._found[kind, signature] = Finding(kind, detail, str(path)), len(content)

    def all(self) -> list[Finding]:
        """Returns the findings so far."""
        return [finding for finding, _ in self._found.values()]
