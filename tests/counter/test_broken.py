"""A ledger whose disk is full, or whose file is broken."""

import random
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from counter.database import FILE, LedgerUnavailable
from counter.ledger import Changes, Ledger
from runtime.metrics import Metrics
from tests.counter.test_ledger import ids, visit, with_visit

VISITS = 300


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A folder with a ledger of some hundred visits."""
    ledger = Ledger(tmp_path, 100_000, Metrics())
    for number in range(VISITS):
        ledger.commit(with_visit(number))
    ledger.set_note("desired", "{}")
    ledger.close()
    return tmp_path


def aside(folder: Path) -> list[Path]:
    """The broken files that were kept."""
    return sorted(path for path in folder.glob(f"{FILE}.broken-*") if not path.name.endswith(("-wal", "-shm")))


def first_use(ledger: Ledger) -> None:
    """Finds that the file is broken, and says that nothing was changed."""
    with pytest.raises(LedgerUnavailable, match=r"kept as ledger\.db\.broken-"):
        ledger.memories()


def test_a_file_that_is_no_database_is_kept_and_replaced(filled: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing of it can be read; it is kept under another name, that is said, and counting goes on in a new one."""
    garbage = random.Random(1).randbytes(50_000)
    (filled / FILE).write_bytes(garbage)
    metrics = Metrics()
    ledger = Ledger(filled, 100, metrics)
    first_use(ledger)
    ledger.commit(with_visit(VISITS))
    assert ids(ledger) == [f"door-{VISITS}"]
    assert [path.read_bytes() for path in aside(filled)] == [garbage]
    assert ledger.broken_file == aside(filled)[0].name
    assert metrics.snapshot()["ledgers_set_aside"] == 1
    assert "0 visits and 0 messages were recovered" in caplog.text
    ledger.close()


def test_a_file_that_breaks_in_use_loses_nothing_that_is_known(filled: Path) -> None:
    """What is open at the cameras, and noted, goes into the new file even when the old can no longer be read."""
    ledger = Ledger(filled, 100_000, Metrics())
    assert ledger.memories() == {"door": f'"after {VISITS - 1}"'}
    ledger.commit(Changes({"back": '"busy"'}))
    for path in filled.glob(f"{FILE}*"):
        path.write_bytes(b"\xff" * path.stat().st_size)
    with pytest.raises(LedgerUnavailable):
        commit_many(ledger, VISITS)  # what is still in memory may do for a while
    ledger.commit(with_visit(5000))
    ledger.close()
    ledger = Ledger(filled, 100_000, Metrics())
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
    ledger = Ledger(filled, 100_000, Metrics())
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


