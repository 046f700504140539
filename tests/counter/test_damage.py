"""A ledger on a full or read-only disk, or with a damaged file: no readable row is lost, and no damage lasts."""

import random
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from counter.changes import Changes
from counter.database import FILE, Database, LedgerDamaged, LedgerUnavailable
from counter.ledger import Ledger
from counter.periods import Period
from runtime.database import MAX_BROKEN
from tests.counter.shop import (
    NOON,
    UTC,
    Shop,
    crossing,
    open_ledger,
    recorded,
    recorded_crossings,
    unpublished_ids,
    visit,
    visit_id,
    with_visit,
)

PAGE = 4096
LEAF = 0x0D
"""First byte of a page with rows of a table."""
VISITS = 120
ALL = [visit_id(number) for number in range(VISITS)]
SIXTH = f"id = X'{visit_id(6).replace('-', '')}'"


def fill(folder: Path) -> Ledger:
    """Returns a ledger whose tables have several pages each."""
    ledger = open_ledger(folder)
    ledger.set_note("desired", "{}")
    ledger.commit(Changes(results=[crossing(visit(number)) for number in range(VISITS)]))
    ledger.mark_published([one.number for one in ledger.unpublished(0, VISITS)])
    for number in range(VISITS):
        ledger.commit(with_visit(number))
    return ledger


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of a filled ledger."""
    folder = tmp_path_factory.mktemp("large")
    fill(folder).close()
    return (folder / FILE).read_bytes()


@pytest.fixture
def filled(content: bytes, tmp_path: Path) -> Path:
    (tmp_path / FILE).write_bytes(content)
    return tmp_path


def damaged_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob(f"{FILE}.broken-*") if not path.name.endswith(("-wal", "-shm")))


def read_all(ledger: Ledger) -> tuple[list[str], list[str], list[str]]:
    """Returns the ids of all visits, of the unpublished messages, and of the visits of all crossings."""
    ledger.states()
    ledger.prune(0, 0, 0.0, 1.0)
    crossed = [one.visit for one in recorded_crossings(ledger)]
    return [one.id for one in recorded(ledger)], unpublished_ids(ledger), crossed


def repaired(folder: Path, content: bytes | bytearray) -> tuple[list[str], list[str], list[str]]:
    """Returns everything read from a file, after at most one replacement, and none after a restart. Adds one visit."""
    (folder / FILE).write_bytes(content)
    with closing(open_ledger(folder)) as ledger:
        with suppress(LedgerUnavailable):
            for _ in range(2):  # some damage affects only a visit that already exists
                read_all(ledger)
                ledger.commit(with_visit(5000))
        read_all(ledger)
        ledger.commit(with_visit(5000))
    with closing(open_ledger(folder)) as ledger:
        visits, unpublished, crossed = read_all(ledger)
        assert (visits.pop(), unpublished.pop(), ledger.damaged_file) == (visit_id(5000), visit_id(5000), "")
    return visits, unpublished, crossed


def check_complete(folder: Path, content: bytes | bytearray) -> None:
    """Asserts that nothing is missing after a repair."""
    assert repaired(folder, content) == (ALL, ALL, ALL)
    with closing(open_ledger(folder)) as ledger:
        assert ledger.note("desired") == "{}"


@pytest.mark.parametrize("byte", range(100))
def test_a_flipped_bit_in_the_header_loses_nothing(content: bytes, tmp_path: Path, byte: int) -> None:
    for bit in {0, 7, byte % 8}:
        damaged = bytearray(content)
        damaged[byte] ^= 1 << bit
        folder = tmp_path / str(bit)
        folder.mkdir()
        check_complete(folder, damaged)


def test_the_log_beside_a_damaged_file_is_recovered(tmp_path: Path) -> None:
    """After a crash only the log has the last commits, and the file itself is damaged."""
    with closing(fill(tmp_path / "running")):
        shutil.copytree(tmp_path / "running", tmp_path / "crashed")
    assert (tmp_path / "crashed" / f"{FILE}-wal").stat().st_size > 10 * PAGE
    check_complete(tmp_path / "crashed", bytes(PAGE // 2) + (tmp_path / "crashed" / FILE).read_bytes()[PAGE // 2 :])


@pytest.mark.parametrize("damage", ["zeros", "noise", "cut", "zeros and noise elsewhere"])
def test_all_rows_of_undamaged_pages_are_recovered(content: bytes, tmp_path: Path, damage: str) -> None:
    """Any page may be damaged, and the file cut anywhere: no more rows are missing than the damaged pages had."""
    rng, number = random.Random(1), len(content) // PAGE
    for page in range(number):
        pages = [content[at : at + PAGE] for at in range(0, len(content), PAGE)]
        lost = {"cut": [*range(page, number)], "zeros and noise elsewhere": [page, (page + 7) % number]}.get(damage, [page])
        rows = sum(int.from_bytes(pages[one][3:5], "big") for one in lost if pages[one][0] == LEAF)
        for one in lost:
            pages[one] = rng.randbytes(PAGE) if damage == "noise" or one != page else bytes(PAGE)
        folder = tmp_path / str(page)
        folder.mkdir()
        found = repaired(folder, content[: page * PAGE + 100] if damage == "cut" else b"".join(pages))
        assert 3 * VISITS - sum(map(len, found)) <= rows, f"page {page}"
        for kept in found:
            assert kept == sorted(kept, key=ALL.index), f"page {page}"
        with closing(sqlite3.connect(folder / FILE)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        shutil.rmtree(folder)


@pytest.mark.parametrize("page_of", [b'camera-32"x', rb"camera-32(?!\")"], ids=["rows", "the index"])
def test_states_on_both_sides_of_a_damaged_page_are_recovered(tmp_path: Path, page_of: bytes) -> None:
    """Only those in a damaged page of rows are lost."""
    with closing(open_ledger(tmp_path)) as ledger:
        ledger.commit(Changes({f"camera-{number:02}": f'"{"x" * 500}"' for number in range(64)}))
    content = bytearray((tmp_path / FILE).read_bytes())
    [place] = re.finditer(page_of, content)
    page = place.start() // PAGE * PAGE
    content[page : page + PAGE] = bytes(PAGE)
    (tmp_path / FILE).write_bytes(content)
    with closing(open_ledger(tmp_path)) as ledger:
        with pytest.raises(LedgerUnavailable, match="replaced"):
            ledger.states()
        assert {"camera-00", "camera-63"} < set(ledger.states())
        assert len(ledger.states()) >= 64 - 8


@settings(max_examples=60)
@given(flips=st.lists(st.tuples(st.integers(0, 3 * PAGE - 1), st.integers(0, 7)), min_size=1, max_size=4))
@example(flips=[(3049, 7)])
@example(flips=[(3726, 5)])
@example(flips=[(0, 0), (3049, 7)])
@example(flips=[(11748, 2)])
def test_no_damage_lasts(content: bytes, tmp_path: Path, flips: list[tuple[int, int]]) -> None:
    """With bits flipped in the header, the schema and the first pages, the ledger is usable, and stays usable."""
    damaged = bytearray(content)
    for offset, bit in flips:
        damaged[offset] ^= 1 << bit
    with TemporaryDirectory(dir=tmp_path) as folder:
        repaired(Path(folder), damaged)


def test_few_damaged_files_are_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Only the newest are kept, so they do not fill the disk. The log says what was recovered."""
    for number in range(MAX_BROKEN + 3):
        (tmp_path / FILE).write_bytes(b"broken" * (number + 1))
        with closing(open_ledger(tmp_path)) as ledger:
            with pytest.raises(LedgerUnavailable, match=r"kept as ledger\.db\.broken-"):
                ledger.states()
            assert ledger.damaged_file == damaged_files(tmp_path)[-1].name
    assert "recovered: 0 visits, 0 crossings, 0 unpublished messages" in caplog.text
    kept = damaged_files(tmp_path)
    assert [path.stat().st_size // 6 for path in kept] == [4, 5, 6]
    assert {path.name for path in tmp_path.iterdir()} - {path.name for path in kept} == {FILE, "ledger.lock"}


def commit_many(ledger: Ledger, start: int) -> None:
    for number in range(start, start + 5000):
        ledger.commit(with_visit(number))


def test_a_file_damaged_in_use_loses_nothing_in_memory(filled: Path) -> None:
    """Saved states and notes go into the new file. Numbers of publications are not reused."""
    with closing(open_ledger(filled)) as ledger:
        last = ledger.unpublished(0, 1000)[-1].number
        ledger.commit(Changes({"back": '"busy"'}))
        for path in filled.glob(f"{FILE}*"):
            path.write_bytes(b"\xff" * path.stat().st_size)
        with pytest.raises(LedgerUnavailable):
            commit_many(ledger, VISITS)  # pages in SQLite's cache may suffice for a while
        ledger.commit(with_visit(5000))
        assert ledger.unpublished(0, 10_000)[-1].number > last
    with closing(open_ledger(filled)) as ledger:
        assert (set(ledger.states()), ledger.note("desired")) == ({"back", "door"}, "{}")
        assert unpublished_ids(ledger)[-1] == visit_id(5000)


DAMAGES = {
    "a state that is not text": "UPDATE camera SET memory = CAST(X'FFFE41' AS TEXT)",
    "a message that is not text": f"UPDATE publication SET body = CAST(X'FFFE41' AS TEXT) WHERE {SIXTH}",
    "a message that is not JSON": f"UPDATE publication SET body = '{{' WHERE {SIXTH}",
    "a message that is not a visit": f"UPDATE publication SET body = '{{\"v\": 1}}' WHERE {SIXTH}",
    "a message of an unknown kind": f"UPDATE publication SET kind = 9 WHERE {SIXTH}",
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("killed_at", ["", "rename", "replace"])
def test_an_unreadable_row_costs_only_that_row(
    filled: Path, monkeypatch: pytest.MonkeyPatch, damage: str, killed_at: str
) -> None:
    """A replacement that is killed is completed or repeated at the next start."""
    with closing(sqlite3.connect(filled / FILE)) as connection, connection:
        connection.execute(DAMAGES[damage])
    with monkeypatch.context() as patched, closing(open_ledger(filled)) as ledger:
        if killed_at:
            patched.setattr(Path, killed_at, Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt if killed_at else LedgerUnavailable):
            read_all(ledger)
    with closing(open_ledger(filled)) as ledger:
        with suppress(LedgerUnavailable):
            read_all(ledger)
        assert read_all(ledger) == (ALL, [one for one in ALL if one != visit_id(6) or "message" not in damage], ALL)
    assert len(damaged_files(filled)) == 1


def fill_disk(folder: Path) -> Path:
    """Fills a disk with a file. Returns the file."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass
    return ballast


def remount(folder: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True, capture_output=True)


@pytest.fixture(params=[2, 6], ids="{} MB".format)
def small_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A small file system."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={request.param}m", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here: that needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_or_read_only_disk_delays_work_and_loses_nothing(small_disk: Path, tmp_path: Path) -> None:
    """Nothing is half written. When the disk is writable again, the same call succeeds. The log does not fill the disk. After a
    crash, a log beside the file on a read-only disk is not mistaken for damage.
    """
    with closing(fill(small_disk)) as ledger:
        ballast = fill_disk(small_disk)
        with pytest.raises(LedgerUnavailable, match=r"full|I/O"):
            commit_many(ledger, VISITS)
        kept = len(unpublished_ids(ledger))
        for _ in range(3):
            with pytest.raises(LedgerUnavailable):
                ledger.commit(with_visit(kept))
        ballast.unlink()
        ledger.commit(with_visit(kept))
        assert unpublished_ids(ledger) == [visit_id(number) for number in range(kept + 1)]
        shutil.copytree(small_disk, tmp_path / "crashed")
    shutil.copytree(tmp_path / "crashed", small_disk, dirs_exist_ok=True)
    for number in range(kept + 1, kept + 4):
        remount(small_disk, "ro")
        with closing(open_ledger(small_disk)) as ledger:
            for _ in range(2):
                with pytest.raises(LedgerUnavailable):
                    ledger.commit(with_visit(number))
            remount(small_disk, "rw")
            with suppress(LedgerUnavailable):
                ledger.commit(with_visit(number))
            ledger.commit(with_visit(number))
            assert unpublished_ids(ledger) == [visit_id(one) for one in range(number + 1)]
            assert not ledger.damaged_file


def test_a_damaged_file_on_a_full_or_read_only_disk_is_replaced_later(small_disk: Path) -> None:
    """Without room for a new file, the damaged one stays in place until there is room."""
    (small_disk / FILE).write_bytes(b"garbage" * 1000)
    ballast = fill_disk(small_disk)
    with closing(open_ledger(small_disk)) as ledger:
        with pytest.raises(LedgerUnavailable, match="cannot be replaced"):
            ledger.states()
        ballast.unlink()
        remount(small_disk, "ro")
        with pytest.raises(LedgerUnavailable):
            ledger.states()
        assert not damaged_files(small_disk)
        remount(small_disk, "rw")
        with pytest.raises(LedgerUnavailable, match="kept as"):
            ledger.states()
        ledger.commit(with_visit(1))
        assert len(damaged_files(small_disk)) == 1


def test_a_damaged_file_is_not_copied_without_room_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeated attempts to copy would wear out an SD card."""
    (tmp_path / FILE).write_bytes(b"garbage" * 1000)
    (tmp_path / f"{FILE}-wal").write_bytes(bytes(3000))
    with closing(open_ledger(tmp_path)) as ledger:
        with monkeypatch.context() as patched:
            patched.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=20_000))
            patched.setattr(shutil, "copyfile", lambda *_: pytest.fail("copied"))
            for _ in range(3):
                with pytest.raises(LedgerUnavailable, match=r"cannot be replaced: 0\.0 MB are free"):
                    ledger.states()
        monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=20_001))
        with pytest.raises(LedgerUnavailable, match="kept as"):
            ledger.states()


