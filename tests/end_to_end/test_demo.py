"""The demo through the whole suite, as real processes on a real broker."""

import itertools
import json
import shutil
from pathlib import Path

import cv2
import pytest

from bus import DayCounts, Prediction, Visit
from demo.about import CLIP, MODEL
from demo.chain import Chain
from demo.score import Score, Span, score
from demo.visitors import FRAME_RATE, visitors
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.suite import began_at, lateness, modules_of
from tests.support.wait import limit, until
from tests.support.zone import zone_at_noon


def visits_offline(clip: Path) -> list[Span]:
    """The visits of a clip, frame by frame through the modules' parts in this process."""
    chain, video = Chain(), cv2.VideoCapture(str(clip))
    for number in itertools.count():
        ok, picture = video.read()
        if not ok:
            break
        chain.see(picture, number)
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


@pytest.mark.timeout(limit(300))
def test_the_clip_gives_the_visits_of_the_report(broker: Broker) -> None:
    """The running system counts what the parts count offline, each visit once, and both what was drawn."""
    offline = visits_offline(CLIP)
    assert all_found(score(truth_of(CLIP), offline))
    with (
        Listener(broker.port, "footfall/+/visit", "footfall/+/counts", "footfall/+/prediction", "footfall/status/+") as listener,
        modules_of(broker.port, MODEL=MODEL, VIDEO_PATH=CLIP, LOOP_VIDEO="false", TZ=zone_at_noon()) as modules,
    ):
        until(lambda: b'"ended"' in (listener.payloads("status/capture") or [b""])[-1], 200, "the clip's end")
        assert modules["bridge"].end() == 0
        visits = [Visit.unpack(payload) for payload in listener.wait_for("door/visit", len(offline))]
        upstream = [line["id"] for line in modules["bridge"].results_of("visit")]
        counts = DayCounts.unpack(listener.payloads("door/counts")[-1])
        running = spans(visits, began_at(listener))
        late = lateness([Prediction.unpack(payload) for payload in listener.payloads("door/prediction")])
    assert upstream == [visit.id for visit in visits]
    assert len(set(upstream)) == len(upstream)
    assert [span.label for span in running] == [span.label for span in offline]
    for one, other in zip(running, offline, strict=True):
        assert abs(one.begin - other.begin) < late
        assert abs(one.end - other.end) < late
    assert sum(counts.totals.values()) == len(offline)
    assert counts.demo
    assert all(visit.demo for visit in visits)


def test_a_scene_that_is_drawn_while_it_is_played(broker: Broker, tmp_path: Path) -> None:
    """The first visitors of an unseen scene, live, with their labels, at the right times; with a model of one's own too, nothing
    of it is real.
    """
    own = shutil.copytree(MODEL, tmp_path / "mine")
    description = own / "footfall.toml"
    description.write_text(description.read_text().replace("demo = true", "demo = false"))
    seed, number = 78, 3
    drawn = [Span(one.label, one.first / FRAME_RATE, one.last / FRAME_RATE) for one in itertools.islice(visitors(seed), number)]
    with (
        Listener(broker.port, "footfall/+/visit", "footfall/+/prediction", "footfall/status/+") as listener,
        modules_of(broker.port, MODEL=own, VIDEO_PATH=f"demo:{seed}"),
    ):
        payloads = listener.wait_for("door/visit", number, drawn[-1].end + 30)
        visits = [Visit.unpack(payload) for payload in payloads[:number]]
        found = spans(visits, began_at(listener))
        predictions = [Prediction.unpack(payload) for payload in listener.payloads("door/prediction")]
    assert all_found(score(drawn, found))
    assert all(one.demo and one.model.startswith("mine@") for one in predictions)
    assert all(visit.demo for visit in visits)
