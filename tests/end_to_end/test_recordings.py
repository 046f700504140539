"""Recordings with known visitors, played once by ``make run``: the results of every module."""

import itertools
import json
import re
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import cv2
import pytest

from bus import CurrentLabel, DayCounts, Pixels, Prediction, Visit
from demo.about import CLIP
from demo.clip import write_clip
from demo.pipeline import Pipeline
from demo.scenes import Scene
from demo.score import Span, score
from demo.visitors import FRAME_RATE
from display.icons import BUILT_IN, read_icons
from display.pixels import rgb_bytes
from tests.end_to_end.run import make_run
from tests.support.broker import ROOT, accepts
from tests.support.fruits import Fruits
from tests.support.listener import Listener
from tests.support.wait import limit, until
from tests.support.zone import zone_at_noon

pytestmark = [pytest.mark.system, pytest.mark.timeout(limit(300))]
SEED, SECONDS = 80, 25.0
"""A clip with men and women."""


def check_offline(clip: Path) -> list[Span]:
    """Counts a clip frame by frame in this process. Checks that all visits are right, and returns them."""
    document = json.loads(clip.with_suffix(".json").read_text())
    truth = [Span(one["label"], one["first"] / FRAME_RATE, one["last"] / FRAME_RATE) for one in document["visitors"]]
    pipeline, video = Pipeline(), cv2.VideoCapture(str(clip))
    for number in itertools.count():
        ok, picture = video.read()
        if not ok:
            break
        pipeline.process(picture, number)
    counted = pipeline.all.end()
    assert score(truth, counted).counts() == {"found": len(truth)}
    return counted


def check_times(listener: Listener, visits: list[Visit], expected: list[Span]) -> None:
    """Checks the times of visits, in seconds of the recording. Allows for dropped frames and late playback on a busy machine."""
    predictions = [Prediction.unpack(payload) for payload in listener.payloads("door/prediction")]
    states = (json.loads(payload) for payload in listener.payloads("status/capture"))
    start = next(float(status["since"]) for status in states if status["state"] == "running")
    assert [one.sequence for one in predictions] == sorted({one.sequence for one in predictions})
    assert max(one.classified_at - one.captured_at for one in predictions) < limit(2)
    gap = max(later.captured_at - earlier.captured_at for earlier, later in pairwise(predictions))
    allowed = 0.4 + gap + max(0.0, *(one.captured_at - start - one.session_time for one in predictions))
    for visit, span in zip(visits, expected, strict=True):
        assert abs(visit.started_at - start - span.start) < allowed
        assert abs(visit.ended_at - start - span.end) < allowed


def count(settings: dict[str, str]) -> list[Span]:
    """Returns the visits that ``footfall count`` finds in the recording VIDEO_PATH with these settings."""
    words = [f"{name}={value}" for name, value in settings.items()]
    command = [sys.executable, "-m", "footfall", "count", settings["VIDEO_PATH"], "--json", *words]
    counted = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=limit(60))
    return [Span(one["label"], one["from"], one["to"]) for one in json.loads(counted.stdout)["visits"]]


def test_all_visits_of_the_demos_clip_are_found() -> None:
    check_offline(CLIP)


@pytest.mark.parametrize("is_demo", [True, False], ids=["drawn visitors", "fruits and a real model"])
def test_a_recording_in_a_run(request: pytest.FixtureRequest, is_demo: bool, tmp_path: Path) -> None:
    """Each visitor causes a visit with label and times, an icon, a current label and a line of the bridge, and is in the counts.

    Drawn visitors are counted as in the offline check, and marked as the demo's. The run ends with the recording, and prints the
    counted visitors beside the truth. ``footfall count`` finds the same visits at the same times.
    """
    settings = {"LOOP_VIDEO": "false", "MATRIX": "terminal", "TZ": zone_at_noon()}
    if is_demo:
        settings["VIDEO_PATH"] = str(tmp_path / "clip.mp4")
        write_clip(Scene(SEED), SECONDS, tmp_path / "clip.mp4")
        expected = check_offline(tmp_path / "clip.mp4")
    else:
        fruits: Fruits = request.getfixturevalue("fruits")
        settings |= {"VIDEO_PATH": str(fruits.clip), "MODEL": str(fruits.folder)}
        expected = fruits.runs
    labels = [span.label for span in expected]
    with make_run(tmp_path, **settings) as run:
        until(lambda: "broker started" in run.shown and accepts(run.port), 60, "the broker")
        with Listener(run.port, "footfall/#") as listener:
            assert run.process.wait(limit(120)) == 0
        visits = [Visit.unpack(payload) for payload in listener.payloads("door/visit")]
        assert [visit.label for visit in visits] == labels
        check_times(listener, visits, expected)
        counted = count(settings)
        assert [span.label for span in counted] == labels
        check_times(listener, visits, counted)
        assert len({visit.id for visit in visits}) == len(visits)
        assert {visit.demo for visit in visits} == {is_demo}
        assert re.findall(r"bridge +\| \S+ door: (\w+), ", run.shown) == labels
        shown = [Pixels.unpack(payload) for payload in listener.payloads("matrix/pixels")]
        icons = [pixels.label for pixels in shown if pixels.label]
        assert set(icons) == set(labels)
        assert is_demo or icons == labels  # a drawn visitor gets the other label in some frames
        assert all(pixels.rgb == rgb_bytes(read_icons(BUILT_IN).picture(pixels.label)) for pixels in shown if pixels.label)
        current = [CurrentLabel.unpack(payload).label for payload in listener.payloads("door/label")]
        changes = [label for label, _ in itertools.groupby(current)]  # late playback publishes a label again with another time
        assert [label for label in changes if label] == labels
        counts = DayCounts.unpack(listener.payloads("door/counts")[-1])
        assert (counts.totals, counts.demo) == (Counter(labels), is_demo)
        rows = [[label, *[str(labels.count(label))] * 2] for label in sorted(set(labels))]
        table = [["visitors", "counted", "truth"], *rows, ["all", *[str(len(labels))] * 2]]
        assert [line.split() for line in run.shown.splitlines()][-len(table) :] == table
