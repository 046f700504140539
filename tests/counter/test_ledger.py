"""The ledger: what is in it stays, once."""

import itertools
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge import outgoing
from bridge.outgoing import Kind, Outgoing
from bus import InvalidSetting, Visit
from counter.database import FILE, VERSION, Database, LedgerUnavailable
from counter.ledger import Changes, Ledger
from runtime.metrics import Metrics
from tests.support.broker import ROOT
from tests.support.wait import limit

NOON = 1_790_000_000.0


def visit(number: int, label: str = "woman", camera: str = "door", at: float = NOON) -> Visit:
    """A visit of its own."""
    begin = at + 10.0 * number
    return Visit(f"{camera}-{number}", camera, label, begin, begin + 4, 0.9, 40)


def with_visit(number: int, label: str = "woman", camera: str = "door") -> Changes:
    """A visit and its message, with a camera's memory."""
    one = visit(number, label, camera)
    return Changes({one.camera: f'"after {number}"'}, [one], [outgoing.of_visit(one)])


def message(number: int, kind: Kind) -> Outgoing:
    """A message of its own."""
    return Outgoing(f"{kind.name}-{number}", kind, "{}", {"type": kind.name.lower()})


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A new one, in the test's folder."""
    one = Ledger(tmp_path, 100, Metrics())
    yield one
    one.close()


def reopened(ledger: Ledger, folder: Path) -> Ledger:
    """The same file, as after a restart."""
    ledger.close()
    return Ledger(folder, 100, Metrics())


def real(*cameras: str) -> dict[str, bool]:
    """Cameras of which no visit is the demo's."""
    return dict.fromkeys(cameras, False)


def ids(ledger: Ledger) -> list[str]:
    """The outbox, in its order."""
    return [one.message.id for one in ledger.waiting(1000)]


def test_everything_is_there_after_a_restart(ledger: Ledger, tmp_path: Path) -> None:
    """Visits, messages in their order with all that they hold, memories and notes."""
    for number in range(5):
        ledger.commit(with_visit(number))
    ledger.set_note("desired", "{}")
    before = ledger.waiting(10)
    ledger = reopened(ledger, tmp_path)
    assert ledger.waiting(10) == before
    assert [one.message for one in before] == [outgoing.of_visit(visit(number)) for number in range(5)]
    assert ledger.totals("door", 0, 2e9) == {"woman": 5}
    assert ledger.memories() == {"door": '"after 4"'}
    assert ledger.note("desired") == "{}"
    assert ledger.note("other") is None
    assert ledger.outbox_size == 5
    ledger.close()


def test_the_same_twice_is_once(ledger: Ledger) -> None:
    """A visit and a message whose ids are known change nothing."""
    for _ in range(3):
        ledger.commit(with_visit(1))
    assert ledger.totals("door", 0, 2e9) == {"woman": 1}
    assert ids(ledger) == ["door-1"]
    assert ledger.outbox_size == 1


def test_what_was_sent_leaves_the_outbox(ledger: Ledger) -> None:
    """One by one, and never comes back."""
    for number in range(3):
        ledger.commit(with_visit(number))
    first = ledger.waiting(10)[0]
    ledger.sent(first.number)
    ledger.sent(first.number)
    assert ids(ledger) == ["door-1", "door-2"]
    assert ledger.outbox_size == 2


def test_unpublished_visits_are_known(ledger: Ledger, tmp_path: Path) -> None:
    """Those of which it is not known that they were published, with the times that they have now, are so after a restart too."""
    ledger.commit(with_visit(1))
    ledger.commit(with_visit(2))
    ledger.mark_published([(visit(1).id, visit(1).started_at), (visit(2).id, visit(2).started_at - 1)])
    ledger = reopened(ledger, tmp_path)
    assert ledger.unpublished(1000) == [visit(2)]
    ledger.close()


