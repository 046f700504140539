"""What is recovered of a damaged ledger: every row that is still whole, and no damage lasts."""

import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from counter.database import FILE, MAX_BROKEN, VERSION, Database, LedgerBroken, LedgerUnavailable
from counter.ledger import Ledger
from runtime.metrics import Metrics
from tests.counter.test_ledger import ids, with_visit

PAGE = 4096
LEAF = 0x0D
"""The first byte of a page that has rows of a table."""


def filled(folder: Path, visits: int, is_crashed: bool = False) -> Path:
    """A folder with a ledger; of a bridge that crashed, what came last is only in the log beside the file."""
    source = folder / "source"
    ledger = Ledger(source, 100_000, Metrics())
    ledger.set_note("desired", "{}")
    for number in range(visits):
        ledger.commit(with_visit(number))
    made = folder / "made"
    if not is_crashed:
        ledger.close()
    shutil.copytree(source, made)
    ledger.close()
    return made


def unpublished(ledger: Ledger) -> list[str]:
    """The ids of all visits, as none of these ledgers has published any."""
    return [one.id for one in ledger.unpublished(100_000)]


def opened(folder: Path) -> Ledger:
    """The ledger when it is usable; that takes at most one replacement, and none after a restart."""
    ledger = Ledger(folder, 100_000, Metrics())
    try:
        use(ledger)
        ledger.commit(with_visit(5000))
    except LedgerUnavailable:
        use(ledger)
        ledger.commit(with_visit(5000))
    ledger.close()
    ledger = Ledger(folder, 100_000, Metrics())
    use(ledger)
    assert not ledger.broken_file
    assert unpublished(ledger)[-1] == "door-5000"
    return ledger


def use(ledger: Ledger) -> None:
    """Reads all that the bridge reads."""
    ledger.memories()
    ledger.unpublished(100_000)
    ledger.waiting(100_000)
    ledger.totals("door", 0, 2e9)
    ledger.prune(0, 0, 0.0, 1.0)


