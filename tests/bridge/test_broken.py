"""A ledger whose disk is full, or whose file is broken."""

import random
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from bridge.database import FILE, LedgerUnavailable
from bridge.ledger import Changes, Ledger
from bus.figures import Figures
from tests.bridge.test_ledger import ids, visit, with_visit

VISITS = 300


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A folder with a ledger of some hundred visits."""
    ledger = Ledger(tmp_path, 100_000, Figures())
    for number in range(VISITS):
        ledger.commit(with_visit(number))
    ledger.set_note("desired", "{}")
    ledger.close()
    return tmp_path


def aside(folder: Path) -> list[Path]:
    """The files that were set aside."""
    return sorted(path for path in folder.glob(f"{FILE}.broken-*") if not path.name.endswith(("-wal", "-shm")))


def first_use(ledger: Ledger) -> None:
    """Finds that the file is broken, and says that nothing was changed."""
    with pytest.raises(LedgerUnavailable, match=r"set aside as ledger\.db\.broken-"):
        ledger.memories()


def test_a_file_that_is_none_is_set_aside(filled: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing of it can be read; it is kept under another name, that is said, and counting goes on in a new one."""
    garbage = random.Random(1).randbytes(50_000)
    (filled / FILE).write_bytes(garbage)
    figures = Figures()
    ledger = Ledger(filled, 100, figures)
    first_use(ledger)
    ledger.commit(with_visit(VISITS))
    assert ids(ledger) == [f"door-{VISITS}"]
    assert [path.read_bytes() for path in aside(filled)] == [garbage]
    assert ledger.set_aside == aside(filled)[0].name
    assert figures.snapshot()["ledgers_set_aside"] == 1
    assert "0 visits and 0 messages could be read" in caplog.text
    ledger.close()


@pytest.mark.parametrize("seed", range(8))
def test_what_can_be_read_of_a_damaged_file_is_taken_over(filled: Path, seed: int) -> None:
    """With some pages overwritten most visits and messages are in the new file, in their order, and all that is new."""
    chance = random.Random(seed)
    path = filled / FILE
    content = bytearray(path.read_bytes())
    pages = len(content) // 4096
    for page in chance.sample(range(1, pages), 2):
        content[page * 4096 : (page + 1) * 4096] = chance.randbytes(4096)
    path.write_bytes(content)
    ledger = Ledger(filled, 100_000, Figures())
    try:
        ledger.memories()
    except LedgerUnavailable:
        assert len(aside(filled)) == 1
        assert aside(filled)[0].read_bytes() == content
    else:
        assert not aside(filled), "quick_check found nothing, so all must be there"
    ledger.commit(with_visit(VISITS))
    kept = ids(ledger)
    assert kept == sorted(kept, key=lambda one: int(one.partition("-")[2]))
    assert kept[-1] == f"door-{VISITS}"
    assert ledger.totals("door", 0, 2e9)["woman"] >= 1
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    ledger.close()


def test_a_file_that_breaks_in_use_loses_nothing_that_is_known(filled: Path) -> None:
    """What is open at the cameras, and noted, goes into the new file even when the old can no longer be read."""
    ledger = Ledger(filled, 100_000, Figures())
    assert ledger.memories() == {"door": f'"after {VISITS - 1}"'}
    ledger.commit(Changes({"back": '"busy"'}))
    for path in filled.glob(f"{FILE}*"):
        path.write_bytes(b"\xff" * path.stat().st_size)
    with pytest.raises(LedgerUnavailable):
        commit_many(ledger, VISITS)  # what is still in memory may do for a while
    ledger.commit(with_visit(5000))
    ledger.close()
    ledger = Ledger(filled, 100_000, Figures())
    assert ledger.memories().keys() == {"back", "door"}
    assert ledger.note("desired") == "{}"
    assert ids(ledger)[-1] == "door-5000"
    ledger.close()