def test_counts_are_of_one_camera_and_one_time(ledger: Ledger) -> None:
    """By label, from a time to before another; by the quarter of an hour in which they began."""
    for number, (label, camera) in enumerate(itertools.product(("man", "woman", "woman"), ("door", "back"))):
        ledger.commit(with_visit(number, label=label, camera=camera))
    assert ledger.totals("door", 0, 2e9) == {"man": 1, "woman": 2}
    assert ledger.totals("door", NOON, NOON + 20) == {"man": 1}
    assert ledger.totals("door", NOON + 20, NOON + 40.1) == {"woman": 2}
    assert ledger.totals("door", 0, 2e9, min_probability=0.95) == {}
    quarter = int(NOON // 900 * 900)
    assert ledger.quarters("door", 0, 2e9) == [("man", quarter, 1), ("woman", quarter, 2)]


def test_cameras_and_last_visits_of_a_time(ledger: Ledger) -> None:
    """The cameras at which visits began, and of those asked for the last visits, the newest first, no more than wanted."""
    assert ledger.cameras(0, 2e9) == []
    for number, camera in enumerate(("door", "back", "door", "yard", "back", "door")):
        ledger.commit(Changes(visits=[visit(number, camera=camera)]))
    assert ledger.cameras(0, 2e9) == ["back", "door", "yard"]
    assert ledger.cameras(NOON + 20, NOON + 40) == ["door", "yard"]
    assert ledger.cameras(NOON + 50.1, 2e9) == []
    every = [visit(5), visit(4, camera="back"), visit(3, camera="yard"), visit(2), visit(1, camera="back"), visit(0)]
    assert ledger.latest(real("back", "door", "yard"), 0, 2e9, 10) == every
    assert ledger.latest(real("back", "door", "yard"), 0, 2e9, 2) == every[:2]
    assert ledger.latest(real("back", "door", "yard"), NOON + 10, NOON + 40, 10) == every[2:5]
    assert ledger.latest(real("door"), 0, 2e9, 2) == [visit(5), visit(2)]
    assert ledger.latest({}, 0, 2e9, 2) == []


def test_no_question_reads_all_visits(ledger: Ledger) -> None:
    """SQLite finds what is asked about by the index, and need not sort the visits: they may be of 400 days."""
    ledger.commit(with_visit(1))
    asked: list[str] = []
    with ledger._reading() as connection:
        connection.set_trace_callback(asked.append)
        ledger.cameras(NOON, NOON + 86400)
        ledger.latest(real("door"), NOON, NOON + 86400, 50)
        ledger.quarters("door", NOON, NOON + 86400)
        ledger.totals("door", NOON, NOON + 86400)
        ledger.is_demo("door", NOON, NOON + 86400)
        connection.set_trace_callback(None)
        of_visits = [question for question in asked if "FROM visit" in question]
        plans = [[str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {question}")] for question in of_visits]
    assert len(plans) == 5
    for plan in plans:
        assert any("INDEX visit_by_begin" in step for step in plan)
        assert not any(step.startswith("SCAN visit") for step in plan)
    assert not any("TEMP B-TREE" in step for plan in plans[:2] for step in plan)


def test_questions_that_belong_together_see_the_same(ledger: Ledger) -> None:
    """While they are asked, nothing is written; it is afterwards."""
    writer = threading.Thread(target=ledger.commit, args=(with_visit(1),))
    with ledger.unchanged():
        writer.start()
        for _ in range(50):
            assert ledger.cameras(0, 2e9) == []
        assert writer.is_alive()
    writer.join(limit(10))
    assert ledger.cameras(0, 2e9) == ["door"]


def test_a_full_outbox_lets_the_least_go_first(tmp_path: Path) -> None:
    """Of more than it holds the oldest predictions go, then changes, then summaries, visits last; each is counted."""
    metrics = Metrics()
    ledger = Ledger(tmp_path, 6, metrics)
    for number in range(2):
        ledger.commit(Changes(outgoing=[message(number, kind) for kind in reversed(Kind)]))
    left = ["VISIT-0", "SUMMARY-0", "CHANGE-0", "VISIT-1", "SUMMARY-1", "CHANGE-1"]
    assert ids(ledger) == left
    for number, gone in enumerate(["CHANGE-0", "CHANGE-1", "SUMMARY-0", "SUMMARY-1", "VISIT-0"]):
        ledger.commit(Changes(outgoing=[message(10 + number, Kind.VISIT)]))
        assert gone not in ids(ledger)
        assert ledger.outbox_size == len(ids(ledger)) == 6
    assert metrics.snapshot() == {"dropped_predictions": 2, "dropped_changes": 2, "dropped_summary": 2, "dropped_visits": 1}
    ledger.close()


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from(list(Kind)), st.integers(0, 30)), max_size=60), st.integers(1, 8))
def test_the_outbox_never_holds_more(tmp_path_factory: pytest.TempPathFactory, put: list[tuple[Kind, int]], most: int) -> None:
    """Whatever comes, there are never more than allowed, what is left is the most wanted, and the size told is the size."""
    ledger = Ledger(tmp_path_factory.mktemp("ledger"), most, Metrics())
    for kind, number in put:
        ledger.commit(Changes(outgoing=[message(number, kind)]))
        assert ledger.outbox_size == len(ids(ledger)) <= most
    visits = list(dict.fromkeys(f"VISIT-{number}" for kind, number in put if kind is Kind.VISIT))
    if len(visits) <= most:
        assert [one for one in ids(ledger) if one.startswith("VISIT")] == visits
    ledger.close()


