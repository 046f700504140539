"""The visitors of a hall: who comes together, when, and on which way. With couples, groups, children and carts."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from demo.canvas import Canvas, Picture, shaded
from demo.figure import LABELS, random_child, random_figure
from demo.hall import COUNTED, DOOR, HALF_WIDTH, TILL, VIEW
from demo.rng import create_rng
from demo.view import Place
from demo.walk import Walk, Walker

SIZES = {1: 0.42, 2: 0.32, 3: 0.13, 4: 0.08, 5: 0.05}
"""Share of the parties with this many people."""
ROW = 3
"""People side by side in a party; others walk behind them."""
MAX_PEOPLE = 9
"""People in a scene at once. A party comes later if there would be more."""
GAP = 0.3
"""Metres between two parties that are in the door at the same time."""
IN_DOOR = 0.6
"""Metres before and behind the line within which a party needs the width of the door for itself."""
_PHASE = 4
"""Parties that come at the same density: sparse, usual or busy."""
_PARTS = 6
"""Places on each leg of a way: scale and column change at different rates."""

Stop = tuple[float, float, float]
"""A place on a way: metres to the right, distance in metres, and seconds for which people stand there."""


@dataclass(frozen=True, slots=True)
class Person(Walker):
    """One visitor of a hall. `id` counts from 1."""

    id: int
    cart: "Cart | None" = None


@dataclass(frozen=True, slots=True)
class Cart:
    """A cart that a walker pushes. It is no visitor."""

    walk: Walk
    start: float

    def place(self, seconds: float) -> Place:
        """Returns where the cart is at this second of the scene: in front of who pushes it."""
        at = seconds - self.start
        pose, place = self.walk.pose(at), self.walk.place(at)
        ahead = math.sqrt(1 - pose.side**2) * (1 if pose.facing else -1)
        distance = VIEW.distance(place.scale)
        x = (place.x - VIEW.middle) / place.scale
        return VIEW.place(x + 0.7 * pose.side, distance - 0.6 * ahead)

    def is_outside(self, seconds: float) -> bool:
        """Returns whether the cart is outside, behind the wall with the door."""
        return self.place(seconds).scale < VIEW.door_scale

    def draw(self, picture: Picture, seconds: float) -> None:
        """Draws the cart at this second of the scene."""
        place, side = self.place(seconds), abs(self.walk.pose(seconds - self.start).side)
        canvas = Canvas(picture, place.x, VIEW.ground_row(place.scale), place.scale)
        half, metal = 0.26 + 0.16 * side, (150, 150, 145)
        canvas.polygon([(-half, 0.32), (half, 0.32), (half * 1.15, 0.72), (-half * 1.15, 0.72)], metal)
        for x in np.linspace(-half, half, 6):
            canvas.limb([(float(x), 0.34), (float(x) * 1.12, 0.7)], 0.02, shaded(metal, 0.6))
        for x in (-half * 0.8, half * 0.8):
            canvas.limb([(x, 0.34), (x, 0.12)], 0.03, shaded(metal, 0.5))
            canvas.ellipse((x, 0.07), 0.13, 0.13, (40, 40, 40))


@dataclass(frozen=True, slots=True)
class Party:
    """People who come together. `left` and `right` are the part of the door that they need, in metres from its middle."""

    people: tuple[Person, ...]
    left: float
    right: float
    in_door: tuple[float, float]
    """Seconds of the scene in which the party is near the line."""

    @property
    def start(self) -> float:
        return self.people[0].start

    @property
    def end(self) -> float:
        return self.people[0].end

    def is_in_way_of(self, other: "Party") -> bool:
        """Returns whether both are near the line at the same time and need the same part of the door."""
        at_once = self.in_door[0] < other.in_door[1] and other.in_door[0] < self.in_door[1]
        return at_once and self.left - GAP < other.right and other.left - GAP < self.right


def people(seed: int, pause: float | None = None) -> Iterator[Person]:
    """Yields all visitors of a scene in the order of their start, without end.

    With `pause`, each party comes that many seconds after the last one has left.
    """
    return (person for party in _parties(seed, pause) for person in party.people)


def _parties(seed: int, pause: float | None) -> Iterator[Party]:
    recent: list[Party] = []
    start, first_id = 0.0, 1
    for number in itertools.count():
        if pause is None:
            start = _next_start(create_rng(seed, "gap", number), create_rng(seed, "phase", number // _PHASE), start, recent)
        else:
            start = max((one.end for one in recent), default=0.0) + pause
        while _is_full(party := _random_party(create_rng(seed, "party", number), start, first_id), recent):
            start += 0.4
        yield party
        recent = [one for one in recent if one.end > start] + [party]
        first_id += len(party.people)


def _next_start(rng: np.random.Generator, phase: np.random.Generator, last: float, recent: Sequence[Party]) -> float:
    """Returns when the next party comes, after the start of the last one."""
    density = phase.choice(["sparse", "usual", "busy"], p=[0.15, 0.4, 0.45])
    if density == "sparse":
        return max((party.end for party in recent), default=last) + rng.uniform(17, 27)
    return last + (rng.uniform(3, 8) if density == "usual" else rng.uniform(0.5, 3))


def _is_full(party: Party, recent: Sequence[Party]) -> bool:
    present = sum(len(one.people) for one in recent if one.end > party.start)
    return present + len(party.people) > MAX_PEOPLE or any(one.is_in_way_of(party) for one in recent)


def _random_party(rng: np.random.Generator, start: float, first_id: int) -> Party:
    size = int(rng.choice(list(SIZES), p=list(SIZES.values())))
    turns = size <= ROW and rng.random() < 0.18
    offsets = _formation(rng, size)
    if turns:  # all turn at the same distance from the line
        offsets = [(x, 0.0) for x, _ in offsets]
    pace = rng.uniform(0.85, 1.4)
    half = max(abs(x) for x, _ in offsets) + 0.35
    lane = float(rng.uniform(half - HALF_WIDTH + 0.1, HALF_WIDTH - 0.1 - half))
    comes_in = bool(rng.random() < 0.5)
    if rng.random() < 0.6:  # keeps to the right
        lane = -abs(lane) if comes_in else abs(lane)
    depth = max(back for _, back in offsets)
    way = _turning_way(rng, lane, comes_in) if turns else _way_through(rng, lane, comes_in, depth)
    has_cart = not turns and size <= 2 and rng.random() < 0.16
    found = []
    for number, (x, back) in enumerate(offsets):
        label = LABELS[rng.integers(2)]
        is_child = number > 0 and rng.random() < 0.22
        figure = random_child(rng, label) if is_child else random_figure(rng, label)
        walk = _walk([(a + x, b + back, pause) for a, b, pause in way], pace, pace * rng.uniform(4.6, 5.6))
        cart = Cart(walk, start) if has_cart and number == 0 else None
        found.append(Person(figure, walk, start, first_id + number, cart))
    return Party(tuple(found), lane - half, lane + half, _time_in_door(found))


def _formation(rng: np.random.Generator, size: int) -> list[tuple[float, float]]:
    """Returns each one's offset from the middle of a party: metres to the right, and back."""
    spacing, offsets = rng.uniform(0.7, 0.95), []
    for number in range(size):
        row, column = divmod(number, ROW)
        width = min(ROW, size - row * ROW)
        x = (column - (width - 1) / 2 + (0.5 if row and width != 2 else 0)) * spacing
        offsets.append((float(x + rng.uniform(-0.06, 0.06)), float(row * rng.uniform(0.9, 1.1) + rng.uniform(-0.12, 0.12))))
    return offsets


