"""The path of a prediction from the inbox to the broker; the effects of predictions, commands and timeouts on a camera."""

import re
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bus import About, Command, CurrentLabel, DayCounts, Line, Prediction, Setup, Status, Summary, Visit, states, topics
from counter.batch import MAX_WAIT, Batch
from counter.camera import MAX_HOURS
from counter.changes import Changes
from counter.database import FILE, Database
from counter.hours import HOUR
from counter.main_loop import SUSPENDED_AFTER
from counter.publisher import MAX_IN_FLIGHT, SETTLE_TIME
from counter.registry import FORGET_AFTER, MAX_CAMERAS, PAUSE_RETRY_AFTER, SILENCE_TIMEOUT
from counter.visitors import VisitorCounter
from tests.counter.shop import NOON, RULES, UTC, Shop, brief, scripted, visit


def labels(shop: Shop) -> list[tuple[str | None, float | None]]:
    """Returns each published label, and how long after noon it changed."""
    return [(one.label, None if one.at is None else round(one.at - NOON, 1)) for one in shop.sent(CurrentLabel)]


def frames(shop: Shop) -> list[int]:
    """Returns the number of frames of each published visit."""
    return [one.frames for one in shop.sent(Visit)]


def durations(visits: list[Visit]) -> list[tuple[str, float, int]]:
    """Returns label, duration and frames of each visit."""
    return [(one.label, round(one.ended_at - one.started_at, 2), one.frames) for one in visits]


def results(shop: Shop) -> list[Visit | Summary]:
    """Returns the published visits and summaries."""
    return [one for one in shop.published if isinstance(one, Visit | Summary)]


def test_committed_results_are_published_and_acknowledged(shop: Shop) -> None:
    """The label comes when it changes, the visit and its counts when the visit ends. The ledger notes the acknowledgement."""
    shop.see("n" * 5 + "w" * 20 + "n" * 20)
    assert labels(shop) == [(None, None), ("woman", 0.7), (None, 3.0)]
    assert brief(shop.sent(Visit)) == [("woman", 0.5, 2.4, 20)]
    assert [one.totals for one in shop.sent(DayCounts)] == [{}, {"woman": 1}]
    shop.step(SETTLE_TIME)
    assert (shop.ledger.unpublished(0, 10), len(shop.sent(Visit))) == ([], 1)
    assert (len(shop.bus.deliveries), shop.bus.progress) == (45, 45)


@pytest.mark.parametrize("by", ["a new connection", "a restart"])
def test_a_result_is_published_until_the_broker_has_saved_it(shop: Shop, by: str) -> None:
    """It is published in order and unchanged: a killed broker forgets what it acknowledged in its last seconds."""
    shop.bus.acknowledges = False
    shop.ledger.commit(Changes(results=[visit(1), visit(2)], summaries=[shop.reports.summary("door", NOON, NOON + HOUR)]))
    shop.step()
    first = results(shop)
    assert first == [one.message for one in shop.ledger.unpublished(0, 10)]
    shop.bus.acknowledgements[0]()
    shop.step(10)
    shop.step(SETTLE_TIME - 1)
    shop.bus.acknowledgements[1]()
    shop.step()
    shop.step(1)
    assert results(shop) == first
    if by == "a restart":
        shop.restart()
        shop.bus.acknowledges = False
    else:
        shop.bus.connection += 1
    shop.step()
    shop.step(SETTLE_TIME)
    assert results(shop) == [*first, *first[1:]]
    assert [one.message for one in shop.ledger.unpublished(0, 10)] == first[1:], "an acknowledgement counts in one connection"
    for acknowledge in shop.bus.acknowledgements:
        acknowledge()
    shop.step()
    shop.step(SETTLE_TIME)
    assert (len(results(shop)), shop.ledger.unpublished(0, 10)) == (5, [])


def test_more_than_a_queue_holds_is_published_in_order(shop: Shop) -> None:
    """A refused message is retried in the same connection, and nothing newer overtakes it."""
    visits = [visit(number) for number in range(5 * MAX_IN_FLIGHT)]
    shop.ledger.commit(Changes(results=[*visits]))
    for room in (2, 0, 0, 3, *[1000] * 12):
        shop.bus.room = room
        shop.step()
    assert shop.sent(Visit) == visits
    shop.step(SETTLE_TIME)
    assert shop.ledger.unpublished(0, 10) == []


