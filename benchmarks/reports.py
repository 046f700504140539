"""The time and memory of reports of a ledger with five years of a busy door, filled by the ledger's own code."""

import re
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from random import Random

from bus import DIRECTIONS, Crossing, Visit
from counter.changes import Changes
from counter.database import FILE
from counter.hours import Calendar
from counter.ids import result_id
from counter.ledger import Ledger
from counter.pages import Pages
from counter.periods import Period
from counter.query import parse_query
from runtime.metrics import Metrics

VISITS = 1_000_000
FIRST, LAST = date(2021, 1, 1), date(2025, 12, 31)
DAYS = (LAST - FIRST).days + 1
BATCH = 20_000
CALENDAR = Calendar("Europe/Berlin")
LABELS = ("child", "man", "woman")
QUERIES = {
    "a month by hour": {"from": "2025-06", "by": "hour"},
    "its crossings": {"from": "2025-06", "by": "hour", "table": "crossings"},
    "its zones": {"from": "2025-06", "by": "hour", "table": "zones"},
    "beside the month before": {"from": "2025-06", "by": "hour", "before": "yes"},
    "while open": {"from": "2025-06", "by": "hour", "open": "Mo-Sa 09:05-18:30"},
    "a year by day": {"from": "2025", "by": "day"},
    "a year by hour of the week": {"from": "2025", "by": "weekday-hour"},
    "five years by month": {"from": "2021", "to": "2026", "by": "month"},
    "five years by hour of the week": {"from": "2021", "to": "2026", "by": "weekday-hour"},
    "five years by quarter-hour": {"from": "2021", "to": "2026", "by": "quarter"},
}


def visitors(number: int) -> Iterator[tuple[Crossing, Visit]]:
    """Yields visits, evenly from the first to the last day, from 8 to 20 o'clock, each with its crossing."""
    random, begin = Random(7), CALENDAR.bounds(FIRST)[0]
    for index in range(number):
        day, share = divmod(index * DAYS / number, 1.0)
        at = round(begin + day * 86400 + (8 + 12 * share) * 3600, 3)
        label, direction = random.choice(LABELS), random.choice(DIRECTIONS)
        ids = result_id("door", "", "visit", index), result_id("door", "", "crossing", index)
        visit = Visit(ids[0], "door", label, at, at + 20, 0.9, 200, False, direction, {"till": 12.5})
        yield Crossing(ids[1], "door", visit.id, "entrance", direction, label, at + 3), visit


def fill(ledger: Ledger, number: int) -> None:
    """Writes as many visits and crossings, which are published at once, and a period for each day."""
    begin, found = CALENDAR.bounds(FIRST)[0], visitors(number)
    for day in range(DAYS):
        opens = begin + day * 86400 + 7 * 3600
        ledger.commit(Changes(periods=[Period("door", False, opens, opens + 14 * 3600)]))
    done = 0
    while some := [one for both in islice(found, BATCH) for one in both]:
        ledger.commit(Changes(results=[*some]))
        ledger.mark_published(range(done + 1, done + len(some) + 1))
        done += len(some)


def measure(pages: Pages, parameters: dict[str, str]) -> tuple[int, float, float, float]:
    """Returns the number of pages, and the seconds of the first, the longest, and all of them."""
    times, cursor = list[float](), dict[str, str]()
    while True:
        begin = time.perf_counter()
        page = pages.page(parse_query(parameters | cursor, CALENDAR, time.time()))
        page_length = len(page.cells)
        times.append(time.perf_counter() - begin)
        assert page_length
        if page.cursor is None:
            return len(times), times[0], max(times), sum(times)
        cursor = {"cursor": page.cursor}


def peak_memory() -> float:
    """Returns the most memory that this process has used, in MB. Unlike `getrusage`, it does not count that of its parent."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path("/proc/self/status").read_text("ascii"), re.MULTILINE)
    return int(found[1]) / 1e3 if found else 0.0


def measure_all(folder: Path) -> None:
    """Prints a row for each report, and by how much they have raised the memory of this process."""
    with closing(Ledger(folder, Metrics())) as ledger:
        with ledger.reading():  # opens the file
            pass
        before = peak_memory()
        print(f"{'report':<32}{'pages':>8}{'first, s':>10}{'longest, s':>12}{'all, s':>10}")
        for name, parameters in QUERIES.items():
            number, first, longest, total = measure(Pages(ledger, CALENDAR), parameters)
            print(f"{name:<32}{number:>8}{first:>10.3f}{longest:>12.3f}{total:>10.3f}", flush=True)
        print(f"memory added by all reports: {peak_memory() - before:.1f} MB", flush=True)


def sizes(path: Path) -> dict[str, int]:
    """Returns the bytes of each table with its indexes. Raises `sqlite3.OperationalError` if SQLite lacks the table dbstat."""
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT tbl_name, SUM(pgsize) FROM dbstat JOIN sqlite_master USING (name) GROUP BY tbl_name"
        return dict(connection.execute(query))


def measure_month() -> tuple[float, float]:
    """Returns the seconds of the report of a month by hour, and the bytes of a visit with its indexes."""
    with tempfile.TemporaryDirectory() as name:
        with closing(Ledger(Path(name), Metrics())) as ledger:
            fill(ledger, VISITS)
        with closing(Ledger(Path(name), Metrics())) as ledger:
            with ledger.reading():  # opens the file
                pass
            seconds = measure(Pages(ledger, CALENDAR), QUERIES["a month by hour"])[-1]
        return seconds, sizes(Path(name) / FILE)["visit"] / VISITS


def report() -> None:
    """Prints the size of a visit and of a crossing, and a table of reports."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        begin = time.perf_counter()
        with closing(Ledger(folder, Metrics())) as ledger:
            fill(ledger, VISITS)
        size, elapsed = sum(path.stat().st_size for path in folder.iterdir()) / 1e6, time.perf_counter() - begin
        print(f"{VISITS} visits and as many crossings: {size:.0f} MB, written in {elapsed:.0f} s", flush=True)
        for table, length in sizes(folder / FILE).items():
            if table in ("visit", "crossing"):
                print(f"bytes of a {table} with its indexes: {length / VISITS:.0f}", flush=True)
        process = get_context("spawn").Process(target=measure_all, args=(folder,))
        process.start()
        process.join()
