"""``make reset`` and ``make clean``: what was counted is removed by the one, after a question, and not by the other."""

import os
import pty
import subprocess
from pathlib import Path

import pytest

from scripts.state import RunState, lock
from tests.support.broker import ROOT
from tests.support.wait import limit, until


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


def make(target: str, root: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs make without a terminal."""
    command = ["make", target, f"STATE_DIR={root}", *[f"{name}={value}" for name, value in settings.items()]]
    return subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=limit(60), check=False
    )


def left(root: Path) -> set[str]:
    """The files that are still there, besides the lock."""
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and path.name != "lock"}


LEDGERS = {"bridge-1883/ledger.db", "demo/bridge-1883/ledger.db"}
OTHERS = {"notes.txt", "demo/notes.txt"}


def test_it_removes_what_runs_have_made(root: Path) -> None:
    """With YES=1 it does not ask; files that no run has made stay, and a second time there is nothing to remove."""
    done = make("reset", root, YES="1")
    assert done.returncode == 0
    assert str(root / "bridge-1883") in done.stdout
    assert left(root) == OTHERS
    assert f"Nothing is kept in {root}" in make("reset", root).stdout


def test_without_a_terminal_it_refuses(root: Path) -> None:
    """Nobody can be asked: nothing is removed, and it says how it could be."""
    done = make("reset", root)
    assert done.returncode == 2
    assert "YES=1 make reset" in done.stderr
    assert left(root) == LEDGERS | OTHERS


@pytest.mark.parametrize(("answer", "remains"), [("y", OTHERS), ("n", LEDGERS | OTHERS), ("", LEDGERS | OTHERS)])
def test_it_asks_in_a_terminal(root: Path, answer: str, remains: set[str]) -> None:
    """Only a clear yes removes anything."""
    master, slave = pty.openpty()
    with subprocess.Popen(["make", "reset", f"STATE_DIR={root}"], cwd=ROOT, stdin=slave, stdout=slave, stderr=slave) as process:
        shown = b""

        def is_asked() -> bool:
            nonlocal shown
            shown += os.read(master, 4096)
            return b"[y/N]" in shown

        until(is_asked, 30, "the question")
        os.write(master, f"{answer}\n".encode())
        process.wait(limit(30))
    os.close(master)
    os.close(slave)
    assert left(root) == remains


def test_it_removes_nothing_under_a_run(root: Path) -> None:
    """As long as a run has its lock on the folder."""
    held = lock(root, exclusive=False)
    assert held is not None
    done = make("reset", root, YES="1")
    assert done.returncode == 2
    assert "a run uses" in done.stderr
    assert left(root) == LEDGERS | OTHERS
    os.close(held)
    assert make("reset", root, YES="1").returncode == 0


def test_clean_keeps_what_was_counted() -> None:
    """What `make clean` would do touches no state."""
    planned = subprocess.run(["make", "-n", "clean"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "rm -rf" in planned.stdout
    assert "state" not in planned.stdout.lower()


def test_setup_installs_again_what_is_missing(tmp_path: Path) -> None:
    """`make setup` looks for what is missing also where it was run before, as the advice to run it promises."""
    (tmp_path / ".run").touch()
    planned = subprocess.run(
        ["make", "-n", "setup", f"VENV={tmp_path}"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert "scripts/setup.sh run" in planned
