"""The registry: what predictions, commands and time change at the cameras."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bus import Command
from counter.camera import MAX_HOURS
from counter.hours import HOUR
from counter.registry import FORGOTTEN, PAUSE_AGAIN, SILENCE
from tests.counter.place import NOON, Place, brief, seen


@pytest.fixture
def place() -> Place:
    return Place()


def labels(place: Place) -> list[tuple[str | None, float | None]]:
    """Each published label, and how long after noon it changed."""
    return [(one.label, None if one.at is None else round(one.at - NOON, 1)) for one in place.labels]


def test_labels_are_published_when_they_change(place: Place) -> None:
    place.see("n" * 5 + "w" * 20 + "n" * 20)
    assert labels(place) == [(None, None), ("woman", 0.7), (None, 3.0)]
    assert [visit.label for visit in place.visits] == ["woman"]


def test_a_label_is_published_again_after_a_restart_as_it_was(place: Place) -> None:
    """With the time of the frame that changed it: nothing has changed since."""
    place.see("wwww")
    place.restart()
    place.wait(0)
    place.see("wwww", begin=0.4)
    assert labels(place) == [(None, None), ("woman", 0.2), ("woman", 0.2)]


def test_a_label_says_whose_it_is_and_moves_with_the_clock(place: Place) -> None:
    place.see("wwww", demo=True)
    one = seen("w", begin=NOON + 100.4)[0]
    place.process(replace(one, sequence=round(NOON * 1000) + 400, session_time=NOON + 0.4, demo=True))
    assert [(one.label, one.demo) for one in place.labels] == [(None, True), ("woman", True), ("woman", True)]
    assert labels(place)[1:] == [("woman", 0.2), ("woman", 0.2)]
    assert [one.since for one in place.labels[1:]] == [NOON, NOON + 100]


def test_silence_ends_a_visit(place: Place) -> None:
    """It ended at the last frame's time."""
    place.see("wwww")
    place.wait(SILENCE - 1)
    assert not place.visits
    place.wait(2)
    assert place.visits[0].ended_at == pytest.approx(NOON + 0.3)
    assert place.labels[-1].label is None
    place.wait(1)
    assert (len(place.visits), len(place.labels)) == (1, 3)


def test_while_the_counter_receives_nothing_no_camera_is_silent(place: Place) -> None:
    """The visit continues with the predictions that the broker kept."""
    place.see("wwww")
    for _ in range(60):
        place.wait(1, is_receiving=False)
    place.wait(0)
    place.see("www" + "n" * 20, begin=0.4)
    assert [visit.frames for visit in place.visits] == [7]


def test_dropped_predictions_are_reported(place: Place) -> None:
    place.see("wwww")
    place.see("ww")
    assert len(place.warnings) == 2
    place.see("w" * 8, begin=100, interval=2.0)
    assert "raise FRAME_RATE or VISIT_GAP_SECONDS" in place.warnings[2]
    for number in range(200):
        place.see("w", camera=f"camera{number}")
    place.see("wwww", camera="status")
    assert len(place.registry.cameras) == 64
    assert sum("there are 64 cameras" in text for text in place.warnings) == 137
    assert "reserved" in place.warnings[-1]


SCRIPT = "nnwwwwwwmwwwnnnnnnnnmmm?mmmmnnnnnnnnnnnwwmmwwwww" + " " * 16 + "wwnnnnnwwwwwwwww" + "n" * 20
SETS = st.lists(
    st.tuples(st.integers(0, len(SCRIPT)), st.sampled_from([-59.0, -30.0, -10.0, 45.0, 3600.0, 60.0 - NOON])), max_size=3
)
"""At which frames the clock is set, and by how much; in the end it is right, so that it may begin in 1970."""


@settings(max_examples=100)
@given(st.lists(st.integers(0, len(SCRIPT)), max_size=6), SETS)
def test_a_restart_anywhere_changes_nothing(cuts: list[int], sets: list[tuple[int, float]]) -> None:
    """Wherever the counter restarts, and however the clock is set, the visits are the same."""
    wrong = [max(60.0 - NOON, sum(by for place, by in sets if number < place)) for number in range(len(SCRIPT))]
    frames = [
        replace(seen(letter, begin=NOON + number / 10 + wrong[number])[0], sequence=number, session_time=number / 10)
        for number, letter in enumerate(SCRIPT)
        if letter != " "
    ]
    right, never, often = (Place() for _ in range(3))
    right.see(SCRIPT)
    for number, one in enumerate(frames):
        never.process(one)
        for _ in range(cuts.count(number)):
            often.restart()
        often.process(one)
    assert (often.visits, often.corrections) == (never.visits, never.corrections)
    assert changes(often) == changes(never)
    assert brief(never.visits) == brief(right.visits)
    assert len(never.visits) >= 4


