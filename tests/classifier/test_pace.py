"""Tests of when the next frame is decoded. The clock is the test's."""

import threading

import pytest

from classifier.pace import OBSERVED, OUTLIERS, Pace
from tests.support.wait import limit, until

DECODING = 600.0
"""Seconds, so that no real time matters."""


class Rig:
    """A pace whose model takes frames one after the other."""

    def __init__(self) -> None:
        self.now = 100.0
        self.pace = Pace(lambda: self.now)

    def classify(self, decoding: float, inference: float) -> None:
        """Classifies a frame. Both durations are in seconds."""
        self.pace.take(decoding)
        self.now += inference
        self.pace.end()


USUAL = [(2.0, 7.0)] * 2 * OBSERVED
SLOW_DECODING, FAST_INFERENCE = (3.0, 7.0), (2.0, 6.5)


@pytest.mark.parametrize(
    ("frames", "delay"),
    [
        ([], 0.0),
        (USUAL[: OBSERVED - OUTLIERS - 1], 0.0),
        (USUAL, 5.0),
        ([*USUAL, *[SLOW_DECODING] * OUTLIERS], 5.0),
        ([*USUAL, *[SLOW_DECODING] * (OUTLIERS + 1)], 4.0),
        ([*USUAL, *[SLOW_DECODING] * (OUTLIERS + 1), *USUAL[: OBSERVED - OUTLIERS]], 5.0),
        ([*USUAL, *[FAST_INFERENCE] * (OUTLIERS + 2)], 4.5),
        ([(2.0, 1.0)] * 2 * OBSERVED, 0.0),
    ],
)
def test_the_delay(frames: list[tuple[float, float]], delay: float) -> None:
    """The next frame is ready when the model gets free, if both take as long as for the last frames, but for a few outliers."""
    rig = Rig()
    for frame in frames:
        rig.classify(*frame)
    assert rig.pace.delay == delay


def test_the_wait() -> None:
    """A wait ends when the delay is over or the model is free. Without a frame before, or after the delay, there is none."""
    rig = Rig()
    assert rig.pace.wait() == 100.0
    for _ in range(2 * OBSERVED):
        rig.classify(DECODING, 4200.0)
    rig.pace.take(DECODING)
    begins: list[float] = []
    waiting = threading.Thread(target=lambda: begins.append(rig.pace.wait()), daemon=True)
    waiting.start()
    until(lambda: rig.pace._is_free._cond._waiters)  # type: ignore[attr-defined]
    rig.now += 3000.0
    assert not begins
    end_at = rig.now
    rig.pace.end()
    waiting.join(limit(10))
    assert begins == [end_at]
    rig.pace.take(DECODING)
    rig.now += 4000.0
    assert rig.pace.wait() == rig.now