def test_a_message_that_fails_is_dropped(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is counted and acknowledged, because it would fail again. It does not count as progress."""
    process = shop.registry.process

    def fail(prediction: Prediction, batch: Batch) -> None:
        assert prediction.camera != "bad"
        process(prediction, batch)

    monkeypatch.setattr(shop.registry, "process", fail)
    shop.see("w" * 5, camera="bad")
    assert (shop.metrics["failed"], len(shop.bus.deliveries), shop.bus.progress) == (5, 5, 0)
    shop.see("w" * 10 + "n" * 10)
    assert frames(shop) == [10]


def test_a_label_is_the_same_after_a_restart_and_moves_with_the_clock(shop: Shop) -> None:
    """It keeps the time of the frame that changed it, and says that it is the demo's."""
    shop.see("wwww", demo=True)
    shop.restart()
    shop.see("w", start=0.4, demo=True)
    (later,) = scripted("w", start=NOON + 100.5)
    shop.receive(replace(later, sequence=round(NOON * 1000) + 500, session_time=NOON + 0.5, demo=True))
    assert labels(shop) == [(None, None), *[("woman", 0.2)] * 3]
    assert [(one.since, one.demo) for one in shop.sent(CurrentLabel)[1:]] == [(NOON, True), (NOON, True), (NOON + 100, True)]


def test_silence_ends_a_visit(shop: Shop) -> None:
    """The visit ends at the last frame's time."""
    shop.see("wwww")
    shop.pass_time(SILENCE_TIMEOUT - 2)
    assert not shop.visits
    shop.pass_time(8)
    assert brief(shop.visits) == [("woman", 0.0, 0.3, 4)]
    assert [label for label, _ in labels(shop)] == [None, "woman", None]


@pytest.mark.parametrize(
    "steps", [[1.0] * 60, [SILENCE_TIMEOUT + 2], [SUSPENDED_AFTER] * 12], ids=["offline", "suspended", "repeatedly"]
)
def test_while_the_counter_receives_nothing_no_camera_is_silent(shop: Shop, steps: list[float]) -> None:
    """The visit continues with the predictions that the broker kept."""
    shop.see("w" * 10)
    shop.bus.connected = len(steps) < 60
    for seconds in steps:
        shop.step(seconds)
    shop.bus.connected = True
    shop.step()
    shop.see("w" * 10 + "n" * 10, start=1)
    assert frames(shop) == [20]


def test_dropped_predictions_are_counted(shop: Shop) -> None:
    """Predictions are dropped if they are repeated, have a reserved name, or come from too many cameras; all are counted."""
    shop.see("wwww")
    shop.see("ww")
    shop.see("w" * 8, start=100, interval=2.0)
    for number in range(200):
        shop.see("w", camera=f"camera{number}", start=120)
    shop.see("wwww", camera="status", start=120)
    assert (shop.metrics["dropped_late"], shop.metrics["too_far_apart"], shop.metrics["dropped_camera"]) == (2, 4, 141)
    assert len(shop.registry.cameras) == MAX_CAMERAS


@pytest.mark.parametrize("number", [3, 9], ids=["late", "repeated"])
@pytest.mark.parametrize("session", ["session", "earlier session"])
def test_a_late_prediction_of_the_demo_splits_no_visit(shop: Shop, number: int, session: str) -> None:
    course = [replace(one, sequence=at, demo=at < 10) for at, one in enumerate(scripted("n" * 10 + "w" * 20 + "n" * 20))]
    course[:10] = [replace(one, session=session) for one in course[:10]]
    shop.receive(*course[:20], course[number], *course[20:])
    assert [(one.frames, one.demo) for one in shop.sent(Visit)] == [(20, False)]
    assert shop.metrics["dropped_late"] == 1


SCRIPT = "nnwwwwwwmwwwnnnnnnnnmmm?mmmmnnnnnnnnnnnwwmmwwwww" + " " * 16 + "wwnnnnnwwwwwwwww" + "n" * 20 + "mmmmm" + "n" * 20
SETS = st.lists(
    st.tuples(st.integers(0, len(SCRIPT)), st.sampled_from([-59.0, -30.0, -10.0, 45.0, 3600.0, 60.0 - NOON])), max_size=3
)
"""Frames at which the clock is set, and by how much. At the end it is right, so it may start in 1970."""


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, len(SCRIPT)), st.integers(0, 30)), max_size=6), SETS, st.booleans())
def test_a_restart_anywhere_changes_nothing(
    tmp_path: Path, cuts: list[tuple[int, int]], sets: list[tuple[int, float]], at_once: bool
) -> None:
    """Restarts, repeated predictions and changes of the clock do not change the visits."""
    wrong = [max(60.0 - NOON, sum(by for place, by in sets if number < place)) for number in range(len(SCRIPT))]
    course = [
        replace(scripted(letter, start=NOON + number / 10 + wrong[number])[0], sequence=number, session_time=number / 10)
        for number, letter in enumerate(SCRIPT)
        if letter != " "
    ]
    with closing(Shop(Path(mkdtemp(dir=tmp_path)))) as continuous, closing(Shop(Path(mkdtemp(dir=tmp_path)))) as restarted:
        continuous.receive(*course, at_once=False)
        done = 0
        for cut, again in sorted(cuts):
            restarted.receive(*course[done:cut], at_once=at_once)
            restarted.restart()
            done = max(0, cut - again)
        restarted.receive(*course[done:], at_once=at_once)
        assert restarted.visits == continuous.visits
        assert list(dict.fromkeys(labels(restarted))) == list(dict.fromkeys(labels(continuous)))
        counter = VisitorCounter("door", RULES)
        expected = [ended for one in scripted(SCRIPT) for ended in counter.process(one) if isinstance(ended, Visit)]
        assert durations(continuous.visits) == durations(expected)
        assert len(continuous.visits) >= 4


