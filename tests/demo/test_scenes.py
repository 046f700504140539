"""Scenes, clips of scenes, and their truth."""

import itertools
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from demo.about import CLIP
from demo.clip import write_clip
from demo.distractions import distractions
from demo.figure import LABELS, random_figure
from demo.light import LIGHTS, light_at
from demo.rng import create_rng
from demo.scenes import PAUSE, Moment, Scene
from demo.visitors import FULL_VIEW, IN_VIEW, visitors


def moments(seed: int, number: int, step: int = 1) -> list[Moment]:
    return list(itertools.islice(Scene(seed).moments(step), number))


def test_a_seed_gives_the_same_scene() -> None:
    """Pictures and truth depend only on the seed, whatever was drawn before and at any step."""
    some, again, other = (moments(seed, 20, 20) for seed in (7, 7, 8))
    assert some == again
    assert some[::5] == moments(7, 4, 100)
    assert [one.visitors for one in some] != [one.visitors for one in other]
    scene, fresh = Scene(7), Scene(7)
    first = [scene.frame(one) for one in some[:8]]
    assert np.array_equal(first[7], fresh.frame(again[7]))
    assert not np.array_equal(first[0], Scene(8).frame(other[0]))
    assert first[0].shape == (480, 640, 3)


@pytest.mark.parametrize("seed", [11, 12])
def test_the_truth_matches_the_picture(seed: int) -> None:
    """Without the visitors a picture differs if somebody is in view, and is the same if nobody is visible."""
    scene, pixels = Scene(seed), {"shown": list[int](), "hidden": [], "at the edge": []}
    for moment in moments(seed, 60, 5):
        with_visitors, without = scene.frame(moment), scene.frame(replace(moment, visitors=()))
        difference = np.abs(with_visitors.astype(int) - without.astype(int)).max(axis=2)
        is_shown = moment.visitor and moment.share >= IN_VIEW
        where = "shown" if is_shown else "at the edge" if moment.visitors else "hidden"
        pixels[where].append(int((difference > 2).sum()))  # more than clipped grain
    assert min(pixels["shown"]) > 300
    assert max(pixels["hidden"]) == 0
    assert max(pixels["at the edge"], default=0) < 6000  # a sleeve behind the door frame, and its shadow
    assert (len(pixels["shown"]) > 10, len(pixels["hidden"]) > 8) == (True, True)


def test_visitors() -> None:
    """At most one is in view; gaps last at least 0.8 s, some short, some long. Each comes into full view and leaves again."""
    some = list(itertools.islice(visitors(5), 30))
    gaps = [(later.first - earlier.last - 1) / 10 for earlier, later in itertools.pairwise(some)]
    assert min(gaps) >= 0.8
    assert sum(gap < 2 for gap in gaps) >= 2
    assert max(gaps) > 6
    for one in some:
        assert IN_VIEW <= one.shares[0] < FULL_VIEW <= max(one.shares)
        assert IN_VIEW <= one.shares[-1] < FULL_VIEW
        assert len(one.shares) == one.last - one.first + 1
    ways = {(one.label, one.is_outside(one.start)) for one in some}  # from the street or from the shop
    assert ways == set(itertools.product(LABELS, (True, False)))


def test_all_kinds_occur() -> None:
    figures = [random_figure(create_rng(0, "test", number), LABELS[number % 2]) for number in range(100)]
    assert {one.garment for one in figures} == {"trousers", "shorts", "skirt", "dress", "coat"}
    assert {one.bag for one in figures} == {"none", "shoulder", "shopping", "backpack"}
    assert {one.kind for one in itertools.islice(distractions(0), 30)} == {"cat", "cyclist", "box"}
    assert [name for name, _ in itertools.groupby(light_at(second).name for second in range(120))] == list(LIGHTS)


def test_an_excerpt_cuts_nobody_in_two() -> None:
    """It lasts until nobody has been in view for two seconds. Figures that are gone are not kept."""
    for seconds in (3.0, 11.0, 17.0):
        some = list(Scene(2).excerpt(seconds))
        assert some[-1].seconds >= seconds
        assert not any(one.visitor for one in some[-PAUSE:])
    assert max(len(one.visitors) + len(one.distractions) for one in moments(4, 30, 50)) <= 6


@pytest.mark.parametrize("name", ["new.mp4", CLIP.name], ids=["new", "demo"])
def test_a_clip_matches_its_scene(tmp_path: Path, name: str) -> None:
    """Truth and pictures match the seed. The demo's clip has about two minutes and at most 4 MB."""
    path = CLIP if name == CLIP.name else tmp_path / name
    if path != CLIP:
        assert write_clip(Scene(6), 3.0, path) >= 1
    truth = json.loads(path.with_suffix(".json").read_text())
    video, scene = cv2.VideoCapture(str(path)), Scene(truth["seed"])
    assert (video.get(cv2.CAP_PROP_FPS), video.get(cv2.CAP_PROP_FRAME_COUNT)) == (10, truth["frames"])
    came = [one for one in itertools.islice(visitors(truth["seed"]), 60) if one.first < truth["frames"]]
    assert truth["visitors"] == [{"label": one.label, "first": one.first, "last": one.last} for one in came]
    for moment in itertools.islice(scene.moments(), came[0].first + 6):
        assert video.grab()
        if moment.number in (0, came[0].first + 5):
            assert cv2.PSNR(video.retrieve()[1], scene.frame(moment)) > 25
    video.release()
    assert truth["frames"] >= 30
    if path == CLIP:
        assert 1150 <= truth["frames"] <= 1400
        assert {one.label for one in came} == {"man", "woman"}
        assert CLIP.stat().st_size <= 4_000_000