LATER = ("database is locked", "attempt to write a readonly database", "database or disk is full", "disk I/O error")
NEVER = ("file is not a database", "database disk image is malformed", "no such table: visit", "Could not decode to UTF-8")


@pytest.mark.parametrize("message", [*LATER, "unable to open database file", *NEVER])
def test_the_message_decides_whether_the_file_is_damaged(tmp_path: Path, message: str) -> None:
    """Python 3.10 does not expose SQLite's error codes."""
    kind = LedgerDamaged if message in NEVER else LedgerUnavailable
    with closing(Database(tmp_path)) as database, pytest.raises(kind, match=message), database.reading():
        raise sqlite3.OperationalError(message)


DAMAGED_CELLS = {
    "a direction": ("crossing", "direction = 'io'"),
    "the label of a crossing": ("crossing", "label = char(1)"),
    "a line": ("crossing", "line = ''"),
    "the label of a visit": ("visit", "label = char(1)"),
    "a zone": ("visit", """zones = '{"": 1}'"""),
    "seconds in a zone": ("visit", """zones = '{"till": -5}'"""),
    "zones": ("visit", "zones = '5'"),
    "a camera": ("period", "camera = 'D!'"),
}


@pytest.mark.parametrize("what", DAMAGED_CELLS)
def test_a_damaged_cell_costs_one_row_and_does_not_end_the_counter(shop: Shop, what: str) -> None:
    """SQLite sees no damage in it. But no counts can be made from it, and each crossing publishes the counts of the day."""
    table, change = DAMAGED_CELLS[what]
    some = [visit(1), visit(2, label="man")]
    periods = [Period("door", False, NOON, NOON + 60), Period("back", False, NOON, NOON + 60)]
    shop.ledger.commit(Changes(results=[one for each in some for one in (each, crossing(each))], periods=[*periods]))
    with closing(sqlite3.connect(shop.folder / FILE)) as connection, connection:
        connection.execute(f"UPDATE {table} SET {change} WHERE number = 2")
    shop.see("wwwwww      n n n")
    with suppress(LedgerUnavailable):  # that of another camera shows only in a report
        shop.reports.day_report(["door"], UTC.day(NOON))
    report = shop.reports.day_report(["door"], UTC.day(NOON))
    assert len(recorded(shop.ledger)) == 3 - (table == "visit")
    assert len(recorded_crossings(shop.ledger)) == 2 - (table == "crossing")
    assert (shop.metrics["ledgers_replaced"], sum(report.cameras["door"].totals.values())) == (1, 3 - (table == "visit"))