DAMAGES = {
    "a memory that is no text": "UPDATE camera SET memory = CAST(X'FFFE41' AS TEXT)",
    "a message that is no text": "UPDATE outbox SET body = CAST(X'FFFE41' AS TEXT) WHERE number = 7",
    "properties that are no JSON": "UPDATE outbox SET properties = '{' WHERE number = 7",
    "a kind that there is not": "UPDATE outbox SET kind = 9 WHERE number = 7",
    "a visit with no name": "UPDATE visit SET label = '' WHERE number = 7",
    "a visit with a name that is no text": "UPDATE visit SET label = CAST(X'FFFE41' AS TEXT) WHERE number = 7",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_row_that_cannot_be_read_costs_that_row(filled: Path, damage: str) -> None:
    """Whatever is read for the bridge's work; all other rows are taken over, and nothing is tried at it for ever."""
    with closing(sqlite3.connect(filled / FILE)) as connection, connection:
        connection.execute(DAMAGES[damage])
    ledger = Ledger(filled, 100_000, Figures())
    failures = 0
    for _ in range(2):
        try:
            ledger.memories()
            ledger.unpublished(1000)
            kept = [one.message.id for one in ledger.waiting(1000)]
            break
        except LedgerUnavailable:
            failures += 1
    assert failures == 1
    assert len(kept) >= VISITS - 1
    assert len(ledger.unpublished(1000)) >= VISITS - 1
    assert len(aside(filled)) == 1
    ledger.close()


@pytest.mark.parametrize(("offset", "value"), [(18, 9), (19, 9), (44, 200), (0, 0)], ids=["write", "read", "format", "magic"])
def test_a_damaged_head_is_no_reason_to_wait(filled: Path, offset: int, value: int) -> None:
    """A file that says that it may not be written, or is of a format of later, is broken and not busy."""
    content = bytearray((filled / FILE).read_bytes())
    content[offset] = value
    (filled / FILE).write_bytes(content)
    ledger = Ledger(filled, 100_000, Figures())
    with suppress(LedgerUnavailable):
        ledger.commit(with_visit(VISITS))
    ledger.commit(with_visit(VISITS))
    assert ids(ledger)[-1] == f"door-{VISITS}"
    ledger.close()


@pytest.mark.parametrize("step", ["hardlink_to", "rename", "replace"])
def test_a_new_file_that_was_cut_off_is_taken_up(filled: Path, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the bridge is killed while it sets a file aside, what could be read is there afterwards."""
    with closing(sqlite3.connect(filled / FILE)) as connection, connection:
        connection.execute(DAMAGES["a visit with no name"])

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    ledger = Ledger(filled, 100_000, Figures())
    with monkeypatch.context() as patched, suppress(KeyboardInterrupt, LedgerUnavailable):
        patched.setattr(Path, step, die)
        ledger.unpublished(1000)
    ledger.close()
    ledger = Ledger(filled, 100_000, Figures())
    with suppress(LedgerUnavailable):
        ledger.unpublished(1000)
    assert len(ledger.unpublished(1000)) == VISITS - 1
    assert len(ids(ledger)) == VISITS
    ledger.close()


def commit_many(ledger: Ledger, begin: int) -> None:
    """Visit after visit, until it fails."""
    for number in range(begin, begin + 5000):
        ledger.commit(with_visit(number))


def fill(folder: Path) -> Path:
    """Takes all that is left of a disk, by a file that it returns."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass
    return ballast


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if (
        not shutil.which("mount")
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("a small file system cannot be mounted here: that needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_holds_up_and_loses_nothing(small_disk: Path) -> None:
    """What does not fit is not half there; when there is room again, the same call keeps it."""
    ledger = Ledger(small_disk, 100_000, Figures())
    ledger.commit(with_visit(0))
    ballast = fill(small_disk)
    with pytest.raises(LedgerUnavailable, match=r"full|I/O"):
        commit_many(ledger, 1)
    kept = len(ids(ledger))
    for _ in range(3):
        with pytest.raises(LedgerUnavailable):
            ledger.commit(with_visit(kept))
    ballast.unlink()
    ledger.commit(with_visit(kept))
    assert ids(ledger) == [f"door-{number}" for number in range(kept + 1)]
    assert ledger.totals("door", 0, 2e9) == {"woman": kept + 1}
    ledger.close()


def test_a_broken_file_on_a_full_disk_is_not_given_up(small_disk: Path) -> None:
    """Where no new file can be made the broken one stays where it is, until there is room."""
    ledger = Ledger(small_disk, 100_000, Figures())
    for number in range(50):
        ledger.commit(with_visit(number))
    ledger.close()
    (small_disk / FILE).write_bytes(b"garbage" * 1000)
    ballast = fill(small_disk)
    ledger = Ledger(small_disk, 100_000, Figures())
    with pytest.raises(LedgerUnavailable, match="no new one can be made"):
        ledger.memories()
    assert not aside(small_disk)
    ballast.unlink()
    first_use(ledger)
    ledger.commit(Changes(visits=[visit(1)]))
    assert len(aside(small_disk)) == 1
    ledger.close()


def test_a_disk_that_may_not_be_written_any_more_is_waited_for(small_disk: Path) -> None:
    """As of a card that is dying: with a sound file and with a broken one it is said, and nothing else goes wrong."""
    with closing(Ledger(small_disk, 100_000, Figures())) as ledger:
        ledger.commit(with_visit(0))
    remount(small_disk, "ro")
    with closing(Ledger(small_disk, 100_000, Figures())) as ledger:
        with pytest.raises(LedgerUnavailable):
            ledger.commit(with_visit(1))
        remount(small_disk, "rw")
        ledger.commit(with_visit(1))
        assert ids(ledger) == ["door-0", "door-1"]
    (small_disk / FILE).write_bytes(b"garbage" * 1000)
    remount(small_disk, "ro")
    with closing(Ledger(small_disk, 100_000, Figures())) as ledger:
        with pytest.raises(LedgerUnavailable):
            ledger.commit(with_visit(2))
        assert not aside(small_disk)
        remount(small_disk, "rw")
        first_use(ledger)


def remount(folder: Path, how: str) -> None:
    """Read-only, or not."""
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True, capture_output=True)