def test_old_visits_go_a_bounded_number_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those up to a number, and up to another one those whose end lies in a time."""
    monkeypatch.setattr("counter.ledger.PRUNED_AT_ONCE", 3)
    ledger = Ledger(tmp_path, 100, Metrics())
    for number in range(6):
        ledger.commit(with_visit(number))
    assert ledger.prune(1, 5, NOON + 14.5, NOON + 49) == 3
    assert ledger.prune(1, 5, NOON + 14.5, NOON + 49) == 1
    assert ledger.prune(1, 5, NOON + 14.5, NOON + 49) == 0
    assert [one.id for one in ledger.latest({"door": False}, 0, 2e9, 10)] == ["door-5", "door-1"]
    ledger.close()


def test_one_folder_one_bridge(ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second bridge on the same folder would count everything twice: it is told so."""
    monkeypatch.setattr("counter.database.PATIENCE", 0.3)
    with pytest.raises(InvalidSetting, match=r"STATE_DIR.*another bridge uses it"):
        Ledger(tmp_path, 100, Metrics())


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    """A file where the folder is to be is no retry's matter."""
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidSetting, match="STATE_DIR"):
        Ledger(tmp_path / "file", 100, Metrics())


def test_a_newer_ledger_is_left_alone(ledger: Ledger, tmp_path: Path) -> None:
    """An older Footfall does not write into tables that it does not know."""
    ledger.commit(with_visit(1))
    ledger.close()
    with sqlite3.connect(tmp_path / FILE) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
        connection.execute("UPDATE note SET text = ? WHERE name = 'version'", (str(VERSION + 1),))
    connection.close()
    with pytest.raises(InvalidSetting, match="of a newer Footfall"):
        Ledger(tmp_path, 100, Metrics()).memories()


def test_a_locked_file_is_waited_for(ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another program has it locked nothing is written, and that is said; afterwards all is, by the same connection."""
    monkeypatch.setattr("counter.database.PATIENCE", 0.2)
    ledger.commit(with_visit(1))
    monkeypatch.setattr(Database, "_open", lambda _self: pytest.fail("opened again: all of the file is checked again"))
    other = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    for _ in range(3):
        with pytest.raises(LedgerUnavailable, match="database is locked"):
            ledger.commit(with_visit(2))
    other.close()
    ledger.commit(with_visit(2))
    assert ids(ledger) == ["door-1", "door-2"]


def test_a_failed_commit_leaves_nothing(ledger: Ledger) -> None:
    """All of a change is kept or nothing of it: a visit without its message cannot be."""
    unfit = Outgoing("id", Kind.VISIT, "{}", {"label": object()})  # type: ignore[dict-item]
    with pytest.raises(TypeError):
        ledger.commit(Changes({"door": "x"}, [visit(1)], [message(1, Kind.VISIT), unfit]))
    assert ids(ledger) == []
    assert ledger.outbox_size == 0
    assert ledger.totals("door", 0, 2e9) == {}
    assert ledger.memories() == {}


def test_what_is_sent_while_others_write_is_not_counted_as_waiting(tmp_path: Path) -> None:
    """The size of the outbox is that of the outbox, however commits and sending meet: else it would seem full at last."""
    metrics = Metrics()
    ledger = Ledger(tmp_path, 50, metrics)
    is_over = threading.Event()

    def send() -> None:
        while not is_over.is_set():
            for one in ledger.waiting(10):
                ledger.sent(one.number)

    sender = threading.Thread(target=send)
    sender.start()
    for number in range(1500):
        ledger.commit(with_visit(number))
    is_over.set()
    sender.join()
    assert ledger.outbox_size == len(ids(ledger))
    ledger.close()


WRITER = """
import sys
from pathlib import Path
from counter.ledger import Ledger
from runtime.metrics import Metrics
from tests.counter.test_ledger import with_visit
ledger = Ledger(Path(sys.argv[1]), 100000, Metrics())
for number in range(int(sys.argv[2]), 100000):
    ledger.commit(with_visit(number))
    print(number, flush=True)
"""


def test_what_was_committed_survives_a_kill(tmp_path: Path) -> None:
    """After a SIGKILL in the middle of writing, every change that was said to be kept is there, whole."""
    said = -1
    for _ in range(5):
        command = [sys.executable, "-c", WRITER, str(tmp_path), str(said + 1)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout
            for line in itertools.islice(writer.stdout, 50):
                said = int(line)
            writer.kill()
            for line in writer.stdout:
                said = int(line)
    ledger = Ledger(tmp_path, 100_000, Metrics())
    kept = ledger.totals("door", 0, 2e9)["woman"]
    assert said + 1 <= kept <= said + 2
    assert len(ledger.waiting(100_000)) == kept
    assert ledger.memories() == {"door": f'"after {kept - 1}"'}
    ledger.close()