def _turning_way(rng: np.random.Generator, lane: float, comes_in: bool) -> list[Stop]:
    """Returns a way back to the street or the hall, with the turn before, on or behind the line, at `lane`."""
    ranges = [(-1.2, -0.35), (-0.06, 0.06), (0.6, 1.2)]  # metres behind the line
    beyond = rng.uniform(*ranges[rng.choice(3, p=[0.4, 0.2, 0.4])])
    turn = (lane, COUNTED - beyond if comes_in else COUNTED + beyond, rng.uniform(0.3, 3.0))
    one, other = (_in_street(rng, lane) if comes_in else _in_hall(rng, lane) for _ in range(2))
    return [*one, turn, *other[::-1]]


def _way_through(rng: np.random.Generator, lane: float, comes_in: bool, depth: float) -> list[Stop]:
    """Returns a way in or out for a party of this depth; `lane` is where it leads through the door."""
    waits = rng.random() < 0.15
    stand = rng.uniform(0.4, 0.9) * (1 if rng.random() < 0.5 else -1)  # metres before the line or behind it
    door = (lane, COUNTED + stand, rng.uniform(2.0, 7.0)) if waits else (lane, DOOR, 0.0)
    way = [*_in_street(rng, lane), door, *_in_hall(rng, lane, depth)[::-1]]
    return way if comes_in else way[::-1]


