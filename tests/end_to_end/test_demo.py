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
from demo.score import Score, Span, score
from demo.visitors import FRAME_RATE, visitors
from tests.end_to_end.run import make_run
from tests.support.broker import free_port
from tests.support.listener import Listener
from tests.support.suite import began_at, lateness
from tests.support.wait import limit, until
from tests.support.zone import zone_at_noon

pytestmark = [pytest.mark.system, pytest.mark.timeout(limit(300))]
TOPICS = ("footfall/+/visit", "footfall/+/counts", "footfall/+/prediction", "footfall/status/+")


def visits_offline(clip: Path) -> list[Span]:
    """The visits of a clip, frame by frame through the modules' parts in this process."""
    chain, video = Chain(), cv2.VideoCapture(str(clip))
    for number in itertools.count():
        ok, picture = video.read()
        if not ok:
            break
        chain.process(picture, number)
    video.release()
    return chain.end()


def truth_of(clip: Path) -> list[Span]:
    """The visitors of a clip."""
    truth = json.loads(clip.with_suffix(".json").read_text())
    return [Span(one["label"], one["first"] / truth["fps"], one["last"] / truth["fps"]) for one in truth["visitors"]]


def spans(visits: list[Visit], begin: float) -> list[Span]:
    """Visits in seconds of the clip or scene."""
    return [Span(visit.label, visit.started_at - begin, visit.ended_at - begin) for visit in visits]


def all_found(result: Score) -> bool:
    """Whether each visitor was counted once, with their label, and nobody else."""
    return result.counts() == {"found": len(result.verdicts)}


def test_the_clip_gives_the_visits_of_the_report(tmp_path: Path) -> None:
    """Played once, the running suite counts what its parts count offline, each visit once, and both what was drawn; at the clip's
    end the run ends too, with the truth beside what was counted.
    """
    offline, truth, port = visits_offline(CLIP), truth_of(CLIP), free_port()
    assert all_found(score(truth, offline))
    with make_run(tmp_path, LOOP_VIDEO="false", TZ=zone_at_noon(), MQTT_PORT=port) as run:
        until(lambda: "broker started" in run.shown, 60)
        with _listening(port) as listener:
            assert run.process.wait(limit(240)) == 0
            visits = [Visit.unpack(payload) for payload in listener.payloads("door/visit")]
            counts = DayCounts.unpack(listener.payloads("door/counts")[-1])
            late = lateness([Prediction.unpack(payload) for payload in listener.payloads("door/prediction")])
            running = spans(visits, began_at(listener))
        lines = run.shown.splitlines()
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


def test_a_scene_that_is_drawn_while_it_is_played(tmp_path: Path) -> None:
    """The first visitors of an unseen scene, live, with their labels, at the right times."""
    seed, number, port = 78, 3, free_port()
    drawn = [Span(one.label, one.first / FRAME_RATE, one.last / FRAME_RATE) for one in itertools.islice(visitors(seed), number)]
    with make_run(tmp_path, VIDEO_PATH=f"demo:{seed}", MQTT_PORT=port) as run:
        until(lambda: "broker started" in run.shown, 60)
        with _listening(port) as listener:
            payloads = listener.wait_for("door/visit", number, drawn[-1].end + 30)
            found = spans([Visit.unpack(payload) for payload in payloads[:number]], began_at(listener))
    assert all_found(score(drawn, found))


def _listening(port: int) -> Listener:
    """As soon as the broker is there: before the first prediction, as the classifier loads its model first."""

    def connected() -> Listener | None:
        try:
            return Listener(port, *TOPICS)
        except OSError:
            return None

    return until(connected, 20, "the broker")
