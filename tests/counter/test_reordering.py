"""Predictions of several classifiers that share the frames of a camera are processed in the order of their frames."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus import Prediction
from counter.reordering import MAX_DELAY, SHARED_FOR, Reordering
from tests.support.samples import prediction


def numbered(number: int, interval: float = 0.1, session: str = "a", camera: str = "door") -> Prediction:
    one = prediction(captured_at=1000 + number * interval, camera=camera)
    return replace(one, session=session, sequence=number, session_time=round(number * interval, 3))


class Desk:
    """A buffer on a manual clock, with what it has returned."""

    def __init__(self, classifiers: int = 2) -> None:
        self.now, self.out = 0.0, list[Prediction]()
        self.buffer = Reordering(lambda: self.now)
        for number in range(classifiers):
            self.buffer.on_classifier(f"classifier-{number}", True)

    def put(self, *predictions: Prediction) -> list[int]:
        """Returns the sequence numbers of what is processed now."""
        begin = len(self.out)
        for one in predictions:
            own = [done.sequence for done in self.out if (done.camera, done.session) == (one.camera, one.session)]
            last = max(own, default=-1)
            self.out += self.buffer.put(one, last)
        return [one.sequence for one in self.out[begin:]]

    def pass_time(self, seconds: float) -> list[int]:
        self.now += seconds
        found = self.buffer.due()
        self.out += found
        return [one.sequence for one in found]


def test_a_single_classifier_pays_no_delay() -> None:
    """Frames without a prediction, and predictions out of order, change nothing."""
    desk = Desk(1)
    assert [desk.put(numbered(one)) for one in (3, 5, 4, 9)] == [[3], [5], [4], [9]]
    assert desk.buffer.until_due(0.5) == 0.5


def test_a_prediction_waits_for_the_one_before() -> None:
    """It waits until that comes, or for a limited time; one that comes later still is returned at once, to be counted as late."""
    desk = Desk()
    assert [desk.put(numbered(one)) for one in (0, 2, 3, 1)] == [[0], [], [], [1, 2, 3]]
    assert desk.put(numbered(5), numbered(6), numbered(5)) == []
    assert [one.sequence for one in desk.buffer.held] == [5, 6]
    assert desk.buffer.until_due(0.5) == pytest.approx(MAX_DELAY)
    assert desk.pass_time(MAX_DELAY - 0.01) == []
    assert desk.pass_time(0.01) == [5, 6]
    assert desk.put(numbered(4), numbered(7)) == [4, 7]
    assert desk.buffer.held == []


def test_a_backlog_is_processed_at_full_speed() -> None:
    """Predictions that arrive at once wait only for frames of the last moments, even if every second frame has none."""
    desk = Desk()
    assert len(desk.put(*(numbered(2 * one) for one in range(1000)))) >= 997


def test_sessions_and_cameras_do_not_mix() -> None:
    """A new session returns what waits of the old one. Other cameras are not delayed. So does the end of a recording."""
    desk = Desk()
    desk.put(numbered(0), numbered(2))
    assert desk.put(numbered(1, camera="back"), numbered(0, camera="yard")) == [0]
    assert desk.put(numbered(0, session="b")) == [2, 0]
    assert [one.sequence for one in desk.buffer.flush("back")] == [1]
    assert desk.buffer.flush("back") == []


def test_predictions_wait_for_a_while_after_one_classifier_has_gone() -> None:
    """Its last predictions may still be on their way."""
    desk = Desk()
    desk.buffer.on_classifier("classifier-1", False)
    desk.put(numbered(0))
    desk.pass_time(SHARED_FOR - 1)
    assert desk.put(numbered(2)) == []
    assert desk.pass_time(2) == [2]
    assert desk.put(numbered(4)) == [4]


@given(st.lists(st.tuples(st.floats(0, MAX_DELAY * 0.99), st.booleans()), max_size=40), st.sampled_from([0.03, 0.1, 0.25, 1.0]))
def test_predictions_come_in_order_and_soon(delays: list[tuple[float, bool]], interval: float) -> None:
    """Each prediction is late by its delay, and some frames have none. Every one is returned once, in order, within the limit."""
    desk, arrived, returned = Desk(), dict[int, float](), dict[int, float]()
    events = sorted((number * interval + delay, number) for number, (delay, is_missing) in enumerate(delays) if not is_missing)
    while events or desk.buffer.held:
        due = desk.now + desk.buffer.until_due(1e9) if desk.buffer.held else 1e9
        if events and events[0][0] <= due:
            desk.now, number = events.pop(0)
            arrived[number] = desk.now
            found = desk.put(numbered(number, interval))
        else:
            desk.now = due
            found = desk.pass_time(1e-9)
        returned |= dict.fromkeys(found, desk.now)
    assert [one.sequence for one in desk.out] == sorted(arrived)
    assert all(at - arrived[number] <= MAX_DELAY + 1e-6 for number, at in returned.items())
