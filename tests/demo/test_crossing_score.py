"""Counted crossings beside true ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counter.tracking.lines import Crossing
from demo.crossing_score import RealCrossing, score_crossings


def crossing(at: float, direction: str = "in", x: float = 0.5, track: int = 1) -> Crossing:
    return Crossing("door", track, 1, "in" if direction == "in" else "out", at, (x, 0.6))


TRUTH = [RealCrossing(one, 0.3) for one in (crossing(10), crossing(10.2, x=0.7, track=2), crossing(30, "out"))]


@pytest.mark.parametrize(
    ("counted", "verdicts", "invented"),
    [
        ([crossing(10.1), crossing(10.3, x=0.7), crossing(30, "out")], "found found found", 0),
        ([crossing(10.2, x=0.72)], "missed found missed", 0),
        ([crossing(10.4, x=0.6), crossing(10.5, x=0.6)], "found found missed", 0),
        ([crossing(11.3), crossing(29.1, "out", x=0.75)], "missed missed found", 1),
        ([crossing(30, "in")], "missed missed wrong direction", 0),
        ([crossing(30, "in"), crossing(30.1, "out")], "missed missed found", 1),
        ([crossing(30, "out", x=0.9)], "missed missed missed", 1),
        ([crossing(20), crossing(50)], "missed missed missed", 2),
        ([], "missed missed missed", 0),
    ],
    ids=["all", "the nearest", "as many as possible", "too late", "turned", "one of each", "too far", "false", "none"],
)
def test_verdicts(counted: list[Crossing], verdicts: str, invented: int) -> None:
    """A crossing is found in its direction at about its time and place. Each counted one belongs to at most one true one."""
    score = score_crossings(TRUTH, counted)
    assert " ".join(score.verdicts) == verdicts
    assert len(score.invented) == invented


some_crossings = st.lists(
    st.builds(
        crossing, st.integers(0, 8).map(lambda n: n / 4), st.sampled_from(["in", "out"]), st.integers(0, 4).map(lambda n: n / 4)
    )
)


@given(some_crossings, some_crossings)
def test_every_crossing_is_judged_once(true: list[Crossing], counted: list[Crossing]) -> None:
    """Counted crossings are found, of the wrong direction, or invented. Those that are true are all found."""
    truth = [RealCrossing(one, 0.3) for one in true]
    score = score_crossings(truth, counted)
    wrong = score.verdicts.count("wrong direction")
    assert len(score.verdicts) == len(truth)
    assert score.verdicts.count("found") == len(score.found)
    assert len(score.found) + wrong + len(score.invented) == len(counted)
    assert score_crossings(truth, true).verdicts == ("found",) * len(truth)
