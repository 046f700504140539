"""Counting by presence, for a classifier of whole pictures: when a visit begins and ends, and its label.

Such a classifier says what is there, but not how many or where. So there is one visitor at a time. (Visitors that a detector
finds are counted by their tracks, see `counter.tracking`.) Each frame is a *sighting* of its most probable label, or a miss if
that label is below the threshold, or is a background label, which means that no visitor is there.

- A visit begins when the sightings of one label outnumber all other frames by `frames`, counted from where they last did not
  outnumber them (Page's cumulative sum, Biometrika 41, 1954). Wrong frames only delay it.
- From then on each label gathers evidence, the sum of its probabilities. The label with most evidence is the visit's. A few wrong
  frames, even at the start, neither split nor relabel a visit. Two background frames in a row settle its label.
- A visit ends when nobody has been sighted for `gap` seconds; time with a background label counts `BACKGROUND_WEIGHT` times. It
  also ends when its own label has been absent for `gap` seconds and another one is sighted. The frames since then are processed
  again, as if nothing had come before.
- An outage is not absence, because no frame was looked at: the camera is cut, or a program was killed and works again a moment
  later. The visit goes on if its label is seen shortly before and right after, and it is not longer than `MAX_OUTAGE`.
- While nothing moves, capture holds frames back. Until the next one, the visitor who was sighted last is there, and nobody is if
  nobody was. Held-back frames begin no visit, and are evidence for the visit's own label only, so one wrong frame before a pause
  counts once. A visitor whom it missed is still there if they were sighted shortly before, because nobody has left. Another miss
  after the pause ends that.

If two visitors follow each other without an empty frame, one who stays less than `gap` seconds may be merged into the other's
visit. At probabilities near the threshold, that time is twice as long.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, NamedTuple

from pydantic import AfterValidator

from bus import Label, Prediction, Visit
from bus.fields import Count, Duration, Fraction, Seconds, Text
from counter.ids import result_id
from counter.timeline import JUST_SEEN, shifted

BACKGROUND_WEIGHT = 3.0  # weight of time with a background label, relative to time with other misses
MAX_OUTAGE = 4.0  # seconds without predictions after which whoever is there counts as the next visitor
_TOLERANCE = 1e-6  # seconds; times are sums of floats


@dataclass(frozen=True, slots=True)
class PresenceRules:
    """The rules for visits, see the module. `threshold` is the lowest probability that counts; `gap` is in seconds."""

    threshold: float
    frames: int
    gap: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """The evidence for one label over `frames` sightings: the sum of its probabilities, the highest, and the last one."""

    total: Duration = 0.0
    peak: Fraction = 0.0
    frames: Count = 0
    probability: Fraction = 0.0
    seen_at: Duration = 0.0

    def with_sighting(self, at: float, probability: float) -> "Evidence":
        """Returns the evidence with one more sighting."""
        return Evidence(self.total + probability, max(self.peak, probability), self.frames + 1, probability, at)


@dataclass(frozen=True, slots=True)
class OpenVisit:
    """A visit in progress, with the last sighting at `seen_at`. Its label is `settled`, or else the one with most evidence.

    `origin` is session and sequence number of its first frame.
    """

    origin: str
    started_at: Seconds
    seen_at: Seconds
    evidence: Mapping[Text, Evidence] = field(default_factory=dict)
    settled: Text | None = None

    @property
    def label(self) -> str:
        """The current label."""
        return self.settled or max(self.evidence, key=lambda label: self.evidence[label].total)

    @property
    def own(self) -> Evidence:
        """The evidence for the current label."""
        return self.evidence[self.label]

    def with_sighting(self, at: float, seen: Label) -> "OpenVisit":
        """Returns the visit with one more sighting."""
        evidence = self.evidence.get(seen.name, Evidence()).with_sighting(at, seen.probability)
        return replace(self, seen_at=at, evidence={**self.evidence, seen.name: evidence})

    def with_repeats(self, label: str, until: float, repeats: int) -> "OpenVisit":
        """Returns the visit with its last sighting, of `label`, repeated until a time."""
        one = self.evidence[label]
        gained = repeats * one.probability if label == self.label else 0.0
        evidence = {**self.evidence, label: replace(one, total=one.total + gained, seen_at=until)}
        return replace(self, seen_at=until, evidence=evidence)

    def shifted(self, by: float) -> "OpenVisit":
        """Returns the visit with all times shifted by a number of seconds."""
        evidence = {label: replace(one, seen_at=shifted(one.seen_at, by)) for label, one in self.evidence.items()}
        return replace(self, started_at=shifted(self.started_at, by), seen_at=shifted(self.seen_at, by), evidence=evidence)


class Observation(NamedTuple):
    """The content of a prediction: the sighted label, or None for a miss, and whether the best label is a background label.

    `origin` is session and sequence number of its frame. For `held` seconds after it, `repeats` frames were held back.
    """

    origin: str
    at: Seconds
    seen: Label | None
    is_background: bool
    held: Duration = 0.0
    repeats: Count = 0


def _checked(visit: OpenVisit) -> OpenVisit:
    if visit.label not in visit.evidence:
        raise ValueError(f"there is no evidence for {visit.label!r}")
    return visit


SavedVisit = Annotated[OpenVisit, AfterValidator(_checked)]
"""An open visit in a saved state."""


class Candidate(NamedTuple):
    """A visit that may start: the sightings of its label outnumber all other frames since the first one by `lead`."""

    lead: int
    visit: SavedVisit


@dataclass(slots=True)
class PresenceState:
    """The state on which future visits depend; saved as JSON in the ledger."""

    candidates: dict[Text, Candidate] = field(default_factory=dict)
    visit: SavedVisit | None = None
    since_own: list[Observation] = field(default_factory=list)
    """Observations since the open visit's label was last sighted; they span at most twice the gap."""
    absence: Duration = 0.0
    previous: Observation | None = None

    @property
    def is_idle(self) -> bool:
        """Whether there is neither a visit nor a candidate; then nothing matters."""
        return self.visit is None and not self.candidates

    def reset(self) -> None:
        """Forgets everything."""
        self.candidates, self.visit, self.since_own, self.absence, self.previous = {}, None, [], 0.0, None

    def shift(self, by: float) -> None:
        """Shifts all times by a number of seconds, because the clock was set."""
        self.candidates = {label: Candidate(lead, visit.shifted(by)) for label, (lead, visit) in self.candidates.items()}
        self.visit = self.visit and self.visit.shifted(by)
        self.since_own = [one._replace(at=shifted(one.at, by)) for one in self.since_own]
        self.previous = self.previous and self.previous._replace(at=shifted(self.previous.at, by))


