"""Scenes and their truth."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from demo.canvas import Picture
from demo.light import LIGHTS
from demo.passers import passers
from demo.scenes import PAUSE, Moment, Scene
from demo.visitors import FULL_VIEW, IN_VIEW, Visitor, visitors


def moments(seed: int, number: int, step: int = 1) -> list[Moment]:
    """The first moments of a scene."""
    return list(itertools.islice(Scene(seed).moments(step), number))


def without_grain(one: Picture, other: Picture) -> int:
    """How many pixels differ by more than grain that was clipped."""
    difference = np.abs(one.astype(int) - other.astype(int)).max(axis=2)
    return int((difference > 2).sum())


def test_a_seed_gives_the_same_scene() -> None:
    """Pictures and truth are those of the seed, whatever was drawn before; another seed gives others."""
    some, again, other = (moments(seed, 30, 20) for seed in (7, 7, 8))
    assert some == again
    assert [one.visitors for one in some] != [one.visitors for one in other]
    scene, fresh = Scene(7), Scene(7)
    first = [scene.frame(one) for one in some[:8]]
    assert np.array_equal(first[7], fresh.frame(again[7]))
    assert not np.array_equal(first[0], Scene(8).frame(other[0]))
    assert first[0].shape == (480, 640, 3)
    assert first[0].dtype == np.uint8


def test_a_moment_is_the_same_at_any_step() -> None:
    """Who takes every fifth moment only sees what all others see then."""
    assert moments(3, 41)[::5] == moments(3, 9, 5)


@pytest.mark.parametrize("seed", [11, 12])
def test_the_truth_is_what_is_drawn(seed: int) -> None:
    """A picture differs from the same one without visitors when somebody is in view, and not when nobody is seen at all."""
    scene = Scene(seed)
    shown = hidden = 0
    for moment in moments(seed, 80, 5):
        pixels = without_grain(scene.frame(moment), scene.frame(replace(moment, visitors=())))
        if moment.visitor and moment.share >= IN_VIEW:
            shown += 1
            assert pixels > 300
        elif not moment.visitors:
            hidden += 1
            assert pixels == 0
        else:
            assert pixels < 6000  # a sleeve behind the door frame, and its shadow
    assert shown > 10
    assert hidden > 10


def test_never_two_in_view() -> None:
    """One goes out of view before the next comes in: after 0.8 s at least, and some soon, some late."""
    some = list(itertools.islice(visitors(5), 40))
    gaps = [(later.first - earlier.last - 1) / 10 for earlier, later in itertools.pairwise(some)]
    assert min(gaps) >= 0.8
    assert sum(gap < 2 for gap in gaps) >= 2
    assert max(gaps) > 6


def is_inwards(visitor: Visitor) -> bool:
    """Whether the way begins in the street."""
    return visitor.is_outside(visitor.begin)


def test_all_kinds_come() -> None:
    """Both labels go both ways, all clothes and bags and lights are there, and cat, cyclist and box."""
    some = [visitor for seed in range(6) for visitor in itertools.islice(visitors(seed), 25)]
    assert {(one.label, is_inwards(one)) for one in some} == set(itertools.product(("man", "woman"), (True, False)))
    assert {one.figure.garment for one in some} == {"trousers", "shorts", "skirt", "dress", "coat"}
    assert {one.figure.bag for one in some} == {"none", "shoulder", "shopping", "backpack"}
    assert {one.kind for one in itertools.islice(passers(0), 30)} == {"cat", "cyclist", "box"}
    assert [name for name, _ in itertools.groupby(one.light.name for one in moments(1, 120, 10))] == list(LIGHTS)


def test_everybody_is_seen_whole_for_a_while() -> None:
    """Each visitor is partly hidden at first and at last, and in full view between."""
    for one in itertools.islice(visitors(9), 20):
        assert IN_VIEW <= one.shares[0] < FULL_VIEW
        assert IN_VIEW <= one.shares[-1] < FULL_VIEW
        assert max(one.shares) >= FULL_VIEW
        assert len(one.shares) == one.last - one.first + 1


def test_an_excerpt_cuts_nobody_in_two() -> None:
    """It is as long as asked for, and on until nobody has been in view for two seconds."""
    for seconds in (3.0, 11.0, 17.0):
        some = list(Scene(2).excerpt(seconds))
        assert some[-1].seconds >= seconds
        assert not any(one.visitor for one in some[-PAUSE:])


def test_a_long_scene_holds_on_to_nobody() -> None:
    """In ten minutes no more figures and things are kept than are near."""
    assert max(len(one.visitors) + len(one.passers) for one in moments(4, 120, 50)) <= 6