def changes(place: Place) -> list[tuple[str | None, float | None]]:
    """The labels and their times, once each."""
    return list(dict.fromkeys((one.label, one.at) for one in place.labels))


def test_an_empty_place_writes_nothing(place: Place) -> None:
    place.see("wwww" + "n" * 20)
    before = place.written
    place.see("n" * 500 + "?" * 100, begin=3)
    assert place.written == before
    place.see("w", begin=70)
    assert place.written == before + 1


def test_saved_states_that_cannot_be_read_or_are_old_are_not_restored(place: Place) -> None:
    place.states = {"door": '{"visits": 3}', "back": "no json"}
    place.restart()
    assert len(place.warnings) == 2
    place.see("wwww" + "n" * 20)
    assert len(place.visits) == 1
    place.advance(FORGOTTEN + 3)
    place.restart()
    assert "door" not in place.registry.cameras


def test_a_paused_camera_is_not_counted(place: Place) -> None:
    """A pause ends the visit; it outlives a restart, and a camera that still sends is paused again at a bounded rate."""
    place.see("wwww")
    place.command("pause")
    assert [visit.label for visit in place.visits] == ["woman"]
    place.see("m" * 10, begin=1)
    assert not place.commands, "these were on their way when the pause came"
    place.restart()
    place.see("w" * 100, begin=2 * PAUSE_AGAIN)
    assert place.commands == [Command("door", "pause")] * 2
    place.command("resume")
    place.restart()
    place.see("w" * 5 + "n" * 20, begin=40)
    assert ([visit.label for visit in place.visits], len(place.commands)) == (["woman", "woman"], 2)


@pytest.mark.parametrize("number", [3, 9], ids=["late", "repeated"])
def test_a_late_prediction_of_the_demo_splits_no_visit(place: Place, number: int) -> None:
    frames = [replace(one, sequence=at) for at, one in enumerate(seen("n" * 10 + "w" * 20 + "n" * 20))]
    demos = [replace(one, demo=True) for one in frames[:10]]
    for one in [*demos, *frames[10:20], demos[number], *frames[20:]]:
        place.process(one)
    assert [(visit.frames, visit.demo) for visit in place.visits] == [(20, False)]
    assert len(place.warnings) == 1


def hours(place: Place) -> list[float]:
    """The begins of complete hours, in hours after noon's."""
    return [(begin - NOON // HOUR * HOUR) / HOUR for _, (begin, _) in place.registry.complete_hours()]


def test_hours_of_an_absence_follow(place: Place) -> None:
    """A bounded number of them, and none of a camera that is gone."""
    place.see("n")
    place.advance(3 * HOUR)
    place.restart()
    assert hours(place) == []
    place.advance(SILENCE + 1)
    assert hours(place) == [0, 1, 2]
    place.see("n", begin=3 * HOUR + (MAX_HOURS - 1) * HOUR)
    assert len(hours(place)) == MAX_HOURS - 1
    place.advance((MAX_HOURS + 2) * HOUR)
    assert hours(place) == []


def test_hours_of_a_clock_that_is_set(place: Place) -> None:
    """Ahead: the hour under way, and the last ones. Back: they go on from there. In 1970 there are none."""
    for number, begin in enumerate((60.0, 4000.0, 9000.0)):
        place.process(replace(seen("n", begin=begin)[0], sequence=number, session_time=begin))
        assert hours(place) == []
    place.see("wwww" + "n" * 20)
    place.see("n", begin=1000 * HOUR)
    found = hours(place)
    assert (found[0], len(found)) == (0, MAX_HOURS + 1)
    for session, begin, expected in (("b", -5 * HOUR, []), ("b", -4 * HOUR, [-5])):
        place.process(replace(seen("n", begin=NOON + begin)[0], session=session))
        assert hours(place) == expected