class PresenceCounter:
    """A counter of the visits at one camera, which continues from `state`."""

    def __init__(self, camera: str, rules: PresenceRules, state: PresenceState | None = None) -> None:
        self._camera = camera
        self._rules = rules
        self.state = state or PresenceState()

    def process(self, at: float, prediction: Prediction) -> list[Visit]:
        """Processes the next prediction, of a frame at that time. Returns the visits that it ends, oldest first."""
        return self._observe(self._observation(prediction, at))

    def hold(self, seconds: float, interval: float) -> list[Visit]:
        """Notes that frames `interval` seconds apart were held back for a time after the last one, because nothing moved.

        Returns the visit that ended in that time.
        """
        state = self.state
        if state.previous is None:
            return []
        held = state.previous._replace(held=seconds, repeats=round(seconds / interval))
        state.since_own = [held if one == state.previous else one for one in state.since_own]
        state.previous = held
        self._hold(held)
        return self._end_if_absent()

    def end_open_visit(self) -> list[Visit]:
        """Ends the open visit and returns it, if there is one."""
        visit = self.state.visit
        self.state.reset()
        return [self._ended_visit(visit, visit.seen_at)] if visit else []

    def _end_if_absent(self) -> list[Visit]:
        """Ends the open visit if nobody has been sighted for long enough."""
        return self.end_open_visit() if self.state.absence >= self._rules.gap - _TOLERANCE else []

    def _observation(self, prediction: Prediction, at: float) -> Observation:
        origin, best = prediction.origin, prediction.best
        if best is None or best.probability < self._rules.threshold:
            return Observation(origin, at, None, is_background=False)
        return Observation(origin, at, best if best.visitor else None, is_background=not best.visitor)

    def _observe(self, frame: Observation) -> list[Visit]:
        ended = self._step(frame)
        if frame.held:  # only of an observation that is processed again; else `hold` comes later
            self._hold(frame)
        return ended

    def _hold(self, last: Observation) -> None:
        """Lets the time pass in which frames were held back after the last observation."""
        state = self.state
        if last.seen is not None:
            until = round(last.at + last.held, 3)
            state.visit = state.visit and state.visit.with_repeats(last.seen.name, until, last.repeats)
        elif state.absence < self._just_seen - _TOLERANCE:
            state.absence = self._just_seen
        else:
            state.absence += last.held * (BACKGROUND_WEIGHT if last.is_background else 1.0)

    @property
    def _just_seen(self) -> float:
        return min(JUST_SEEN, self._rules.gap / 2)

    def _step(self, frame: Observation) -> list[Visit]:
        is_nobody = frame.is_background and self.state.previous is not None and self.state.previous.is_background
        if self.state.previous is not None and not self._stayed(self.state.previous, frame):
            elapsed = frame.at - self.state.previous.at - self.state.previous.held
            self.state.absence += elapsed * (BACKGROUND_WEIGHT if is_nobody else 1.0)
        ended = self._end_if_absent()
        self.state.previous = frame
        if frame.seen is not None:
            self.state.absence = 0.0
        if self.state.visit is None:
            self._try_to_open(frame)
            return ended
        if is_nobody:
            self.state.visit = replace(self.state.visit, settled=self.state.visit.label)
        return ended + self._continue_visit(self.state.visit, frame)

    def _stayed(self, before: Observation, after: Observation) -> bool:
        """Returns whether the visitor stayed between two successive frames, with no long outage between them.

        The frame after shows them, and so does one shortly before. The last one before must show somebody, but its label can be
        wrong. After a single frame of the visit, the time between may as well be that between all frames.
        """
        visit = self.state.visit
        if visit is None or visit.own.frames < 2 or before.seen is None or after.seen is None:
            return False
        is_short = after.at - before.at - before.held <= MAX_OUTAGE + _TOLERANCE
        was_seen = before.at - visit.own.seen_at < self._just_seen
        return is_short and was_seen and after.seen.name == visit.label

    def _try_to_open(self, frame: Observation) -> None:
        """Opens a visit if the sightings of a label outnumber all other frames by enough."""
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

    def _continue_visit(self, visit: OpenVisit, frame: Observation) -> list[Visit]:
        """Continues the visit. If another visitor has taken its place, ends it, and processes again what came since."""
        seen = frame.seen
        self.state.since_own.append(frame)
        if seen is None:
            return []
        if seen.name != visit.label and self._own_absence(visit, frame.at) >= self._rules.gap - _TOLERANCE:
            ended, since = [self._ended_visit(visit, visit.own.seen_at)], self.state.since_own
            self.state.reset()
            for one in since:
                ended += self._observe(one)
            return ended
        self.state.visit = visit.with_sighting(frame.at, seen)
        if self.state.visit.label == seen.name:
            self.state.since_own = []
        return []

    def _own_absence(self, visit: OpenVisit, at: float) -> float:
        """Returns the seconds since the visit's label was sighted, without pauses that began shortly after that."""
        seen_at = visit.own.seen_at
        return at - seen_at - sum(one.held for one in self.state.since_own if one.at - seen_at < self._just_seen - _TOLERANCE)

    def _ended_visit(self, visit: OpenVisit, ended_at: float) -> Visit:
        """Returns a visit that has ended. Its id depends on its first frame, because its times may be corrected."""
        visit_id = result_id(self._camera, visit.label, visit.origin)
        return Visit(visit_id, self._camera, visit.label, visit.started_at, ended_at, visit.own.peak, visit.own.frames)