def test_invalid_and_old_states_are_not_restored(shop: Shop) -> None:
    shop.ledger.commit(Changes({"door": '{"visits": 3}', "back": "no json"}))
    shop.restart()
    assert shop.metrics["invalid_state"] == 2
    shop.see("wwww" + "n" * 20)
    assert frames(shop) == [4]
    shop.step(FORGET_AFTER - 60)
    shop.restart()
    assert "door" in shop.registry.cameras
    shop.step(120)
    shop.restart()
    assert "door" not in shop.registry.cameras


@pytest.mark.parametrize(
    ("part", "damaged"),
    [
        (r'"last_at":[^,]+', '"last_at":NaN'),
        (r'"last_at":[^,]+', '"last_at":9e15'),
        (r'"offset":[^,]+', '"offset":-1e300'),
        (r'"known":[^,]+', '"known":-5'),
        (r'"summarised_until":[^,]+', '"summarised_until":1e20'),
        (r'"label_at":[^,}]+', '"label_at":Infinity'),
        (r'"started_at":[^,]+', '"started_at":1e12'),
        (r'"peak":[^,]+', '"peak":7.5'),
        (r'"woman":', r'"wo\u0000man":'),
        (r'"evidence":\{.+?\}\}', '"evidence":{}'),
        (r'"settled":[^,}]+', '"settled":"man"'),
        (r'"left":0', '"left":5'),
        (r'"aspect":[^,]+', '"aspect":0'),
        (r'"tracks":""', '"tracks":"k5OTk5OTk5M="'),
        (r'"tracks":""', '"tracks":"lwGhNcCQkJCQ"'),  # the next number is a text
        (r'"tracks":""', '"tracks":"lwEFwJCQkJGSBaA="'),  # a balance of texts
    ],
)
def test_a_damaged_state_is_not_restored(shop: Shop, part: str, damaged: str) -> None:
    """SQLite does not notice a damaged cell. The camera begins without a state, and the counter goes on."""
    shop.receive(Setup("door", lines=(Line("entrance", (0.1, 0.5), (0.9, 0.5)),)))
    shop.see("nnwwww")
    state, found = re.subn(part, lambda _: damaged, shop.ledger.states()["door"], count=1)
    assert found, shop.ledger.states()["door"]
    shop.ledger.commit(Changes({"door": state}))
    shop.restart()
    assert shop.metrics["invalid_state"] == 1
    shop.see("wwww" + "n" * 20, start=10)
    shop.pass_time(2 * HOUR)
    assert frames(shop) == [4]


