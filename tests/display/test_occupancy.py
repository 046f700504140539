"""The number of visitors inside, and its picture."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bus import Occupancy, Status, states
from display.numbers import Digits
from display.occupancy import MAX_CAMERAS, MAX_STATUS_AGE, Inside
from display.pixels import SIDE

HOLD = 5.0
RUNNING = Status("counter", states.RUNNING, 1.0, 1.0)
OFFLINE = Status("counter", states.OFFLINE)
LINES = Occupancy("door", inside=3, entered=5, left=2)


@pytest.fixture
def inside() -> Inside:
    """A number that is shown while the counter runs; it ran at time 0."""
    one = Inside(HOLD)
    assert one.on_status(RUNNING, 0.0)
    return one


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ([], None),
        ([LINES], "3"),
        ([replace(LINES, zones={"till": 2})], "3"),  # lines come before zones
        ([Occupancy("door", {"till": 2, "yard": 1})], "3"),
        ([LINES, Occupancy("back", {"till": 2})], "5"),  # of all cameras
        ([Occupancy("door", inside=0)], "0"),
        ([Occupancy("door")], None),  # neither lines nor zones
        ([LINES, Occupancy("door")], None),  # both were deleted
        ([LINES, replace(LINES, inside=4)], "4"),
    ],
)
def test_the_number_is_that_of_the_counter(inside: Inside, known: Sequence[Occupancy], expected: str | None) -> None:
    for one in known:
        inside.on_occupancy(one)
    assert inside.label(1.0) == expected


def test_the_display_is_dark_without_the_counter(inside: Inside) -> None:
    """After the hold time if it says that it is offline, later if it says nothing. Other modules do not matter."""
    inside.on_occupancy(LINES)
    inside.on_status(OFFLINE, 10.0)
    inside.on_status(OFFLINE, 14.0)
    assert [inside.label(clock) for clock in (10.0, 14.9, 15.0)] == ["3", "3", None]
    assert inside.on_status(RUNNING, 20.0)
    assert [inside.label(20.0 + wait) for wait in (0.0, MAX_STATUS_AGE - 1, MAX_STATUS_AGE)] == ["3", "3", None]
    assert not inside.on_status(replace(RUNNING, module="classifier"), 60.0)
    assert inside.label(60.0) is None
    later = Inside(HOLD)
    later.on_occupancy(LINES)
    assert later.label(0.0) is None, "not yet heard of"
    later.on_status(OFFLINE, 0.0)
    assert later.label(0.0) is None, "as it was before this start"


def test_a_forgotten_camera_does_not_count(inside: Inside) -> None:
    """Spoofed cameras are bounded."""
    inside.on_occupancy(LINES)
    inside.on_occupancy(replace(LINES, camera="back"))
    inside.on_cleared("footfall/back/occupancy")
    assert inside.label(0.0) == "3"
    for number in range(200):
        inside.on_occupancy(Occupancy(f"camera{number}", inside=1))
    assert inside.label(0.0) == str(3 + MAX_CAMERAS - 1)


def drawn(number: int) -> list[str]:
    picture = Digits().picture(str(number))
    return ["".join("#" if any(dot) else "." for dot in picture[start : start + SIDE]) for start in range(0, SIDE * SIDE, SIDE)]


def test_numbers_are_legible() -> None:
    """Each from 0 to 99 is different, with a dark column between the digits. Larger ones are 99 with a bar below."""
    pictures = [drawn(number) for number in range(100)]
    assert len({"".join(one) for one in pictures}) == 100
    assert pictures[42][1:6] == ["#.#.###.", "#.#...#.", "###.###.", "..#.#...", "..#.###."]
    assert pictures[7][1:6] == ["....###.", "......#.", "......#.", ".....#..", ".....#.."]
    assert all(one[0] == one[6] == one[7] == "." * SIDE for one in pictures)
    assert drawn(100) == drawn(12345) == [*pictures[99][:7], "#" * SIDE]