@pytest.mark.parametrize("step", ["hardlink_to", "rename", "replace"])
def test_a_new_file_that_was_cut_off_is_taken_up(filled: Path, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the bridge is killed while it sets a file aside, what could be read is there afterwards."""
    with closing(sqlite3.connect(filled / FILE)) as connection, connection:
        connection.execute(DAMAGES["a visit with no name"])

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    ledger = Ledger(filled, 100_000, Metrics())
    with monkeypatch.context() as patched, suppress(KeyboardInterrupt, LedgerUnavailable):
        patched.setattr(Path, step, die)
        ledger.unpublished(1000)
    ledger.close()
    ledger = Ledger(filled, 100_000, Metrics())
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


@pytest.fixture(params=[2, 6], ids="{} MB".format)
def small_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A small file system."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if (
        not shutil.which("mount")
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={request.param}m", "tmpfs", str(folder)], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("a small file system cannot be mounted here: that needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_holds_up_and_loses_nothing(small_disk: Path) -> None:
    """What does not fit is not half there; when there is room again, the same call keeps it."""
    ledger = Ledger(small_disk, 100_000, Metrics())
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
    ledger = Ledger(small_disk, 100_000, Metrics())
    for number in range(10):
        ledger.commit(with_visit(number))
    ledger.close()
    (small_disk / FILE).write_bytes(b"garbage" * 1000)
    ballast = fill(small_disk)
    ledger = Ledger(small_disk, 100_000, Metrics())
    with pytest.raises(LedgerUnavailable, match="no new one can be made"):
        ledger.memories()
    assert not aside(small_disk)
    ballast.unlink()
    first_use(ledger)
    ledger.commit(Changes(visits=[visit(1)]))
    assert len(aside(small_disk)) == 1
    ledger.close()


def test_a_broken_file_is_not_copied_without_room_for_it(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy that is tried again and again would wear out a card: without room for two nothing is written."""
    (filled / FILE).write_bytes(b"garbage" * 1000)
    (filled / f"{FILE}-wal").write_bytes(bytes(3000))
    with closing(Ledger(filled, 100_000, Metrics())) as ledger:
        with monkeypatch.context() as patched:
            patched.setattr("counter.database.shutil.disk_usage", lambda _folder: SimpleNamespace(free=20_000))
            patched.setattr("counter.recovery.shutil.copyfile", lambda *_: pytest.fail("copied"))
            patched.setattr("counter.database.sqlite3.connect", lambda *_, **__: pytest.fail("a new file was made"))
            for _ in range(3):
                with pytest.raises(LedgerUnavailable, match=r"no new one can be made: 0\.0 MB are free"):
                    ledger.memories()
        monkeypatch.setattr("counter.database.shutil.disk_usage", lambda _folder: SimpleNamespace(free=20_001))
        first_use(ledger)


def test_a_disk_that_may_not_be_written_any_more_is_waited_for(small_disk: Path) -> None:
    """As of a card that is dying: with a sound file and with a broken one it is said, and nothing else goes wrong."""
    with closing(Ledger(small_disk, 100_000, Metrics())) as ledger:
        ledger.commit(with_visit(0))
    remount(small_disk, "ro")
    with closing(Ledger(small_disk, 100_000, Metrics())) as ledger:
        with pytest.raises(LedgerUnavailable):
            ledger.commit(with_visit(1))
        remount(small_disk, "rw")
        ledger.commit(with_visit(1))
        assert ids(ledger) == ["door-0", "door-1"]
    (small_disk / FILE).write_bytes(b"garbage" * 1000)
    remount(small_disk, "ro")
    with closing(Ledger(small_disk, 100_000, Metrics())) as ledger:
        with pytest.raises(LedgerUnavailable):
            ledger.commit(with_visit(2))
        assert not aside(small_disk)
        remount(small_disk, "rw")
        first_use(ledger)


@pytest.mark.parametrize("small_disk", [2], indirect=True)
def test_the_log_does_not_fill_a_small_disk(small_disk: Path) -> None:
    """What fits into the file is kept, however often the same pages are written."""
    with closing(Ledger(small_disk, 100_000, Metrics())) as ledger:
        for number in range(300):
            ledger.commit(with_visit(number))
        assert ids(ledger) == [f"door-{number}" for number in range(300)]


@pytest.mark.parametrize("small_disk", [6], indirect=True)
def test_a_start_on_a_read_only_disk_is_no_false_alarm(small_disk: Path, tmp_path: Path) -> None:
    """As of a device after a crash: 20 times the disk may be written again only later, and the ledger is sound each time."""
    with closing(Ledger(tmp_path / "source", 100_000, Metrics())) as ledger:
        ledger.commit(with_visit(0))
        for path in (tmp_path / "source").iterdir():  # with the log and its index beside the file, as a crash leaves them
            shutil.copy(path, small_disk)
    expected = ["door-0"]
    for number in range(1, 21):
        remount(small_disk, "ro")
        ledger = Ledger(small_disk, 100_000, Metrics())
        with suppress(LedgerUnavailable):
            assert ids(ledger) == expected
        with pytest.raises(LedgerUnavailable):
            ledger.commit(with_visit(number))
        with suppress(LedgerUnavailable):
            assert ids(ledger) == expected
        remount(small_disk, "rw")
        with suppress(LedgerUnavailable):
            ledger.commit(with_visit(number))
        ledger.commit(with_visit(number))
        expected.append(f"door-{number}")
        assert ids(ledger) == expected
        assert not ledger.broken_file
        assert not aside(small_disk)
        crashed = tmp_path / f"crashed-{number}"
        shutil.copytree(small_disk, crashed)
        ledger.close()
        shutil.copytree(crashed, small_disk, dirs_exist_ok=True)


def remount(folder: Path, how: str) -> None:
    """Read-only, or not."""
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True, capture_output=True)
