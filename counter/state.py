"""What is remembered of the visitors at one camera between two predictions; JSON of it is saved in the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from bus import Label
from counter.timeline import Timeline, moved


@dataclass(frozen=True, slots=True)
class Evidence:
    """The evidence for one label: the sum of its probabilities over `frames` sightings, the highest and the last of them."""

    total: float = 0.0
    peak: float = 0.0
    frames: int = 0
    probability: float = 0.0
    seen_at: float = 0.0

    def with_sighting(self, at: float, probability: float) -> "Evidence":
        """With one more sighting."""
        return Evidence(self.total + probability, max(self.peak, probability), self.frames + 1, probability, at)

    def moved(self, by: float) -> "Evidence":
        """The same on a clock that is set by so many seconds."""
        return replace(self, seen_at=moved(self.seen_at, by))


@dataclass(frozen=True, slots=True)
class OpenVisit:
    """A visitor from `started_at` on, last sighted at `seen_at`; the label is `settled`, or else the one with most evidence.

    `origin` is the session and number of the frame with which it begins.
    """

    origin: str
    started_at: float
    seen_at: float
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    settled: str | None = None

    @property
    def label(self) -> str:
        """The label by now."""
        return self.settled or max(self.evidence, key=lambda label: self.evidence[label].total)

    @property
    def own(self) -> Evidence:
        """That label's evidence."""
        return self.evidence[self.label]

    def with_sighting(self, at: float, seen: Label) -> "OpenVisit":
        """With one more sighting."""
        evidence = self.evidence.get(seen.name, Evidence()).with_sighting(at, seen.probability)
        return replace(self, seen_at=at, evidence={**self.evidence, seen.name: evidence})

    def moved(self, by: float) -> "OpenVisit":
        """The same on a clock that is set by so many seconds."""
        evidence = {label: one.moved(by) for label, one in self.evidence.items()}
        return replace(self, started_at=moved(self.started_at, by), seen_at=moved(self.seen_at, by), evidence=evidence)


class Observation(NamedTuple):
    """What a prediction says: the label that is sighted or None, and whether it is a background label.

    `origin` is the session and number of its frame.
    """

    origin: str
    at: float
    seen: Label | None
    is_background: bool


class Candidate(NamedTuple):
    """The sightings of one label, which outnumber all other frames since the first of them by `lead`."""

    lead: int
    visit: OpenVisit


@dataclass(slots=True)
class VisitState:
    """All that future visits depend on, besides the predictions to come."""

    timeline: Timeline = field(default_factory=Timeline)
    candidates: dict[str, Candidate] = field(default_factory=dict)
    visit: OpenVisit | None = None
    since_own: list[Observation] = field(default_factory=list)
    """What was seen since the open visit's label was last seen; of at most twice the gap's time."""
    absence: float = 0.0
    previous: Observation | None = None

    @property
    def is_idle(self) -> bool:
        """Whether nobody is there or about to be: then only the timeline matters."""
        return self.visit is None and not self.candidates

    def reset(self) -> None:
        """Starts again as if nobody had been seen yet."""
        self.candidates, self.visit, self.since_own, self.absence, self.previous = {}, None, [], 0.0, None

    def move(self, by: float) -> None:
        """Moves all times to a clock that was set by so many seconds."""
        self.candidates = {label: Candidate(lead, visit.moved(by)) for label, (lead, visit) in self.candidates.items()}
        self.visit = self.visit and self.visit.moved(by)
        self.since_own = [one._replace(at=moved(one.at, by)) for one in self.since_own]
        self.previous = self.previous and self.previous._replace(at=moved(self.previous.at, by))
