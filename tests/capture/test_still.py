"""The report that nothing moves, from which other modules know that silence is no loss."""

from functools import partial

import numpy as np
import pytest

from bus import Bus
from bus.metric_names import MOTION
from bus.settings import BusSettings
from capture.commands import Session
from capture.framer import Callbacks, Framer, RateLimiter
from capture.motion.gate import MotionGate
from capture.pictures.decoded import DecodedPicture
from capture.pictures.prepare import Preparation
from capture.publisher import publish_frame
from capture.source import CapturedPicture


def test_motion_is_reported_when_it_begins_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, and not again with each picture."""
    bus, reports = Bus(BusSettings.model_validate({"MODULE_NAME": "capture"})), list[tuple[int, float]]()
    taken = list[CapturedPicture]()
    monkeypatch.setattr(bus, "report", lambda: reports.append((len(taken), bus.metrics.snapshot()[MOTION])))
    framer = Framer("door", RateLimiter(10), Preparation(), 80, Callbacks(create_gate=partial(MotionGate, 60.0, 1.0)))
    session = Session(lambda _frame: True, lambda _state, _detail: None)
    for number in range(60):
        level = 200 if number >= 40 else 60
        pixels = np.full((120, 160, 3), 60, np.uint8)
        pixels[30:110, 40:70] = level
        taken.append(CapturedPicture(DecodedPicture(pixels), 5000.0 + number / 10, 100.0 + number / 10))
        publish_frame(taken[-1], framer, session, session.publish, bus)
    assert [motion for _, motion in reports] == [1, 0, 1]
    assert reports[0][0] == 1
    assert 10 < reports[1][0] <= 16
    assert reports[2][0] == 41
