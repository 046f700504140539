"""Stays in zones: who is inside, and for how long."""

from collections.abc import Sequence
from dataclasses import dataclass

import bus
from bus.polygon import contains
from counter.timeline import shifted
from counter.tracking.things import Point, Sighting, scaled

INERTIA = 0.5  # seconds for which a visitor must be seen inside to have entered, or outside to have left


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone of a setup, in picture heights; see `bus.Zone`."""

    name: str
    corners: tuple[Point, ...]

    @classmethod
    def of(cls, zone: bus.Zone, aspect: float) -> "Zone":
        """Returns the zone in a picture whose width is `aspect` times its height."""
        return cls(zone.name, tuple(scaled(corner, aspect) for corner in zone.polygon))


@dataclass(slots=True)
class Stay:
    """A track's stay in a zone: when it entered, if it is inside, and when it was last seen there.

    `turned_at` is the time of its first sighting on the other side of the border, if it has not settled there yet. `seconds` is
    the sum of its earlier stays.
    """

    entered_at: float | None = None
    inside_at: float = 0.0
    turned_at: float | None = None
    seconds: float = 0.0

    def step(self, at: float, is_inside: bool) -> None:
        """Processes a sighting."""
        if is_inside == (self.entered_at is not None):
            self.turned_at = None
        elif self.turned_at is None:
            self.turned_at = at
        if is_inside:
            self.inside_at = at
        if self.turned_at is None or at - self.turned_at < INERTIA - 1e-6:
            return
        if self.entered_at is None:
            self.entered_at, self.turned_at = self.turned_at, None
        else:
            self.leave()

    def leave(self) -> None:
        """Ends the stay, and adds its seconds."""
        if self.entered_at is not None:
            self.seconds = round(self.seconds + self.inside_at - self.entered_at, 3)
        self.entered_at = self.turned_at = None

    def shift(self, by: float) -> None:
        """Shifts all times by a number of seconds, because the clock was set."""
        self.entered_at = None if self.entered_at is None else shifted(self.entered_at, by)
        self.turned_at = None if self.turned_at is None else shifted(self.turned_at, by)
        self.inside_at = shifted(self.inside_at, by)


Stays = dict[tuple[str, int], Stay]
"""By zone and track."""


class ZoneCounter:
    """A counter of who is in which zone. `stays` is its state.

    A visitor stands at the middle of the lower edge of their box. A stay begins with the first sighting inside and ends with the
    last one there, if they stayed on that side for `INERTIA` seconds; so a box that trembles at the border changes nothing. Who
    is not seen for a moment is still inside, until their track ends.
    """

    def __init__(self, zones: Sequence[Zone], stays: Stays | None = None) -> None:
        self._zones = zones
        names = {zone.name for zone in zones}
        self.stays = {key: stay for key, stay in (stays or {}).items() if key[0] in names}

    def process(self, track: int, sightings: Sequence[Sighting]) -> None:
        """Processes the new sightings of a track, in order of time."""
        for one in sightings:
            for zone in self._zones:
                self._step(zone, track, one)

    def end(self, track: int) -> dict[str, float]:
        """Ends a track's stays. Returns the seconds that it was in each zone."""
        seconds = {}
        for zone in self._zones:
            if (stay := self.stays.pop((zone.name, track), None)) is not None:
                stay.leave()
                if stay.seconds > 0:
                    seconds[zone.name] = stay.seconds
        return seconds

    def inside(self, zone: str) -> int:
        """Returns the number of visitors in a zone."""
        return sum(name == zone and stay.entered_at is not None for (name, _), stay in self.stays.items())

    def longest_stay(self, zone: str, at: float) -> float:
        """Returns for how many seconds the visitor who is in a zone longest has been there; 0 if nobody is."""
        entries = [stay.entered_at for (name, _), stay in self.stays.items() if name == zone and stay.entered_at is not None]
        return max(0.0, at - min(entries, default=at))

    def shift(self, by: float) -> None:
        """Shifts all times by a number of seconds, because the clock was set."""
        for stay in self.stays.values():
            stay.shift(by)

    def _step(self, zone: Zone, track: int, sighting: Sighting) -> None:
        is_inside = contains(zone.corners, sighting.area.anchor)
        stay = self.stays.get((zone.name, track))
        if stay is None and is_inside:
            stay = self.stays[zone.name, track] = Stay()
        if stay is not None:
            stay.step(sighting.at, is_inside)
