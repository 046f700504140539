"""When a visit begins and ends, and whose it is: a function of the predictions alone.

One visitor at a time is regarded, as a classifier looks at the whole picture. Each frame is a *sighting* of its highest label, or
a miss: when that label is below the threshold, or says that nobody is there.

- A visit begins with a label whose sightings come to outnumber all other frames by `frames`, counted from where they last did
  not outnumber them (Page's cumulative sum, Biometrika 41, 1954): wrong frames only delay it.
- From there on each label gathers evidence, the sum of its probabilities, and the visit is the label's that has most: a few wrong
  frames, at its beginning too, neither split nor relabel it. Two frames in a row that say that nobody is there settle its label.
- It ends when nobody has been sighted for `gap` seconds, of which those in which the model says that nobody is there count
  `BACKGROUND_WEIGHT` times; or when its own label has been absent for `gap` seconds and another is seen. What follows is regarded
  as if nothing had been before.

So of two who follow each other with nobody said between them, one who is there for less than `gap` seconds may go under in the
other's visit, at probabilities near the threshold even one of twice that.

All times are the frames' own, so that predictions that come late, or all at once after an absence, give the same visits as those
that come live. Within a session of capture, `sequence` gives their order, and `session_time`, by a clock that nobody sets, the
time between them; the wall clock (`captured_at`) gives the date. When that is set, all that is remembered moves with it: a visit
that goes on keeps its duration and is dated by the newest reading. Visits that are over keep their dates, unless the clock read
less than it had before, as after a boot without a battery: those are corrected.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from bus import Label, Prediction, Visit
from counter.identity import identity_of
from counter.timeline import Moment, Timeline, moved

BACKGROUND_WEIGHT = 3.0
"""How much faster a visit ends on frames of a background label than on frames that say nothing."""
_ROUNDING = 1e-6
"""Seconds; times are sums of floats."""


@dataclass(frozen=True, slots=True)
class Rules:
    """See the module; `threshold` is the least probability that counts, `gap` is in seconds."""

    threshold: float
    frames: int
    gap: float
    is_background: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for one label: the sum of its probabilities over `frames` sightings, the highest and the last of them."""

    total: float = 0.0
    peak: float = 0.0
    frames: int = 0
    probability: float = 0.0
    seen_at: float = 0.0

    def with_sighting(self, at: float, probability: float) -> "Evidence":
        """The evidence with one sighting more."""
        return Evidence(self.total + probability, max(self.peak, probability), self.frames + 1, probability, at)

    def moved(self, by: float) -> "Evidence":
        """The same on a clock that is set by so many seconds."""
        return replace(self, seen_at=moved(self.seen_at, by))


@dataclass(frozen=True, slots=True)
class Stay:
    """Somebody from `started_at` on, last sighted at `seen_at`, whose label is `settled` or else the one with most evidence.

    `origin` is the session and number of the frame with which it begins.
    """

    origin: str
    started_at: float
    seen_at: float
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    settled: str | None = None

    @property
    def label(self) -> str:
        """Whose visit it is by now."""
        return self.settled or max(self.evidence, key=lambda label: self.evidence[label].total)

    @property
    def own(self) -> Evidence:
        """That label's evidence."""
        return self.evidence[self.label]

    def with_sighting(self, at: float, seen: Label) -> "Stay":
        """The stay with one sighting more."""
        evidence = self.evidence.get(seen.name, Evidence()).with_sighting(at, seen.probability)
        return replace(self, seen_at=at, evidence={**self.evidence, seen.name: evidence})

    def moved(self, by: float) -> "Stay":
        """The same on a clock that is set by so many seconds."""
        evidence = {label: one.moved(by) for label, one in self.evidence.items()}
        return replace(self, started_at=moved(self.started_at, by), seen_at=moved(self.seen_at, by), evidence=evidence)


class Regarded(NamedTuple):
    """What a prediction comes to: a label that is sighted, or none, and whether that is as nobody is there.

    `origin` is the session and number of its frame.
    """

    origin: str
    at: float
    seen: Label | None
    is_background: bool


class Candidate(NamedTuple):
    """The sightings of one label, which outnumber all other frames since the first of them by `lead`."""

    lead: int
    stay: Stay


class Correction(NamedTuple):
    """The last `number` visits of a camera were dated by a clock that read at most `until` and was set `by` so many seconds.

    So were all frames that it dated from `counted_from` to before `counted_until`.
    """

    camera: str
    number: int
    until: float
    by: float
    counted_from: float
    counted_until: float


@dataclass(slots=True)
class Memory:
    """All that the visits to come depend on besides the predictions to come."""

    timeline: Timeline = field(default_factory=Timeline)
    candidates: dict[str, Candidate] = field(default_factory=dict)
    stay: Stay | None = None
    since_own: list[Regarded] = field(default_factory=list)
    """What was seen since the stay's label was: of twice the gap's time at most."""
    absence: float = 0.0
    previous: Regarded | None = None

    @property
    def is_idle(self) -> bool:
        """Whether nobody is there or about to be: then only the timeline matters, and its numbers for what is repeated."""
        return self.stay is None and not self.candidates

    def forget(self) -> None:
        """Begins again as if nobody had been seen yet."""
        self.candidates, self.stay, self.since_own, self.absence, self.previous = {}, None, [], 0.0, None

    def move(self, by: float) -> None:
        """Takes over a clock that was set by so many seconds."""
        self.candidates = {label: Candidate(lead, stay.moved(by)) for label, (lead, stay) in self.candidates.items()}
        self.stay = self.stay and self.stay.moved(by)
        self.since_own = [one._replace(at=moved(one.at, by)) for one in self.since_own]
        self.previous = self.previous and self.previous._replace(at=moved(self.previous.at, by))


