"""The report on scenes with several visitors: hand-made recordings are judged, and the bars are compared."""

from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import pytest

from bus import Box, Detection, Label
from capture.pictures.decoded import shrunk
from demo.counted import Counted, SeenVisitor, count, with_perfect_identity
from demo.disturbance import DOUBLED, FALSE, MISSED, disturbed
from demo.evaluate_detector import compare
from demo.gated import gated, share_held
from demo.hall_pictures import draw_timeline, with_tracks
from demo.hall_report import GATE_RATES, RATE, RATES, Boxes, Compared, Gated, SceneResult, bars, tables
from demo.hall_result import ALL, GROUPS, Result, Stay, judge, merged
from demo.recording import RecordedFrame, Recording, area, record
from demo.truth import PersonTruth, TrueCrossing

SECONDS = 14.0
CROSSINGS = (TrueCrossing(1, 3.5, "in"), TrueCrossing(2, 6.5, "out"))


def person(number: int, label: Literal["man", "woman"], x: float, y: float) -> PersonTruth:
    """Returns somebody who stands at a point of the picture."""
    return PersonTruth(number, label, (x - 0.04, y - 0.2, 0.08, 0.2), 1.0, (x, y), "in" if y > 0.57 else "out")


def people(at: float) -> tuple[PersonTruth, ...]:
    """A man goes in after 3.5 s, and stands at the till from then on. A woman goes out after 6.5 s."""
    man = person(1, "man", 0.4 + 0.1 * min(4.0, max(0.0, at - 4)), min(0.9, 0.57 + 0.1 * (at - 3.5)))
    woman = person(2, "woman", 0.25, min(0.9, max(0.45, 0.57 - 0.1 * (at - 6.5))))
    return man, woman


def seen(one: PersonTruth, label: str | None = None) -> Detection:
    return Detection(Box(*one.box), 0.9, (Label(label or one.label, 0.9),))


FRAMES = [RecordedFrame(n / 10, "day" if n < 80 else "night", people(n / 10)) for n in range(round(SECONDS * 10))]
TRUE = Recording(5, SECONDS, tuple(replace(one, detections=tuple(map(seen, one.truth))) for one in FRAMES), CROSSINGS)
MISLABELLED = TRUE._replace(
    frames=tuple(replace(one, detections=(seen(one.truth[0]), seen(one.truth[1], "man"))) for one in FRAMES)
)
BLIND = TRUE._replace(frames=tuple(FRAMES))
FALSE_WALKER = TRUE._replace(
    frames=tuple(
        replace(one, detections=(*map(seen, one.truth), seen(person(3, "man", 0.6, min(0.99, 0.45 + 0.1 * one.at)))))
        for one in FRAMES
    )
)


@pytest.mark.parametrize(
    ("recording", "verdicts", "labelled", "visits", "by_visits"),
    [
        (TRUE, {"found": 2}, 2, {"right label": 2}, {1: 2}),
        (MISLABELLED, {"found": 2}, 1, {"right label": 1, "wrong label": 1}, {1: 2}),
        (BLIND, {"missed": 2}, 0, {}, {0: 2}),
        (FALSE_WALKER, {"found": 2, "invented": 1}, 2, {"right label": 2, "nobody's": 1}, {1: 2}),
    ],
    ids=["true", "mislabelled", "blind", "false walker"],
)
@pytest.mark.parametrize("rate", RATES[:3])
def test_recordings_are_judged(
    recording: Recording, verdicts: dict[str, int], labelled: int, visits: dict[str, int], by_visits: dict[int, int], rate: int
) -> None:
    """Crossings, visits and people are counted by verdict, at every frame rate."""
    clip = recording.sampled(rate)
    result = judge(clip, count(clip))
    assert Counter(one.verdict for one in result.crossings) == verdicts
    assert sum(one.has_label for one in result.crossings) == labelled
    assert (result.visits, result.people) == (visits, by_visits)


