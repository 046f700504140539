"""Real people in a clip, counted by ``make run`` with a person detector."""

from pathlib import Path

import pytest

from bus import Prediction, Visit
from tests.end_to_end.run import make_run
from tests.support.broker import accepts
from tests.support.listener import Listener
from tests.support.people import People
from tests.support.wait import limit, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(limit(300))]
RATE = 1
"""Frames a second; the detector takes up to 0.3 s for one. `footfall count` is tested with other rates."""


def test_six_visitors_are_counted_once_each(people: People, tmp_path: Path) -> None:
    """Each of six visitors becomes one visit of a person, and nothing else does, with the settings' defaults.

    Other things that the detector finds are in the predictions, but are no visitors.
    """
    truth = people.clip_truth(people.clip)["visitors"]
    settings = {"VIDEO_PATH": people.clip, "MODEL": people.detector.parent, "LOOP_VIDEO": "false", "FRAME_RATE": RATE}
    with make_run(tmp_path, **settings) as run:
        until(lambda: "broker started" in run.shown and accepts(run.port), 60, "the broker")
        with Listener(run.port, "footfall/#") as listener:
            assert run.process.wait(limit(200)) == 0
        visits = [Visit.unpack(payload) for payload in listener.payloads("door/visit")]
        predictions = [Prediction.unpack(payload) for payload in listener.payloads("door/prediction")]
    begin = predictions[0].captured_at - predictions[0].session_time
    allowed = 2 + max(one.captured_at - one.session_time - begin for one in predictions)  # a busy machine plays late
    assert [(visit.label, visit.demo) for visit in visits] == [("person", False)] * len(truth)
    for visit, true in zip(visits, truth, strict=True):
        assert true["from"] - allowed < visit.started_at - begin < visit.ended_at - begin < true["to"] + allowed
    assert run.shown.splitlines()[-1].split() == ["all", "6"]
    others = {one.labels[0].name for prediction in predictions for one in prediction.detections if not one.is_visitor}
    assert others
    assert "person" not in others
