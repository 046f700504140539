"""The way of a prediction from the inbox to what is published, without a broker."""

import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from bus import About, Bus, Command, CurrentLabel, DayCounts, Prediction, Status, Summary, Visit, states, topics
from counter.changes import Changes
from counter.counting import MAX_PAUSE, PRUNE_EVERY, Counter
from counter.database import FILE
from counter.expiry import Expiry
from counter.hours import HOUR
from counter.publisher import MAX_IN_FLIGHT, SETTLED
from counter.registry import MAX_CAMERAS, SILENCE, CameraRegistry
from counter.reports import Reports
from tests.counter.fake_bus import FakeBus
from tests.counter.place import NOON, RULES, UTC, HandClocks, brief, open_ledger, seen, visit


class Shop(HandClocks):
    """A counter that can be restarted on its ledger, on clocks that are set by hand."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.start()

    def start(self) -> None:
        self.bus = FakeBus()
        self.ledger = open_ledger(self.folder, clocks=self.clocks, lock_timeout=0.1)
        self.reports = Reports(self.ledger, UTC)
        self.registry = CameraRegistry(RULES, UTC, self.bus.count_and_warn, self.clocks)
        expiry = Expiry(self.ledger, 400, self.clocks)
        self.counter = Counter(cast(Bus, self.bus), self.registry, self.reports, self.ledger, expiry)
        self.counter.restore()

    def restart(self) -> None:
        self.ledger.close()
        self.start()

    def step(self, seconds: float = 0.0) -> None:
        self.advance(seconds)
        self.counter.step(0)

    def see(self, text: str, begin: float = 0.0, camera: str = "door") -> None:
        """Predictions from that many seconds after noon on, in one step at their end."""
        frames = [replace(one, camera=camera) for one in seen(text, begin=NOON + begin)]
        self.bus.receive(*frames)
        self.step(max(0.0, frames[-1].captured_at - self.now))

    @property
    def labels(self) -> list[str | None]:
        return [one.label for one in self.bus.of(CurrentLabel)]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    one = Shop(tmp_path)
    yield one
    one.ledger.close()


def test_what_is_committed_is_published_and_acknowledged(shop: Shop) -> None:
    shop.see("w" * 10 + "n" * 10)
    assert brief(shop.bus.of(Visit)) == [("woman", 0.9, 10)]
    assert shop.labels == [None, "woman", None]
    assert [one.totals for one in shop.bus.of(DayCounts)] == [{"woman": 1}]
    assert (len(shop.bus.deliveries), shop.bus.progress) == (20, 1)
    shop.step()
    shop.step(SETTLED)
    assert shop.ledger.unpublished(0, 10) == []
    assert (len(shop.bus.of(Visit)), shop.bus.progress) == (1, 1)


@pytest.mark.parametrize("by", ["a new connection", "a restart"])
def test_a_result_is_published_until_the_broker_has_saved_it(shop: Shop, by: str) -> None:
    """In order, with the same content: a killed broker forgets what it acknowledged in its last seconds."""
    shop.bus.acknowledges = False
    shop.ledger.commit(Changes(visits=[visit(1), visit(2)], summaries=[shop.reports.summary("door", NOON, NOON + HOUR)]))
    shop.step()
    first = shop.bus.results
    assert [one.id for one in first] == ["door-1", "door-2", first[2].id]
    shop.bus.acknowledgements[0]()
    shop.step(10)
    shop.step(SETTLED - 1)
    shop.bus.acknowledgements[1]()
    shop.step()
    shop.step(1)
    assert shop.bus.results == first
    if by == "a restart":
        shop.restart()
    else:
        shop.bus.connection += 1
    shop.step()
    assert shop.bus.results[-2:] == first[1:]
    for acknowledge in shop.bus.acknowledgements:
        acknowledge()
    shop.step()
    shop.step(SETTLED)
    assert (len(shop.bus.results), shop.ledger.unpublished(0, 10)) == (2 if by == "a restart" else 5, [])


def test_more_than_a_queue_holds_is_published_in_order(shop: Shop) -> None:
    """What is refused is tried again in the same connection, and nothing newer goes before it."""
    visits = [visit(number) for number in range(5 * MAX_IN_FLIGHT)]
    shop.ledger.commit(Changes(visits=visits))
    for room in (2, 0, 0, 3, *[1000] * 12):
        shop.bus.room = room
        shop.step()
    assert shop.bus.of(Visit) == visits
    shop.step(SETTLED)
    assert shop.ledger.unpublished(0, 10) == []


def test_a_message_that_fails_is_dropped(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is counted and acknowledged, as it would fail again and again; it is no progress."""
    process = shop.registry.process

    def fail(prediction: Prediction, batch: object) -> None:
        if prediction.camera == "bad":
            raise ZeroDivisionError
        process(prediction, batch)  # type: ignore[arg-type]

    monkeypatch.setattr(shop.registry, "process", fail)
    shop.see("w" * 5, camera="bad")
    assert (shop.bus.metrics.snapshot()["failed"], len(shop.bus.deliveries), shop.bus.progress) == (5, 5, 0)
    shop.see("w" * 10 + "n" * 10)
    assert len(shop.bus.of(Visit)) == 1