def test_perfect_identity() -> None:
    """With the identities of true boxes, all scores are 100, in each group that has frames; other groups have none."""
    result = judge(TRUE, with_perfect_identity(TRUE))
    scores = {group: (round(one.hota.value, 6), round(one.identity.f1, 6)) for group, one in result.tracks.items()}
    assert scores == {group: ((100, 100) if group in ("day", "night", "2 or 3", ALL) else (0, 0)) for group in GROUPS}
    assert [(one.direction, one.light, one.crowd) for one in result.crossings] == [
        ("in", "day", "2 or 3"),
        ("out", "day", "2 or 3"),
    ]


def test_swapped_identities_lower_association_only() -> None:
    """If two people swap their tracks, IDF1 and AssA fall, and DetA does not; the crossings belong to others' labels."""
    right = with_perfect_identity(TRUE)
    swapped = right._replace(
        tracked=[{(3 - one if n > 70 else one): area for one, area in boxes.items()} for n, boxes in enumerate(right.tracked)]
    )
    one, other = judge(TRUE, right).tracks[ALL], judge(TRUE, swapped).tracks[ALL]
    assert one.hota.detection == pytest.approx(other.hota.detection)
    assert one.hota.association > other.hota.association + 10
    assert one.identity.f1 > other.identity.f1 + 10


def test_hidden_people_are_left_out() -> None:
    """Whoever is hidden for the most part need not be found, and may be."""
    hidden = tuple(replace(one, truth=(one.truth[0], replace(one.truth[1], visible=0.2))) for one in TRUE.frames)
    without = tuple(replace(one, detections=one.detections[:1]) for one in hidden)
    for frames in (hidden, without):
        recording = TRUE._replace(frames=frames)
        result = judge(recording, with_perfect_identity(recording))
        assert (result.tracks[ALL].identity.f1, result.tracks[ALL].hota.value) == pytest.approx((100, 100))
        assert result.people.total() == 1


def test_stays_at_the_till() -> None:
    """The seconds at the till are those of the true foot in the zone; a visit's are as long, to a frame or two."""
    [stay] = judge(TRUE, count(TRUE)).stays
    assert stay.true == pytest.approx(stay.counted, abs=0.3)
    assert 7 < stay.true < 9
    assert judge(BLIND, count(BLIND)).stays == [Stay(stay.true, 0)]


def test_disturbance_is_as_stated() -> None:
    """Misses, doubles and false boxes have their shares; the rest is true, and the same at each call."""
    frames = disturbed(TRUE._replace(frames=TRUE.frames * 20)).frames
    assert disturbed(TRUE) == disturbed(TRUE)
    true = [box for frame in frames for box in {one.box for one in frame.detections} & {Box(*one.box) for one in frame.truth}]
    people = sum(len(frame.truth) for frame in frames)
    others = sum(len(frame.detections) for frame in frames) - len(true)
    assert len(true) / people == pytest.approx(1 - MISSED, abs=0.02)
    assert others == pytest.approx(len(true) * DOUBLED + len(frames) * FALSE, rel=0.15)


@cache
def usual(rate: int) -> Compared:
    return compare(TRUE.sampled(rate))


def scene(own: Counted | None = None) -> SceneResult:
    """Returns a scene whose boxes are all true; `own` is what was counted at `RATE`, if not as usual."""
    compared: dict[tuple[Boxes, int], Compared] = {("detector", rate): usual(rate) for rate in RATES}
    same = usual(RATE) if own is None else usual(RATE)._replace(own=judge(TRUE.sampled(RATE), own))
    compared["detector", RATE] = compared["disturbed", RATE] = compared["disturbed, pauses", RATE] = same
    gated = {rate: Gated(usual(rate).own, 0.3) for rate in GATE_RATES}
    return SceneResult(7, SECONDS, compared, gated)


