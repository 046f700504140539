"""``footfall reset`` removes what was counted, after a question; ``make clean`` does not."""

import io
import os
import subprocess
from pathlib import Path

import pytest

from footfall.state import RunState, lock
from tests.footfall.commands import call
from tests.support.broker import ROOT

LEDGERS = {"bridge-1883/ledger.db", "demo/bridge-1883/ledger.db"}
OTHERS = {"notes.txt", "demo/notes.txt"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A STATE_DIR after a run and the demo, in which there is something else as well."""
    for is_demo in (False, True):
        state = RunState(tmp_path, 1883, is_demo)
        state.create()
        state.ledger.mkdir()
        (state.ledger / "ledger.db").write_text("visits")
    (tmp_path / "notes.txt").write_text("not of a run")
    (tmp_path / "demo" / "notes.txt").write_text("not of a run")
    return tmp_path


def left(root: Path) -> set[str]:
    """The files that are still there, besides the lock."""
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and path.name != "lock"}


def test_it_removes_what_runs_have_made(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With YES=1 it does not ask; files that no run has made stay, and a second time there is nothing to remove."""
    assert call("reset", f"STATE_DIR={root}", "YES=1") == 0
    assert str(root / "bridge-1883") in capsys.readouterr().out
    assert left(root) == OTHERS
    assert call("reset", f"STATE_DIR={root}") == 0
    assert f"Nothing is kept in {root}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "has_terminal", "code"), [("y\n", True, 0), ("n\n", True, 1), ("\n", True, 1), ("", True, 1), ("y\n", False, 2)]
)
def test_it_asks(root: Path, answer: str, has_terminal: bool, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a clear yes removes anything, and only in a terminal."""
    typed = io.StringIO(answer)
    monkeypatch.setattr(typed, "isatty", lambda: has_terminal)
    monkeypatch.setattr("sys.stdin", typed)
    assert call("reset", f"STATE_DIR={root}") == code
    assert left(root) == (OTHERS if code == 0 else LEDGERS | OTHERS)


def test_it_removes_nothing_under_a_run(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As long as a run has its lock on the folder."""
    held = lock(root, exclusive=False)
    assert held is not None
    assert call("reset", f"STATE_DIR={root}", "YES=1") == 2
    assert "a run uses" in capsys.readouterr().err
    assert left(root) == LEDGERS | OTHERS
    os.close(held)
    assert call("reset", f"STATE_DIR={root}", "YES=1") == 0


@pytest.mark.system
def test_what_make_itself_does(tmp_path: Path) -> None:
    """`make clean` touches no state; `make setup` installs again what is missing, also where it was run before."""

    def planned(*words: str) -> str:
        return subprocess.run(["make", "-n", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert "rm -rf" in planned("clean")
    assert "state" not in planned("clean").lower()
    (tmp_path / ".run").touch()
    assert "scripts/setup.sh run" in planned("setup", f"VENV={tmp_path}")
