"""The code of another commit, in a temporary folder."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.programs import ROOT


def commit_of(folder: Path, revision: str = "HEAD") -> str:
    """Returns the short name of a revision; with a `+` when files have changed since. Raises `ValueError` if there is none."""
    found = _git(folder, "rev-parse", "--short", "--verify", f"{revision}^{{commit}}")
    if found.returncode:
        raise ValueError(f"{revision}: {folder} has no such commit")
    is_changed = revision == "HEAD" and bool(_git(folder, "status", "--porcelain").stdout)
    return found.stdout.strip() + ("+" if is_changed else "")


@contextmanager
def checkout(revision: str) -> Iterator[Path]:
    """Yields a folder with the code of a commit and today's benchmarks, so that both are measured in the same way."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "base"
        _git(ROOT, "worktree", "add", "--detach", str(folder), revision).check_returncode()
        try:
            shutil.rmtree(folder / "benchmarks", ignore_errors=True)
            shutil.copytree(ROOT / "benchmarks", folder / "benchmarks")
            yield folder
        finally:
            _git(ROOT, "worktree", "remove", "--force", str(folder))


def _git(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
