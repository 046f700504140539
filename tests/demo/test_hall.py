"""Scenes of a hall with several visitors at once, and their truth."""

import itertools
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from demo.about import DEMOS, PEOPLE, demo_of
from demo.clip import write_clip
from demo.distractions import distractions
from demo.figure import random_child, random_figure
from demo.hall import COUNTED, DOOR, HALF_WIDTH, LINE, VIEW, ZONE
from demo.hall_scenes import HallMoment, HallScene
from demo.parties import Person, people
from demo.rng import create_rng
from demo.truth import crossings_of, truth_of
from demo.walk import Walk

NO_FURNITURE = np.zeros((480, 640), np.uint8)


def moments(seed: int, number: int, step: int = 1) -> list[HallMoment]:
    return list(itertools.islice(HallScene(seed).moments(step), number))


def walker(number: int, *distances: float, x: float = 0.0) -> Person:
    """Returns a person who walks towards the camera and away from it, at 1 m/s, by way of these distances in metres."""
    seconds = np.cumsum([0.0, *(abs(two - one) for one, two in itertools.pairwise(distances))])
    times = np.arange(0.0, seconds[-1] + 0.02, 0.02)
    walk = Walk(tuple(VIEW.place(x, one) for one in np.interp(times, seconds, distances)), tuple(times.tolist()), 5.0, VIEW)
    return Person(random_figure(create_rng(0, "test"), "man"), walk, 0.0, number)


def test_a_seed_gives_the_same_scene() -> None:
    """Pictures and truth depend only on the seed, whatever was drawn before and at any step."""
    some, again, other = (moments(seed, 24, 20) for seed in (7, 7, 8))
    assert some == again
    assert some[::4] == moments(7, 6, 80)
    assert [one.people for one in some] != [one.people for one in other]
    scene, fresh = HallScene(7), HallScene(7)
    pictures = [scene.frame(one) for one in some]
    assert np.array_equal(pictures[-1], fresh.frame(again[-1]))
    assert pictures[0].shape == (480, 640, 3)
    assert scene.crossings(60) == fresh.crossings(90)[: len(scene.crossings(60))] != HallScene(8).crossings(60)


@pytest.mark.parametrize("seed", [4, 12])
def test_the_truth_matches_the_picture(seed: int) -> None:
    """Without a person outside, whose shadow is not drawn, a picture differs only in their box, and not if they are hidden."""
    scene, checked = HallScene(seed), Counter[str]()
    for moment in moments(seed, 60, 13):
        picture = scene.frame(moment).astype(int)
        for one in moment.people:
            person = next(item for item in moment.items if isinstance(item, Person) and item.id == one.id)
            if not person.is_outside(moment.seconds) or person.cart:
                continue
            without = scene.frame(replace(moment, items=tuple(item for item in moment.items if item is not person)))
            rows, columns = np.nonzero(np.abs(picture - without).max(axis=2) > 2)
            kind = "hidden" if one.visible == 0 else "whole" if one.visible > 0.99 else "partly"
            checked[kind] += 1
            assert (len(rows) == 0) == (one.visible == 0)
            if kind != "hidden":
                margin = 12 / 480  # the camera may shake
                left, top, width, height = one.box
                assert left - margin < columns.min() / 640
                assert columns.max() / 640 < left + width + margin
                assert top - margin < rows.min() / 480
                assert rows.max() / 480 < top + height + margin
    assert set(checked) == {"hidden", "whole", "partly"}
    assert checked.total() > 10


def test_who_is_hidden() -> None:
    """Who stands behind somebody or beyond the picture's edge is visible in part; boxes and ids stay."""
    near, far, beside = walker(1, 6.0), walker(2, 6.3), walker(3, 6.0, x=1.5)
    alone = truth_of([far], NO_FURNITURE, 0)
    behind = truth_of([far, beside, near], NO_FURNITURE, 0)
    assert [one.id for one in behind] == [1, 2, 3]
    assert behind[0].visible == behind[2].visible == alone[0].visible == 1
    assert 0.05 < behind[1].visible < 0.4
    assert behind[1].box == alone[0].box
    edge, gone = truth_of([walker(1, 6.0, x=3.0)], NO_FURNITURE, 0), truth_of([walker(1, 6.0, x=5.0)], NO_FURNITURE, 0)
    assert 0.3 < edge[0].visible < 0.9
    assert edge[0].box[0] + edge[0].box[2] == 1
    assert gone == ()
    wall = walker(1, 9.0, x=3.5)
    assert truth_of([wall], NO_FURNITURE, 0)[0].visible == 0


@pytest.mark.parametrize(
    ("distances", "expected"),
    [
        ((9.0, 6.0), [("in", 1.3)]),
        ((6.0, 9.0), [("out", 1.7)]),
        ((9.0, COUNTED - 0.15, 9.0), []),
        ((6.0, COUNTED + 0.15, 6.0), []),
        ((9.0, COUNTED + 0.5, 9.0), []),
        ((9.0, COUNTED - 1, 9.0), [("in", 1.3), ("out", 3.3)]),
        ((6.0, COUNTED + 1, 6.0), [("out", 1.7), ("in", 3.7)]),
        ((9.0, COUNTED - 0.15, COUNTED + 0.15, 6.0), [("in", 1.9)]),
    ],
)
def test_crossings(distances: tuple[float, ...], expected: list[tuple[str, float]]) -> None:
    """Who walks through crosses once, who comes back twice, and who turns back at the line never. The last step across counts."""
    found = list(crossings_of(walker(1, *distances)))
    assert [one.direction for one in found] == [way for way, _ in expected]
    assert [one.at for one in found] == pytest.approx([at for _, at in expected], abs=0.06)