class Visits:
    """The visits at one camera, from where `memory` left them."""

    def __init__(self, camera: str, rules: Rules, memory: Memory | None = None) -> None:
        self._camera = camera
        self._rules = rules
        self.memory = memory or Memory()
        self.late = 0
        """How many predictions were passed over, as they were repeated or came after a newer one."""
        self.correction: Correction | None = None
        """What the last prediction says of visits that ended before it."""
        self.apart = 0
        """How many of the last predictions came so far apart that no visit can be made of them."""

    @property
    def current(self) -> Stay | None:
        """The visit that goes on now."""
        return self.memory.stay

    def take_in(self, prediction: Prediction) -> list[Visit]:
        """Regards the next prediction, which may have been here before; the visits that are over by it, the oldest first."""
        moment, self.correction = self.memory.timeline.take(prediction, self._rules.gap), None
        if moment is None:
            self.late += 1
            return []
        if moment.set_by:
            self.memory.move(moment.set_by)
            self.correction = self._correction(moment)
        ended: list[Visit] = []
        if moment.elapsed < 0:
            ended = self.end_all()
            self.memory.timeline.doubtful = 0
        self.apart = self.apart + 1 if moment.elapsed >= self._rules.gap else 0
        return ended + self._regard(self._frame(prediction, moment.at))

    def _correction(self, moment: Moment) -> Correction | None:
        """What follows from a clock that was set for what was dated by it before."""
        if moment.doubted_from is None:
            return None
        end = moment.at - moment.set_by
        return Correction(
            self._camera, moment.doubtful, end - moment.elapsed, moment.set_by, moment.doubted_from, counted_until=end
        )

    def end_all(self) -> list[Visit]:
        """Ends what is open, as when the camera was lost."""
        stay = self.memory.stay
        self.memory.forget()
        return [self._visit(stay, stay.seen_at)] if stay else []

    def _frame(self, prediction: Prediction, at: float) -> Regarded:
        origin, best = f"{prediction.session} {prediction.sequence}", prediction.best
        if best is None or best.probability < self._rules.threshold:
            return Regarded(origin, at, None, is_background=False)
        is_background = self._rules.is_background(best.name)
        return Regarded(origin, at, None if is_background else best, is_background)

    def _regard(self, frame: Regarded) -> list[Visit]:
        is_nobody = frame.is_background and self.memory.previous is not None and self.memory.previous.is_background
        if self.memory.previous is not None:
            self.memory.absence += (frame.at - self.memory.previous.at) * (BACKGROUND_WEIGHT if is_nobody else 1.0)
        ended = self.end_all() if self.memory.absence >= self._rules.gap - _ROUNDING else []
        self.memory.previous = frame
        if frame.seen is not None:
            self.memory.absence = 0.0
        if self.memory.stay is None:
            self._seek(frame)
            return ended
        if is_nobody:
            self.memory.stay = replace(self.memory.stay, settled=self.memory.stay.label)
        return ended + self._follow(self.memory.stay, frame)

    def _seek(self, frame: Regarded) -> None:
        """Looks whether a visit begins with this frame."""
        seen, candidates = frame.seen, {}
        if seen is not None:
            lead, stay = self.memory.candidates.pop(seen.name, Candidate(0, Stay(frame.origin, frame.at, frame.at)))
            candidates[seen.name] = Candidate(lead + 1, stay.with_sighting(frame.at, seen))
            if lead + 1 >= self._rules.frames:
                self.memory.stay = candidates[seen.name].stay
        for label, (lead, stay) in self.memory.candidates.items():
            if lead > 1:
                candidates[label] = Candidate(lead - 1, stay)
        self.memory.candidates = candidates if self.memory.stay is None else {}

    def _follow(self, stay: Stay, frame: Regarded) -> list[Visit]:
        """Goes on with the visit; if its label is another's by now, what was seen since it was last seen is the next one's."""
        seen = frame.seen
        self.memory.since_own.append(frame)
        if seen is None:
            return []
        if seen.name != stay.label and frame.at - stay.own.seen_at >= self._rules.gap - _ROUNDING:
            ended, since = [self._visit(stay, stay.own.seen_at)], self.memory.since_own
            self.memory.forget()
            for one in since:
                ended += self._regard(one)
            return ended
        self.memory.stay = stay.with_sighting(frame.at, seen)
        if self.memory.stay.label == seen.name:
            self.memory.since_own = []
        return []

    def _visit(self, stay: Stay, ended_at: float) -> Visit:
        """A visit that is over; its id says where it began in its session, as its times may be corrected."""
        self.memory.timeline.dated()
        identity = identity_of(self._camera, stay.label, stay.origin)
        return Visit(identity, self._camera, stay.label, stay.started_at, ended_at, stay.own.peak, stay.own.frames)