def test_a_paused_camera_is_not_counted(shop: Shop) -> None:
    """A pause ends the visit after the predictions before it, and survives a restart. A camera that still sends is paused again,
    at a limited rate.
    """
    shop.receive(*scripted("w" * 20), Command("door", "pause"), *scripted("w" * 20, start=NOON + 2))
    shop.see("m" * 10, start=4)
    assert (frames(shop), shop.sent(Command)) == ([20], []), "these were in transit when the pause came"
    shop.step(MAX_WAIT)
    shop.restart()
    shop.see("w" * 100, start=2 * PAUSE_RETRY_AFTER + MAX_WAIT)
    assert shop.sent(Command) == [Command("door", "pause")] * 2
    assert shop.metrics["dropped_paused"] == 100
    shop.receive(Command("door", "resume"))
    shop.restart()
    shop.see("w" * 5 + "n" * 20, start=40)
    assert ([one.frames for one in shop.visits], len(shop.sent(Command))) == ([20, 5], 2)


def hours(shop: Shop) -> list[float]:
    """Returns the start of each published summary, in hours after noon's hour."""
    shop.step(2)
    shop.step()
    return [(one.began_at - NOON // HOUR * HOUR) / HOUR for one in shop.sent(Summary)]


def test_an_hour_is_summarised_once(shop: Shop) -> None:
    """The summary has its visits by label, and comes when a later frame shows that the hour is over. Restarts change nothing. A
    limited number of hours is summarised after an absence, and none for a camera that is gone.
    """
    over = UTC.hour_end(NOON) - NOON
    shop.see("w" * 10 + "n" * 10 + "m" * 10 + "n" * 10 + "w" * 10 + "n" * 10)
    shop.see("n", start=over - 1)
    assert hours(shop) == []
    shop.see("nn", start=over + 1)
    assert hours(shop) == [0]
    (summary,) = shop.sent(Summary)
    assert (summary.visits, summary.hour) == ({"man": 1, "woman": 2}, "14")
    shop.step()
    shop.step(SETTLE_TIME)
    shop.restart(2 * HOUR)
    assert hours(shop) == [0]
    shop.pass_time(SILENCE_TIMEOUT + 6)
    assert hours(shop) == [0, 1, 2]
    shop.see("n", start=(MAX_HOURS + 2) * HOUR)
    assert hours(shop) == [*range(MAX_HOURS + 2)]
    shop.advance((MAX_HOURS + 2) * HOUR)
    shop.pass_time(SILENCE_TIMEOUT + 6)
    assert len(hours(shop)) == MAX_HOURS + 2


def test_hours_follow_a_clock_that_is_set(shop: Shop) -> None:
    """Set ahead, the current hour and the newest ones are summarised. Set back, hours continue from there. 1970 has none."""
    for number, start in enumerate((60.0, 4000.0, 9000.0)):
        shop.receive(replace(scripted("n", start=start)[0], sequence=number, session_time=start))
    shop.see("wwww" + "n" * 20)
    assert hours(shop) == []
    shop.see("n", start=1000 * HOUR)
    expected = [0, *range(1000 - MAX_HOURS, 1000)]
    assert hours(shop) == expected
    for start, more in ((-5 * HOUR, []), (-4 * HOUR, [-5])):
        shop.receive(replace(scripted("n", start=NOON + start)[0], session="b"))
        assert hours(shop) == [*expected, *more]


def test_a_visit_over_midnight_counts_on_the_day_it_began(shop: Shop) -> None:
    """The counts of its day come first, because today's are retained."""
    shop.see("n")
    shop.advance(86400)
    shop.see("w" * 10 + "n" * 10, start=10)
    counts = [(one.day, one.totals) for one in shop.sent(DayCounts)]
    assert counts[-2:] == [("2026-09-21", {"woman": 1}), ("2026-09-22", {})]


def test_a_locked_ledger_delays_work_and_loses_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Predictions are counted and acknowledged once it is writable, by the same connection without another check."""
    monkeypatch.setattr(Database, "_open", lambda _self: pytest.fail("opened again"))
    other = sqlite3.connect(shop.folder / FILE, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(0.5, other.close).start()
    shop.receive(*scripted("w" * 10 + "n" * 10))
    assert (frames(shop), len(shop.bus.deliveries)) == ([10], 20)
    assert shop.metrics["ledger_failed"] > 0
    assert [one.state for one in shop.sent(Status)][-2:] == [states.LEDGER_UNAVAILABLE, states.RUNNING]


def test_a_damaged_ledger_is_reported_and_splits_nothing(shop: Shop) -> None:
    """Neither the open visit nor the camera's period is split: the state in memory goes into the new file."""
    shop.see("w" * 10)
    for path in shop.folder.glob(f"{FILE}*"):
        path.write_bytes(b"\xfe" * path.stat().st_size)
    shop.see("w" * 10 + "n" * 20, start=1)
    assert (frames(shop), shop.status.state) == ([20], states.RUNNING)
    assert "the ledger was damaged and has been repaired; the damaged file is ledger.db.broken-" in shop.status.detail
    shop.step(MAX_WAIT)
    shop.ledger.save_periods()
    shop.restart()
    (span,) = shop.reports.spans("door", 0, 1e11)
    assert span == pytest.approx((NOON, NOON + 3.9), abs=0.01)


def ended(camera: str | None, state: str = states.ENDED) -> Status:
    return Status(f"capture-{camera}".lower(), state, about=About(camera))


def test_the_end_of_a_recording_ends_the_visit(shop: Shop) -> None:
    """The visit ends at once, after the predictions before it. The status names the camera until predictions come again or the
    camera is forgotten. Invalid cameras are dropped.
    """
    shop.receive(*scripted("w" * 6), ended("door", states.RUNNING), ended("door"))
    assert (frames(shop), labels(shop)[-1][0], shop.status.about.ended) == ([6], None, ("door",))
    shop.see("m", start=5)
    assert shop.status.about.ended == ()
    shop.receive(*(ended(f"c{number:02}") for number in range(70)), ended(None), ended("status"))
    assert (len(shop.status.about.ended), shop.metrics["dropped_camera"], shop.metrics["invalid"]) == (MAX_CAMERAS, 6, 2)
    shop.bus.deliver(topics.label("c00"), b"")
    shop.step()
    assert "c00" not in shop.status.about.ended


def test_a_camera_whose_label_is_cleared_is_forgotten(shop: Shop) -> None:
    """Its open visit ends, its retained messages are not published again, and a restart does not bring it back. A label that is
    still retained is cleared.
    """
    shop.see("w" * 10)
    number = len(labels(shop))
    shop.bus.deliver(topics.label("door"), b"")
    shop.step()
    assert frames(shop) == [10]
    assert shop.bus.forgotten == [one("door") for one in (topics.label, topics.counts, topics.occupancy, topics.alerts)]
    shop.restart()
    shop.step(2)
    assert (len(labels(shop)), len(shop.visits)) == (number, 1)
    shop.receive(CurrentLabel("door", "woman", 0.9, 1000.0), CurrentLabel("other", None, None, None))
    assert shop.sent(CurrentLabel)[number:] == [CurrentLabel("door", None, None, None)]


def test_messages_that_are_too_large_are_dropped(shop: Shop) -> None:
    """Summaries and counts of thousands of labels are dropped; the visits themselves are published."""
    visits = [visit(number, NOON, f"{number}{'x' * 240}") for number in range(4500)]
    shop.ledger.commit(Changes(results=[*visits]))
    shop.see("n")
    shop.see("n", start=HOUR)
    assert hours(shop) == []
    assert shop.metrics["too_large"] >= 2