@pytest.mark.parametrize("seed", [21, 22, 23])
def test_the_crossings_match_the_feet(seed: int) -> None:
    """In the frames around a crossing, its person's foot is on either side of the line, and between its ends."""
    (x1, y1), (x2, y2) = LINE
    assert y1 == y2
    feet = {(moment.number, one.id): one for moment in moments(seed, 900) for one in moment.people}
    crossings = HallScene(seed).crossings(89)
    assert len(crossings) > 4
    assert crossings == sorted(crossings, key=lambda one: one.at)
    for one in crossings:
        before, after = (feet[int(one.at * 10) + frames, one.person] for frames in (-3, 4))
        assert (before.side, after.side) == (("out", "in") if one.direction == "in" else ("in", "out"))
        assert (before.foot[1] < y1) == (one.direction == "in") == (after.foot[1] > y1)
        assert x1 < min(before.foot[0], after.foot[0]) < max(before.foot[0], after.foot[0]) < x2


def test_all_situations_occur() -> None:
    """One to five together, side by side and in two rows, children, carts, turns, stops; opposite directions; long pauses."""
    some = list(itertools.takewhile(lambda one: one.start < 1200, people(3)))
    together = Counter(Counter(one.start for one in some).values())
    assert set(together) == {1, 2, 3, 4, 5}
    assert [one.id for one in some] == list(range(1, len(some) + 1))
    crossings = HallScene(3).crossings(1200)
    by_person = Counter(one.person for one in crossings)
    assert {by_person[one.id] for one in some} == {0, 1, 2}
    assert {one.label for one in some} == {"man", "woman"}
    assert any(one.cart for one in some)
    assert sum(one.figure.height < 1.45 for one in some) >= 5
    assert any(before == after for one in some for before, after in itertools.pairwise(one.walk.places))
    pairs = list(itertools.pairwise(crossings))
    assert any(one.direction != two.direction and two.at - one.at < 1 for one, two in pairs)
    assert any(one.direction == two.direction and two.at - one.at < 0.3 for one, two in pairs)
    ends = itertools.accumulate((one.end for one in some), max)
    assert max(later.start - end for end, later in zip(ends, some[1:], strict=False)) > 15
    assert max(len(one.people) for one in moments(3, 400, 30)) <= 9
    assert {one.kind for one in itertools.islice(distractions(3, VIEW), 30)} == {"cat", "cyclist", "box"}
    at_till = [one for moment in moments(3, 400, 30) for one in moment.people if is_in_zone(one.foot)]
    assert len(at_till) > 10


@pytest.mark.parametrize("seed", [3, 203])
def test_nobody_walks_through_the_wall(seed: int) -> None:
    """At the distance of the door everybody is in it."""
    for one in itertools.takewhile(lambda one: one.start < 400, people(seed)):
        for at in np.arange(0, one.walk.seconds, 0.1):
            place = one.walk.place(float(at))
            if abs(VIEW.distance(place.scale) - DOOR) < 0.35:
                assert abs(place.x - VIEW.middle) / place.scale < HALF_WIDTH


def is_in_zone(foot: tuple[float, float]) -> bool:
    return min(x for x, _ in ZONE) < foot[0] < max(x for x, _ in ZONE) and foot[1] > ZONE[0][1]


@pytest.mark.parametrize("name", ["new.mp4", PEOPLE.name], ids=["new", "demo"])
def test_a_clip_matches_its_scene(tmp_path: Path, name: str) -> None:
    """Truth and pictures match the seed. The demo's clip has about two minutes and at most 4 MB."""
    path = PEOPLE if name == PEOPLE.name else tmp_path / name
    if path != PEOPLE:
        write_clip(HallScene(6), 3.0, path)
    truth = json.loads(path.with_suffix(".json").read_text())
    video, scene = cv2.VideoCapture(str(path)), HallScene(truth["seed"])
    assert (video.get(cv2.CAP_PROP_FPS), video.get(cv2.CAP_PROP_FRAME_COUNT)) == (10, truth["frames"])
    assert truth["crossings"] == [one._asdict() for one in scene.crossings((truth["frames"] - 1) / 10)]
    assert demo_of(str(path)) == DEMOS["people"]
    came = {one["id"]: one for one in truth["visitors"]}
    for moment in itertools.islice(scene.moments(), min(200, truth["frames"])):
        assert video.grab()
        if moment.number % 40 == 0:
            assert cv2.PSNR(video.retrieve()[1], scene.frame(moment)) > 25
            for one in moment.people:
                if one.id in came and came[one.id]["first"] <= moment.number <= came[one.id]["last"]:
                    assert came[one.id]["label"] == one.label
                    assert came[one.id]["boxes"][str(moment.number)] == pytest.approx(one.box, abs=1e-3)
    video.release()
    if path == PEOPLE:
        assert 1100 <= truth["frames"] <= 1400
        assert {one["label"] for one in truth["visitors"]} == {"man", "woman"}
        assert {one["direction"] for one in truth["crossings"]} == {"in", "out"}
        assert PEOPLE.stat().st_size <= 4_000_000


def test_a_child_is_smaller() -> None:
    children = [random_child(create_rng(number, "test"), "man") for number in range(20)]
    assert all(0.85 < one.height < 1.5 and not one.beard and one.label == "man" for one in children)