def _in_street(rng: np.random.Generator, lane: float) -> list[Stop]:
    """Returns a way from out of view to the door."""
    side, distance = (-1 if rng.random() < 0.5 else 1), rng.uniform(9.4, 10.6)
    far = side * (HALF_WIDTH / DOOR * distance + rng.uniform(1.6, 2.2))
    return [(far, distance, 0.0), (lane + side * rng.uniform(0.0, 0.6), rng.uniform(9.0, 9.3), 0.0)]


def _in_hall(rng: np.random.Generator, lane: float, depth: float = 0.0) -> list[Stop]:
    """Returns a way from out of view to the door, perhaps by way of the till, or with a stop.

    `depth` is how far the last of a party walk behind the first: they too must be in the hall before they turn to a side.
    """
    side, distance = (-1 if rng.random() < 0.5 else 1), max(5.2, rng.uniform(5.5, 6.9) - depth)
    far = (side * (VIEW.middle / VIEW.focal_length * (distance + 1.4) + rng.uniform(1.4, 1.8)), distance, 0.0)
    draw = rng.random()
    inside = (lane + rng.uniform(-0.4, 0.4), rng.uniform(6.7, 7.1) - depth, rng.uniform(0.8, 4.0) if draw < 0.12 else 0.0)
    if draw > 0.8:
        till = (TILL[0] + rng.uniform(-0.25, 0.15), TILL[1] + rng.uniform(-0.2, 0.2), rng.uniform(3.0, 8.0))
        return [far, till, inside]
    return [far, inside]


def _walk(way: Sequence[Stop], pace: float, cadence: float) -> Walk:
    """Returns the walk along a way at a pace in metres a second."""
    places, times = [VIEW.place(*way[0][:2])], [0.0]
    for (x, distance, _), (next_x, next_distance, pause) in itertools.pairwise(way):
        begin, seconds = times[-1], math.hypot(next_x - x, next_distance - distance) / pace
        for part in np.linspace(0, 1, _PARTS + 1)[1:]:
            places.append(VIEW.place(x + part * (next_x - x), distance + part * (next_distance - distance)))
            times.append(begin + float(part) * seconds)
        if pause:
            places.append(places[-1])
            times.append(times[-1] + pause)
    return Walk(tuple(places), tuple(times), cadence, VIEW)


def _time_in_door(found: Sequence[Person]) -> tuple[float, float]:
    """Returns the seconds of the scene at which a party comes near the line and leaves it; 0 if it turns back before."""
    times = [
        one.start + at
        for one in found
        for at, place in zip(one.walk.times, one.walk.places, strict=True)
        if abs(VIEW.distance(place.scale) - COUNTED) < IN_DOOR
    ]
    return min(times, default=0.0), max(times, default=0.0)
