"""IDF1 and HOTA, on hand-made tracks of two people."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counter.tracking.things import Area
from demo.identity import THRESHOLDS, Hota, Identity, score_hota, score_identity

WALKS = {1: (0.1, 0.5, 0.1), 2: (1.5, 0.9, -0.1)}
"""Two people in a picture twice as wide as high: where their boxes begin, and how far they move to the right in a frame."""
IGNORED = Area(0.9, 0.0, 0.2, 0.4)
FALSE = Area(0.3, 0.1, 0.1, 0.3)
Tracked = list[dict[int, Area]]


@dataclass
class Frame:
    people: dict[int, Area]
    ignored: dict[int, Area] = field(default_factory=dict)


def areas(number: int) -> dict[int, Area]:
    return {person: Area(x + step * number, y - 0.3, 0.1, 0.3) for person, (x, y, step) in WALKS.items()}


FRAMES = [Frame(areas(n), {9: IGNORED}) for n in range(10)]
PERFECT: Tracked = [frame.people for frame in FRAMES]
BROKEN: Tracked = [{person + 10 * (n >= 4): area for person, area in boxes.items()} for n, boxes in enumerate(PERFECT)]
SWAPPED: Tracked = [
    {(3 - person if n >= 4 else person): area for person, area in boxes.items()} for n, boxes in enumerate(PERFECT)
]
WITH_FALSE: Tracked = [{**boxes, 5: FALSE} for boxes in PERFECT]
WITH_IGNORED: Tracked = [{**boxes, 5: IGNORED} for boxes in PERFECT]
HALF: Tracked = [{1: boxes[1]} for boxes in PERFECT]
LOW: Tracked = [{person: area._replace(h=area.h * 0.52) for person, area in boxes.items()} for boxes in PERFECT]
"""The upper 52 % of each box: it is a person's at the thresholds up to 0.5, ten of nineteen."""


@pytest.mark.parametrize(
    ("tracked", "identity", "detection", "association"),
    [
        (PERFECT, Identity(20, 20, 20), 1, 1),
        (BROKEN, Identity(12, 20, 20), 1, (4 * 4 / 10 + 6 * 6 / 10) / 10),
        (SWAPPED, Identity(12, 20, 20), 1, (4 * 4 / 16 + 6 * 6 / 14) / 10),
        (WITH_FALSE, Identity(20, 20, 30), 2 / 3, 1),
        (WITH_IGNORED, Identity(20, 20, 20), 1, 1),
        (HALF, Identity(10, 20, 10), 1 / 2, 1),
        (LOW, Identity(20, 20, 20), 10 / 19, 10 / 19),
        ([{}] * 10, Identity(0, 20, 0), 0, 0),
    ],
    ids=["perfect", "broken", "swapped", "false boxes", "ignored boxes", "one of two", "low boxes", "none"],
)
def test_scores(tracked: Tracked, identity: Identity, detection: float, association: float) -> None:
    """IDF1 gives each person one track. DetA asks for boxes only, AssA for whole tracks. Boxes on ignored things are left out.

    A swap after 4 of 10 frames: each track has 4 boxes of one person, of 10 + 10 - 4, and 6 of the other, of 10 + 10 - 6.
    """
    hota = score_hota(FRAMES, tracked)
    assert score_identity(FRAMES, tracked) == identity
    assert (hota.detection, hota.association) == pytest.approx((100 * detection, 100 * association))
    if tracked is not LOW:  # the same at all thresholds
        assert hota.value == pytest.approx(100 * (detection * association) ** 0.5)


def test_sums_of_sequences() -> None:
    """Sequences weigh by their boxes. Ids of different sequences are different people."""
    assert score_identity(FRAMES, PERFECT) + score_identity(FRAMES, BROKEN) == Identity(32, 40, 40)
    assert (score_identity(FRAMES, PERFECT) + score_identity(FRAMES, BROKEN)).f1 == pytest.approx(80)
    both = score_hota(FRAMES, PERFECT) + score_hota(FRAMES, BROKEN)
    assert (both.detection, both.association) == pytest.approx((100, (100 + 52) / 2))
    assert (Identity().f1, Hota().value) == (0, 0)


heights = st.dictionaries(st.integers(1, 4), st.integers(1, 8), max_size=4)
some_frames = st.lists(
    heights.map(lambda people: Frame({person: Area(0.2 * person, 0.0, 0.2, h / 8) for person, h in people.items()})),
    min_size=1,
    max_size=8,
)
"""Up to four people side by side, with boxes of various heights."""


@given(some_frames, st.data())
def test_any_tracks(frames: list[Frame], data: st.DataObject) -> None:
    """All scores are between 0 and 100. Their own truth scores 100, and names of tracks do not matter.

    With the same boxes under other identities, IDF1 and AssA are not higher, and no more boxes are found at any threshold.
    """
    truth = [frame.people for frame in frames]
    perfect, own = (
        score_hota(frames, [{-one: area for one, area in people.items()} for people in truth]),
        score_identity(frames, truth),
    )
    if any(truth):
        assert (perfect.association, own.f1) == pytest.approx((100, 100))
    swapped = [dict(zip(data.draw(st.permutations(sorted(people))), people.values(), strict=True)) for people in truth]
    hota, identity = score_hota(frames, swapped), score_identity(frames, swapped)
    assert identity.f1 <= own.f1
    assert hota.association <= perfect.association + 1e-6
    assert all(one <= two for one, two in zip(hota.matched, perfect.matched, strict=True))
    assert all(0 <= one <= 100 + 1e-6 for one in (hota.value, hota.detection, hota.association, identity.f1))
    assert len(hota.matched) == len(THRESHOLDS) == 19