def test_bars() -> None:
    """A bar that is missed is printed as missed: half of the crossings, or one that is invented."""
    assert [bar.is_met for bar in bars([scene()])] == [True] * 7
    counted = count(TRUE.sampled(RATE))
    less = counted._replace(crossings=counted.crossings[:1])
    more = counted._replace(crossings=[*counted.crossings, counted.crossings[0]._replace(at=10.0)])
    assert [bar.is_met for bar in bars([scene(less)])] == [False, True, False, True, False, True, True]
    assert [bar.is_met for bar in bars([scene(more)])] == [True, False, True, False, True, False, True]
    rows = tables([scene(more)]).splitlines()
    assert "| detector: crossings invented | 50.0 % | at most 2 % | **missed** |" in rows
    assert "| detector: visits with the right label | 100.0 % | at least 95 % | met |" in rows


def test_the_tables_count() -> None:
    """Rows by frame rate, direction, light and crowd have the sums of all scenes."""
    report = tables([scene(), scene()])
    assert report.startswith("0 minutes of scenes (seeds 7, 7)")
    rows = report.splitlines()
    assert "| 10 | 4 | 4 (100.0 %) | 0 | 0 | 0 (0.0 %) | 4 (100.0 %) | 4 (100.0 %) |" in rows
    for group, number in (("in", 2), ("out", 2), ("day", 4), ("2 or 3", 4), ("all", 4)):
        assert f"| {group} | {number} | {number} (100.0 %) | 0 | 0 | 0 (0.0 %) |" in rows
    assert "| night | 0 | 0 | 0 | 0 | 0 |" in rows
    assert "| 10, with the gate | 30 % | 4 | 0 | 4 | 4 | 4 | 0 | 0 |" in rows
    empty = merged([])
    assert empty == Result([], empty.tracks, Counter(), Counter(), [])


@pytest.mark.parametrize("rate", GATE_RATES)
def test_the_gate_changes_no_count(rate: int) -> None:
    """Two people stand still from the eighth second on. Most frames are held back then; visits and stays are the same."""
    frames = []
    for number in range(300):
        frame = RecordedFrame(number / 10, "day", people(number / 10))
        picture = np.full((480, 640, 3), 200, np.uint8)
        for x, y, w, h in (one.box for one in frame.truth):
            corners = (round(640 * x), round(480 * y)), (round(640 * (x + w)), round(480 * (y + h)))
            cv2.rectangle(picture, *corners, (60, 60, 60), cv2.FILLED)
        frames.append(replace(frame, detections=tuple(map(seen, frame.truth)), thumbnail=shrunk(picture)))
    recording = Recording(5, 30.0, tuple(frames), CROSSINGS).sampled(rate)
    held_back = gated(recording)
    assert 0.2 < share_held(held_back) < 0.7
    assert judge(recording, count(held_back)) == judge(recording, count(recording))


def test_the_pictures_are_drawn(tmp_path: Path) -> None:
    """The timeline shows true and counted crossings, also missed and invented ones; a picture gets the boxes of its visitors."""
    counted = count(TRUE.sampled(RATE))
    wrong = counted._replace(crossings=[counted.crossings[0]._replace(at=11.0)])
    for path, scenes in (("right.png", [scene()]), ("wrong.png", [scene(wrong)])):
        draw_timeline(tmp_path / path, scenes)
    right, other = (cv2.imread(str(tmp_path / path)) for path in ("right.png", "wrong.png"))
    assert right is not None
    assert other is not None
    assert right.std() > 10
    assert not np.array_equal(right, other)
    picture = np.zeros((480, 640, 3), np.uint8)
    box = with_tracks(picture, [SeenVisitor(1, area((0.1, 0.1, 0.2, 0.3)), None)])[48:192, 64:192]
    assert box.any()
    assert not picture.any()


def test_a_drawn_scene_is_judged() -> None:
    """In a drawn scene with true boxes, perfect identity finds every crossing."""
    recording = record(12, 40, None, None)
    boxes = tuple(
        replace(frame, detections=tuple(seen(one) for one in frame.truth if one.visible > 0.35)) for frame in recording.frames
    )
    result = judge(recording._replace(frames=boxes), with_perfect_identity(recording._replace(frames=boxes)))
    assert recording.crossings
    assert Counter(one.verdict for one in result.crossings) == {"found": len([one for one in recording.crossings if one.at < 38])}