def test_an_hour_is_summarised_once(shop: Shop) -> None:
    """All its visits by label, as soon as a later frame shows that it is over; over a restart too."""
    hour = UTC.hour_begin(NOON)
    over = hour + HOUR - NOON
    shop.see("w" * 10 + "n" * 10 + "m" * 10 + "n" * 10 + "w" * 10 + "n" * 10)
    shop.see("n", begin=over - 1)
    shop.step(2)
    assert not shop.bus.of(Summary)
    shop.see("n" * 2, begin=over + 1)
    shop.step(2)
    shop.step()
    (summary,) = shop.bus.of(Summary)
    assert (summary.visits, summary.began_at, summary.hour) == ({"man": 1, "woman": 2}, hour, "14")
    shop.step()
    shop.step(SETTLED)
    shop.restart()
    shop.see("n" * 2, begin=over + 5)
    shop.step(2)
    shop.step()
    assert not shop.bus.of(Summary)


def test_counts_are_published_every_five_minutes_of_counting(shop: Shop) -> None:
    """An empty shop is known to have been counted; after a stop the ledger has all of it."""
    for number in range(20):
        shop.see("n", 45 * number)
    counts = shop.bus.of(DayCounts)
    assert len(counts) == 4
    assert not any(one.totals for one in counts)
    shop.ledger.save_periods()
    shop.restart()
    shop.step(2)
    hours = shop.bus.of(DayCounts)[-1].counted
    assert sum(share or 0.0 for share in hours.values()) == pytest.approx(45 * 19 / 3600, abs=0.01)


def test_a_visit_over_midnight_is_in_the_counts_of_the_day_it_began_on(shop: Shop) -> None:
    """Those of its day come first, as those of today are retained."""
    shop.see("n")
    shop.advance(86400)
    shop.see("w" * 10 + "n" * 10, begin=10)
    assert [(one.day, one.totals) for one in shop.bus.of(DayCounts)] == [
        ("2026-09-21", {}),
        ("2026-09-21", {"woman": 1}),
        ("2026-09-22", {}),
    ]


def test_a_clock_that_was_never_set_is_put_right(shop: Shop) -> None:
    """A boot in 1970: when the clock is set, earlier visits are published again with their id, and counted on their day."""
    frames = seen("w" * 10 + "n" * 20 + "m" * 20 + "n" * 20)
    wrong = NOON - 60
    for number, one in enumerate(frames):
        read = round(one.captured_at - wrong * (number < 40), 3)
        shop.bus.receive(replace(one, sequence=number, session_time=number / 10, captured_at=read))
        shop.step(0.1)
    first, corrected, after = shop.bus.of(Visit)
    assert (first.label, first.started_at) == ("woman", 60.0)
    assert corrected == replace(first, started_at=NOON, ended_at=round(NOON + 0.9, 3))
    assert (after.label, after.started_at, after.frames) == ("man", round(NOON + 3, 3), 20)
    assert [one.totals for one in shop.bus.of(DayCounts) if one.day < "1971"] == [{"woman": 1}, {}]
    assert shop.bus.of(DayCounts)[-1].totals == {"woman": 1, "man": 1}


def test_a_clock_that_jumps_is_reported_and_deletes_nothing(shop: Shop) -> None:
    shop.ledger.commit(Changes(visits=[visit(number, at=NOON - 2900 * number - 60) for number in range(900)]))
    shop.step(2)
    jump = 3 * 365 * 86400
    shop.now += jump
    for _ in range(3):
        shop.step(PRUNE_EVERY + 1)
    assert shop.bus.last_state[0] == states.RUNNING
    assert "the clock jumped ahead by 1095 days" in shop.bus.last_state[1]
    assert shop.bus.metrics.snapshot()["clock_jump_seconds"] == jump
    assert shop.reports.totals("door", 0, 1e11) == {"woman": 900}


