"""The demo, as ``make run`` plays it."""

import itertools
import json
import re
from pathlib import Path

import cv2
import pytest

from bus import DayCounts, Prediction, Visit
from demo.about import CLIP
from demo.chain import Chain
from demo.clip import write_clip
from demo.score import Span, score
from demo.visitors import FRAME_RATE
from tests.end_to_end.run import make_run
from tests.support.broker import accepts, free_port
from tests.support.listener import Listener
from tests.support.suite import began_at, lateness
from tests.support.wait import limit, until
from tests.support.zone import zone_at_noon

pytestmark = [pytest.mark.system, pytest.mark.timeout(limit(300))]
SEED, SECONDS = 80, 25.0
"""Of a clip with men and women."""


def check_offline(clip: Path) -> tuple[list[Span], list[Span]]:
    """True visits and counted ones, each of which is right, frame by frame through the modules' parts in this process."""
    document = json.loads(clip.with_suffix(".json").read_text())
    truth = [Span(one["label"], one["first"] / FRAME_RATE, one["last"] / FRAME_RATE) for one in document["visitors"]]
    chain, video = Chain(), cv2.VideoCapture(str(clip))
    for number in itertools.count():
        ok, picture = video.read()
        if not ok:
            break
        chain.process(picture, number)
    video.release()
    counted = chain.end()
    assert score(truth, counted).counts() == {"found": len(truth)}
    return truth, counted


def test_all_visits_of_the_demos_clip_are_found() -> None:
    check_offline(CLIP)


def test_a_clip_in_a_run(tmp_path: Path) -> None:
    """Played once, the running suite counts what its parts count offline, each visit once, and both what was drawn; at the clip's
    end the run ends too, with the truth beside what was counted.
    """
    clip, port = tmp_path / "clip.mp4", free_port()
    write_clip(SEED, SECONDS, clip)
    truth, offline = check_offline(clip)
    with make_run(tmp_path, VIDEO_PATH=clip, LOOP_VIDEO="false", TZ=zone_at_noon(), MQTT_PORT=port) as run:
        until(lambda: "broker started" in run.shown and accepts(port), 60, "the broker")
        with Listener(port, "footfall/+/+") as listener:
            assert run.process.wait(limit(120)) == 0
            visits = [Visit.unpack(payload) for payload in listener.payloads("door/visit")]
            counts = DayCounts.unpack(listener.payloads("door/counts")[-1])
            late = lateness([Prediction.unpack(payload) for payload in listener.payloads("door/prediction")])
            begin = began_at(listener)
        lines = run.shown.splitlines()
    running = [Span(visit.label, visit.started_at - begin, visit.ended_at - begin) for visit in visits]
    assert [span.label for span in running] == [span.label for span in offline]
    for one, other in zip(running, offline, strict=True):
        assert abs(one.begin - other.begin) < late
        assert abs(one.end - other.end) < late
    assert len({visit.id for visit in visits}) == len(visits)
    assert all(visit.demo for visit in visits)
    assert counts.demo
    assert sum(counts.totals.values()) == len(offline)
    upstream = [found[1] for line in lines if (found := re.search(r"bridge +\| \S+ door: (\w+), ", line))]
    assert upstream == [visit.label for visit in visits]
    number = {label: str(sum(one.label == label for one in truth)) for label in ("man", "woman")}
    assert [line.split() for line in lines[-4:]] == [
        ["visitors", "counted", "truth"],
        ["man", number["man"], number["man"]],
        ["woman", number["woman"], number["woman"]],
        ["all", str(len(truth)), str(len(truth))],
    ]
