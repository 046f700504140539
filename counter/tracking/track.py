"""One visitor's track: who it is, where they are, and the evidence for their label."""

from dataclasses import dataclass, field
from typing import NamedTuple

from counter.timeline import shifted
from counter.tracking.motion import Motion
from counter.tracking.things import Sighting, Thing

CONFIRM_FRAMES = 3  # sightings that confirm a track; two are enough if they fit so well that it is certain
CONFIRM_SECONDS = 0.08  # least time between the first and the last of them
SLOW = 0.35  # seconds between two frames from which they are far apart: people who walk are in few of them
MAJORITY = 0.5  # part of all evidence that the label of a track needs
MAX_LABELS = 8  # labels of a track for which evidence is kept; those with least are dropped
MAX_HELD_STEPS = 30  # sightings at one place after which another one does not change the motion
_DIGITS = 3  # decimals of evidence


class Evidence(NamedTuple):
    """The evidence for one label over `frames` sightings: the sum of its weighted probabilities, and the highest one.

    A sighting weighs as much as it is high, in picture heights: a label says more about a person who is near.
    """

    total: float = 0.0
    peak: float = 0.0
    frames: int = 0

    def with_sighting(self, probability: float, weight: float) -> "Evidence":
        """Returns the evidence with one more sighting."""
        return Evidence(
            round(self.total + probability * weight, _DIGITS), max(self.peak, round(probability, _DIGITS)), self.frames + 1
        )


@dataclass(slots=True)
class Track:
    """A visitor in view. `motion` is as of the last sighting, at `seen_at`.

    `origin` is session and sequence number of its first frame. Until the track is confirmed it may be a false one, and
    `sightings` has all of them; from then on, the last two.
    """

    id: int
    origin: str
    motion: Motion
    started_at: float
    seen_at: float
    frames: int = 0
    is_confirmed: bool = False
    evidence: dict[str, Evidence] = field(default_factory=dict)
    sightings: list[Sighting] = field(default_factory=list)

    @property
    def label(self) -> str | None:
        """The label with more than half of the evidence, or None: undecided."""
        if not self.evidence:
            return None
        best = max(self.evidence, key=lambda name: self.evidence[name].total)
        return best if self.evidence[best].total > MAJORITY * sum(one.total for one in self.evidence.values()) else None

    @classmethod
    def begin(cls, number: int, origin: str, at: float, thing: Thing) -> "Track":
        """Returns a track that begins with a thing."""
        track = cls(number, origin, Motion.start(thing.area), at, at, 1, sightings=[Sighting(at, thing.area)])
        track._add_evidence(thing)
        return track

    def add(self, at: float, thing: Thing, is_certain: bool) -> list[Sighting]:
        """Adds a sighting, which may be certain to be of the same visitor.

        Returns the sightings that now count and did not before: none while the track is unconfirmed.
        """
        self.motion = self.motion.after(at - self.seen_at).updated(thing.area)
        self.seen_at, self.frames = at, self.frames + 1
        self._add_evidence(thing)
        self.sightings.append(Sighting(at, thing.area))
        if self.is_confirmed:
            self.sightings = self.sightings[-2:]
            return self.sightings[-1:]
        self.is_confirmed = (is_certain or self.frames >= CONFIRM_FRAMES) and at - self.started_at >= CONFIRM_SECONDS
        return list(self.sightings) if self.is_confirmed else []

    def hold(self, until: float, interval: float) -> None:
        """Keeps the visitor where they were last seen, as sightings every `interval` seconds do, but without evidence."""
        area, seconds = self.sightings[-1].area, until - self.seen_at
        for _ in range(min(MAX_HELD_STEPS, max(1, round(seconds / interval)))):
            self.motion = self.motion.after(min(interval, seconds)).updated(area)
        self.seen_at = until
        self.sightings.append(Sighting(until, area))
        if self.is_confirmed:
            self.sightings = self.sightings[-2:]

    def _add_evidence(self, thing: Thing) -> None:
        for label in thing.labels:
            if label.visitor:
                self.evidence[label.name] = self.evidence.get(label.name, Evidence()).with_sighting(
                    label.probability, thing.area.h
                )
        while len(self.evidence) > MAX_LABELS:
            del self.evidence[min(self.evidence, key=lambda name: self.evidence[name].total)]

    def shift(self, by: float) -> None:
        """Shifts all times by a number of seconds, because the clock was set."""
        self.started_at, self.seen_at = shifted(self.started_at, by), shifted(self.seen_at, by)
        self.sightings = [Sighting(shifted(at, by), area) for at, area in self.sightings]