def test_a_locked_ledger_delays_and_loses_nothing(shop: Shop) -> None:
    """Predictions are counted, and acknowledged, when it can be written again."""
    other = sqlite3.connect(shop.folder / FILE, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(0.5, other.close).start()
    shop.see("w" * 10 + "n" * 10)
    assert (len(shop.bus.of(Visit)), len(shop.bus.deliveries)) == (1, 20)
    assert shop.bus.metrics.snapshot()["ledger_failed"] > 0
    assert shop.bus.last_state == (states.RUNNING, "")


def test_a_broken_ledger_is_reported_and_splits_no_visit(shop: Shop) -> None:
    shop.see("w" * 10)
    for path in shop.folder.glob(f"{FILE}*"):
        path.write_bytes(b"\xfe" * path.stat().st_size)
    shop.see("w" * 10 + "n" * 20, begin=1)
    assert [one.frames for one in shop.bus.of(Visit)] == [20]
    assert shop.bus.last_state[0] == states.RUNNING
    assert "the ledger was broken and is repaired; the old file is ledger.db.broken-" in shop.bus.last_state[1]


@pytest.mark.parametrize("pause", [SILENCE + 2, MAX_PAUSE])
def test_a_counter_that_was_suspended_splits_nothing(shop: Shop, pause: float) -> None:
    """It gets first what came meanwhile."""
    shop.see("w" * 10)
    shop.advance(pause)
    shop.see("w" * 10 + "n" * 10, begin=1)
    assert [one.frames for one in shop.bus.of(Visit)] == [20]


def test_a_command_does_not_overtake_what_came_before_it(shop: Shop) -> None:
    shop.bus.receive(*seen("w" * 20), Command("door", "pause"), *seen("w" * 20, begin=NOON + 2))
    shop.step()
    assert [one.frames for one in shop.bus.of(Visit)] == [20]
    shop.restart()
    shop.see("w", begin=30)
    assert shop.bus.of(Command) == [Command("door", "pause")]


def ended(camera: str | None, state: str = states.ENDED) -> Status:
    return Status(f"capture-{camera}".lower(), state, about=About(camera))


def test_the_end_of_a_recording_ends_the_visit(shop: Shop) -> None:
    """At once; then the status says so until predictions come again. It waits behind the predictions before it."""
    shop.bus.receive(*seen("w" * 6), ended("door"))
    shop.step()
    assert ([one.frames for one in shop.bus.of(Visit)], shop.labels[-1]) == ([6], None)
    assert shop.bus.about["ended"] == ("door",)
    shop.see("m", begin=5)
    assert shop.bus.about["ended"] == ()


def test_ended_recordings_are_bounded(shop: Shop) -> None:
    """Statuses that nobody takes do not pile up; made-up cameras are dropped; one that is forgotten is not reported."""
    for number in range(2000):
        shop.bus.receive(ended("door", states.ENDED if number % 2 else states.RUNNING))
    assert len(shop.bus.waiting._waiting) == 1
    shop.bus.receive(*(ended(f"c{number:02}") for number in range(70)), ended(None), ended("status"))
    shop.step()
    metrics = shop.bus.metrics.snapshot()
    assert (len(shop.bus.about["ended"]), metrics["dropped_camera"], metrics["invalid"]) == (MAX_CAMERAS, 7, 2)
    shop.bus.on_cleared(topics.label("c00"))
    shop.step()
    assert "c00" not in shop.bus.about["ended"]


def test_a_camera_whose_label_is_cleared_is_forgotten(shop: Shop) -> None:
    """Its open visit ends, what is retained of it is not published again, and a restart does not bring it back."""
    shop.see("w" * 10)
    number = len(shop.labels)
    shop.bus.on_cleared(topics.label("door"))
    shop.step()
    assert ([one.frames for one in shop.bus.of(Visit)], len(shop.labels)) == ([10], number)
    assert shop.bus.forgotten == [topics.label("door"), topics.counts("door")]
    shop.restart()
    shop.step(2)
    assert not shop.labels
    assert shop.reports.totals("door", 0, 1e11) == {"woman": 1}


def test_a_retained_label_of_an_unknown_camera_is_cleared(shop: Shop) -> None:
    shop.bus.receive(CurrentLabel("ghost", "woman", 0.9, 1000.0), CurrentLabel("other", None, None, None))
    assert shop.bus.of(CurrentLabel) == [CurrentLabel("ghost", None, None, None)]


def test_what_is_too_large_is_dropped(shop: Shop) -> None:
    """Summaries and counts of labels without end; the visits themselves are published."""
    visits = [
        replace(visit(number, at=NOON), label=f"{number}{'x' * 240}", started_at=NOON, ended_at=NOON + 1)
        for number in range(4500)
    ]
    shop.ledger.commit(Changes(visits=visits))
    shop.see("n")
    shop.see("n", begin=HOUR)
    shop.step(2)
    assert shop.bus.metrics.snapshot()["too_large"] >= 2
    assert not shop.bus.of(Summary)
