"""When a visit begins and ends, and its label: a function of the predictions alone.

One visitor at a time is tracked, as a classifier looks at the whole picture. Each frame is a *sighting* of its highest label, or
a miss: when that label is below the threshold, or says that nobody is there.

- A visit begins with a label whose sightings come to outnumber all other frames by `frames`, counted from where they last did
  not outnumber them (Page's cumulative sum, Biometrika 41, 1954): wrong frames only delay it.
- From there on each label gathers evidence, the sum of its probabilities. The visit has the label with most evidence: a few wrong
  frames, at its beginning too, neither split nor relabel it. Two frames in a row that say that nobody is there settle its label.
- It ends when nobody has been sighted for `gap` seconds, of which those in which the model says that nobody is there count
  `BACKGROUND_WEIGHT` times; or when its own label has been absent for `gap` seconds and another is seen. What follows is
  treated as if nothing had been before.

So of two visitors who follow each other without a frame of nobody, one who stays for less than `gap` seconds may be merged into
the other's visit, at probabilities near the threshold even one of twice that.

All times are the frames' own, so that predictions that come late, or all at once after an absence, give the same visits as those
that come live. Within a session of capture, `sequence` gives their order, and `session_time`, by a clock that nobody sets, the
time between them; the wall clock (`captured_at`) gives the date. When that is set, all that is remembered moves with it: a visit
that goes on keeps its duration and is dated by the newest reading. Visits that are over keep their dates, unless the clock read
less than it had before, as after a boot without a battery: those are corrected.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from bus import Label, Prediction, Visit
from counter.timeline import Correction, Timeline, moved

BACKGROUND_WEIGHT = 3.0  # how much faster a visit ends on frames of a background label than on frames that say nothing
_ROUNDING = 1e-6  # seconds; times are sums of floats
_NAMESPACE = uuid.UUID("6b1d2f0e-3c55-4f57-9d2a-0f1c5a7e9b43")


def result_id(camera: str, *parts: object) -> str:
    """The same camera and parts always give the same id, so that a repeated result can be recognised.

    The parts of a visit are its label and the frame with which it began; those of other results start with an empty text.
    """
    return str(uuid.uuid5(_NAMESPACE, "\n".join([camera, *map(str, parts)])))


@dataclass(frozen=True, slots=True)
class Rules:
    """See the module; `threshold` is the least probability that counts, `gap` is in seconds."""

    threshold: float
    frames: int
    gap: float
    is_background: Callable[[str], bool]


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
        evidence = {label: replace(one, seen_at=moved(one.seen_at, by)) for label, one in self.evidence.items()}
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
    """All that future visits depend on, besides the predictions to come; JSON of it is saved in the ledger."""

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


class Visits:
    """The visits at one camera, from where `state` left them."""

    def __init__(self, camera: str, rules: Rules, state: VisitState | None = None) -> None:
        self._camera = camera
        self._rules = rules
        self.state = state or VisitState()
        self.correction: Correction | None = None  # what the last prediction says about visits that ended before it
        self.apart = 0  # how many of the last predictions were too far apart to form a visit

    def process(self, prediction: Prediction) -> list[Visit]:
        """Takes the next prediction, which may be a repeated one; returns the visits that it ends, oldest first."""
        self.correction = None
        moment = self.state.timeline.take(prediction, self._rules.gap)
        if moment is None:
            return []
        self.correction = moment.correction
        if moment.set_by:
            self.state.move(moment.set_by)
        ended: list[Visit] = []
        if moment.elapsed < 0:
            ended = self.end_all()
            self.state.timeline.doubtful = 0
        self.apart = self.apart + 1 if moment.elapsed >= self._rules.gap else 0
        return ended + self._observe(self._frame(prediction, moment.at))

    def end_all(self) -> list[Visit]:
        """Ends the open visit, as when the camera was lost."""
        visit = self.state.visit
        self.state.reset()
        return [self._visit(visit, visit.seen_at)] if visit else []

    def _frame(self, prediction: Prediction, at: float) -> Observation:
        origin, best = f"{prediction.session} {prediction.sequence}", prediction.best
        if best is None or best.probability < self._rules.threshold:
            return Observation(origin, at, None, is_background=False)
        is_background = self._rules.is_background(best.name)
        return Observation(origin, at, None if is_background else best, is_background)

    def _observe(self, frame: Observation) -> list[Visit]:
        is_nobody = frame.is_background and self.state.previous is not None and self.state.previous.is_background
        if self.state.previous is not None:
            self.state.absence += (frame.at - self.state.previous.at) * (BACKGROUND_WEIGHT if is_nobody else 1.0)
        ended = self.end_all() if self.state.absence >= self._rules.gap - _ROUNDING else []
        self.state.previous = frame
        if frame.seen is not None:
            self.state.absence = 0.0
        if self.state.visit is None:
            self._try_to_open(frame)
            return ended
        if is_nobody:
            self.state.visit = replace(self.state.visit, settled=self.state.visit.label)
        return ended + self._continue(self.state.visit, frame)

    def _try_to_open(self, frame: Observation) -> None:
        """Opens a visit when a label's sightings outnumber all else."""
        seen, candidates = frame.seen, {}
        if seen is not None:
            lead, visit = self.state.candidates.pop(seen.name, Candidate(0, OpenVisit(frame.origin, frame.at, frame.at)))
            candidates[seen.name] = Candidate(lead + 1, visit.with_sighting(frame.at, seen))
            if lead + 1 >= self._rules.frames:
                self.state.visit = candidates[seen.name].visit
        for label, (lead, visit) in self.state.candidates.items():
            if lead > 1:
                candidates[label] = Candidate(lead - 1, visit)
        self.state.candidates = candidates if self.state.visit is None else {}

    def _continue(self, visit: OpenVisit, frame: Observation) -> list[Visit]:
        """Continues the visit; when another visitor has replaced it, what came since its last sighting belongs to the next."""
        seen = frame.seen
        self.state.since_own.append(frame)
        if seen is None:
            return []
        if seen.name != visit.label and frame.at - visit.own.seen_at >= self._rules.gap - _ROUNDING:
            ended, since = [self._visit(visit, visit.own.seen_at)], self.state.since_own
            self.state.reset()
            for one in since:
                ended += self._observe(one)
            return ended
        self.state.visit = visit.with_sighting(frame.at, seen)
        if self.state.visit.label == seen.name:
            self.state.since_own = []
        return []

    def _visit(self, visit: OpenVisit, ended_at: float) -> Visit:
        """A visit that is over; its id depends on the frame with which it began, as its times may be corrected."""
        self.state.timeline.dated()
        visit_id = result_id(self._camera, visit.label, visit.origin)
        return Visit(visit_id, self._camera, visit.label, visit.started_at, ended_at, visit.own.peak, visit.own.frames)
