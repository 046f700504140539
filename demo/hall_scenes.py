"""Endless scenes in a drawn hall with several visitors at once: frames with their truth. The same seed gives the same scene."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from demo.active import ActiveItems
from demo.canvas import Picture
from demo.distractions import Distraction, distractions
from demo.hall import SUN_PATCH, VIEW, draw_hall
from demo.light import Light, light_at
from demo.parties import Person, people
from demo.rng import create_rng
from demo.stage import Item, Stage
from demo.truth import PersonTruth, TrueCrossing, crossings_of, truth_of
from demo.visitors import FRAME_RATE

PAUSE = FRAME_RATE
"""Frames at the end of an excerpt in which nobody is in view."""


@dataclass(frozen=True, slots=True)
class HallMoment:
    """The content of one frame: its number from 0, the light, the truth about its people, and all that is drawn, far to near."""

    number: int
    light: Light
    people: tuple[PersonTruth, ...]
    items: tuple[Item, ...]

    @property
    def seconds(self) -> float:
        """Seconds since the scene's start, which is at dawn."""
        return self.number / FRAME_RATE


class HallScene:
    """The scene of a seed: one hall, and everybody who walks in and out. For `pause` see `demo.parties.people`."""

    def __init__(self, seed: int, pause: float | None = None) -> None:
        self.seed, self._pause = seed, pause
        self._layers = draw_hall(create_rng(seed, "hall"))
        self._stage = Stage(seed, VIEW, self._layers, SUN_PATCH)

    def moments(self, step: int = 1) -> Iterator[HallMoment]:
        """Yields every `step`-th moment, without end."""
        coming, passing = ActiveItems(people(self.seed, self._pause)), ActiveItems(distractions(self.seed, VIEW))
        for number in itertools.count(0, step):
            seconds = number / FRAME_RATE
            items = _sorted(coming.at(seconds), passing.at(seconds), seconds)
            yield HallMoment(number, light_at(seconds), truth_of(items, self._layers.furniture, seconds), items)

    def excerpt(self, seconds: float) -> Iterator[HallMoment]:
        """Yields the moments of a number of seconds, and on until nobody has been in view for `PAUSE` frames: no visit is cut."""
        alone = 0
        for moment in self.moments():
            yield moment
            alone = 0 if any(one.visible for one in moment.people) else alone + 1
            if moment.seconds >= seconds and alone >= PAUSE:
                return

    def frame(self, moment: HallMoment) -> Picture:
        """Returns the picture that the camera takes of a moment, 480 x 640 x 3 in BGR."""
        return self._stage.picture(moment.items, moment.light, moment.seconds)

    def crossings(self, seconds: float) -> list[TrueCrossing]:
        """Returns the crossings of the line in the first seconds of the scene, in the order of their times."""
        coming = itertools.takewhile(lambda person: person.start < seconds, people(self.seed, self._pause))
        found = [crossing for person in coming for crossing in crossings_of(person) if crossing.at < seconds]
        return sorted(found, key=lambda crossing: crossing.at)


def _sorted(persons: tuple[Person, ...], others: tuple[Distraction, ...], seconds: float) -> tuple[Item, ...]:
    items: list[Item] = [*others, *persons, *(person.cart for person in persons if person.cart is not None)]
    return tuple(sorted(items, key=lambda item: item.place(seconds).scale))