@pytest.fixture
def fast(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory, where there is one: hundreds of ledgers are written."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of a few pages."""
    return filled(tmp_path_factory.mktemp("small"), 20)


@pytest.mark.parametrize("byte", range(100))
def test_a_flipped_bit_of_the_header_loses_nothing(small: Path, fast: Path, byte: int) -> None:
    """Whichever of the 800 it is: every visit, message, memory and note is there, at once or after one replacement."""
    for bit in range(8):
        folder = fast / str(bit)
        shutil.copytree(small, folder)
        content = bytearray((folder / FILE).read_bytes())
        content[byte] ^= 1 << bit
        (folder / FILE).write_bytes(content)
        with closing(opened(folder)) as ledger:
            expected = [*(f"door-{number}" for number in range(20)), "door-5000"]
            assert unpublished(ledger) == expected, f"bit {bit}"
            assert ids(ledger) == expected, f"bit {bit}"
            assert ledger.note("desired") == "{}"


@pytest.mark.parametrize("stored", [0, VERSION, VERSION + 1, 2**24])
@pytest.mark.parametrize("is_noted", [True, False])
def test_a_damaged_version_is_repaired(small: Path, tmp_path: Path, stored: int, is_noted: bool) -> None:
    """The tables show their version; only where the number stands a second time, as a newer Footfall writes it, it counts."""
    shutil.copytree(small, folder := tmp_path / "copy")
    with closing(sqlite3.connect(folder / FILE)) as connection, connection:
        connection.execute(f"PRAGMA user_version = {stored}")
        if not is_noted:  # as by the first Footfall
            connection.execute("DELETE FROM note WHERE name = 'version'")
    with closing(Ledger(folder, 100, Metrics())) as ledger:
        assert len(unpublished(ledger)) == 20
        assert ledger.note("version") == str(VERSION)
    with closing(sqlite3.connect(folder / FILE)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
    assert not list(folder.glob(f"{FILE}.broken-*"))


def test_the_log_beside_a_damaged_file_is_recovered(tmp_path: Path) -> None:
    """What a bridge that crashed had committed is in there only, and the file under it is damaged."""
    folder = filled(tmp_path, 300, is_crashed=True)
    assert (folder / f"{FILE}-wal").stat().st_size > 10 * PAGE
    (folder / FILE).write_bytes(bytes(PAGE // 2) + (folder / FILE).read_bytes()[PAGE // 2 :])
    with closing(opened(folder)) as ledger:
        assert unpublished(ledger) == ids(ledger) == [*(f"door-{number}" for number in range(300)), "door-5000"]
        assert ledger.note("desired") == "{}"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger whose tables have several pages each."""
    return filled(tmp_path_factory.mktemp("large"), 300)


def rows(content: bytes) -> Counter[int]:
    """How many rows of visits and messages each page of a file has, by its number from 0."""
    pages = range(1, len(content) // PAGE)
    return Counter(
        {
            page: int.from_bytes(content[page * PAGE + 3 : page * PAGE + 5], "big")
            for page in pages
            if content[page * PAGE] == LEAF
        }
    )


@pytest.mark.parametrize("damage", ["zeros", "noise", "cut", "zeros and noise elsewhere"])
def test_rows_of_undamaged_pages_are_all_recovered(large: Path, fast: Path, damage: str) -> None:
    """Whichever page is damaged, or wherever the file is cut: no more rows are missing than the damaged pages had."""
    content = (large / FILE).read_bytes()
    chance = random.Random(1)
    for page in range(len(content) // PAGE):
        damaged = bytearray(content)
        lost = [page, *([] if damage != "zeros and noise elsewhere" else [(page + 7) % (len(content) // PAGE)])]
        if damage == "cut":
            lost = list(range(page, len(content) // PAGE))
            del damaged[page * PAGE + 100 :]
        for number in lost if damage != "cut" else ():
            is_noise = damage == "noise" or number != page
            damaged[number * PAGE : (number + 1) * PAGE] = chance.randbytes(PAGE) if is_noise else bytes(PAGE)
        folder = fast / str(page)
        folder.mkdir()
        (folder / FILE).write_bytes(damaged)
        with closing(opened(folder)) as ledger:
            visits, messages = unpublished(ledger)[:-1], ids(ledger)[:-1]
            missing = 600 - len(visits) - len(messages)
            assert missing <= sum(rows(content)[number] for number in lost), f"page {page}"
            for kept in (visits, messages):
                assert kept == sorted(kept, key=lambda one: int(one.partition("-")[2])), f"page {page}"
        with closing(sqlite3.connect(folder / FILE)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        shutil.rmtree(folder)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(flips=st.lists(st.tuples(st.integers(0, 3 * PAGE - 1), st.integers(0, 7)), min_size=1, max_size=4))
@example(flips=[(3049, 7)])
@example(flips=[(3726, 5)])
@example(flips=[(0, 0), (3049, 7)])
def test_no_damage_lasts(large: Path, fast: Path, flips: list[tuple[int, int]]) -> None:
    """Bits flipped in the header, in the text of the schema, and in the first pages: the ledger is usable, and stays so."""
    folder = fast / "flipped"
    folder.mkdir()
    content = bytearray((large / FILE).read_bytes())
    for offset, bit in flips:
        content[offset] ^= 1 << bit
    (folder / FILE).write_bytes(content)
    try:
        opened(folder).close()
    finally:
        shutil.rmtree(folder)


def test_few_broken_files_are_kept(tmp_path: Path) -> None:
    """The newest: however often it breaks, the disk does not fill up with them."""
    for number in range(MAX_BROKEN + 3):
        (tmp_path / FILE).write_bytes(b"broken" * (number + 1))
        with closing(Ledger(tmp_path, 100, Metrics())) as ledger, pytest.raises(LedgerUnavailable, match="replaced"):
            ledger.memories()
    kept = sorted(tmp_path.glob(f"{FILE}.broken-*"))
    assert [path.stat().st_size // 6 for path in kept] == [4, 5, 6]
    assert {path.name for path in tmp_path.iterdir()} - {path.name for path in kept} == {FILE, "ledger.lock"}


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("database is locked", LedgerUnavailable),
        ("attempt to write a readonly database", LedgerUnavailable),
        ("database or disk is full", LedgerUnavailable),
        ("disk I/O error", LedgerUnavailable),
        ("unable to open database file", LedgerUnavailable),
        ("file is not a database", LedgerBroken),
        ("database disk image is malformed", LedgerBroken),
        ("no such table: visit", LedgerBroken),
        ("Could not decode to UTF-8 column 'memory'", LedgerBroken),
    ],
)
def test_without_codes_the_message_decides(tmp_path: Path, message: str, kind: type[Exception]) -> None:
    """Python 3.10 does not give SQLite's codes."""
    with closing(Database(tmp_path)) as database, pytest.raises(kind, match=message), database.reading():
        raise sqlite3.OperationalError(message)
