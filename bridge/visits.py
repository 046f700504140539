"""When a visit begins and ends, and whose it is: a function of the predictions alone.

One visitor at a time is regarded, as a classifier looks at the whole picture. Each frame is a *sighting* of its highest label, or
a miss: when that label is below the threshold, or says that nobody is there.

- A visit opens when the sightings of one label outnumber all other frames by `frames`; a doubtful one among them only delays it.
- While it is open, each label gathers evidence: the sum of its probabilities. The visit is the label's that has most, so that a
  few wrong frames, at its beginning too, neither split nor relabel it.
- It ends when nobody has been sighted for `gap` seconds, of which those in which the model says that nobody is there count
  `BACKGROUND_WEIGHT` times; or when its own label has been absent for `gap` seconds and another is seen: that one's visit begins.

All times are the frames' own (`captured_at`), so that predictions that come late, or all at once after an absence, give the same
visits as those that come live.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from bus import Label, Prediction, Visit

CLOCK_SET_BACK = 60.0
"""Seconds; a prediction that is older than the last by less is a repeated or a late one, by more the camera's clock was set."""
BACKGROUND_WEIGHT = 3.0
"""How much faster a visit ends on frames of a background label than on frames that say nothing."""
_ROUNDING = 1e-6
"""Seconds; times are sums of floats."""
_NAMESPACE = uuid.UUID("6b1d2f0e-3c55-4f57-9d2a-0f1c5a7e9b43")


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


@dataclass(frozen=True, slots=True)
class Stay:
    """Somebody from `started_at` on, last sighted at `seen_at`; `misses` are the frames between that sighted nobody."""

    started_at: float
    seen_at: float
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    misses: int = 0

    @property
    def label(self) -> str:
        """The label with most evidence."""
        return max(self.evidence, key=lambda label: self.evidence[label].total)

    @property
    def own(self) -> Evidence:
        """That label's evidence."""
        return self.evidence[self.label]

    @property
    def margin(self) -> int:
        """By how many frames the sightings of that label outnumber all others."""
        others = sum(evidence.frames for evidence in self.evidence.values()) - self.own.frames
        return self.own.frames - others - self.misses

    def with_sighting(self, at: float, seen: Label) -> "Stay":
        """The stay with one sighting more."""
        evidence = self.evidence.get(seen.name, Evidence()).with_sighting(at, seen.probability)
        return replace(self, seen_at=at, evidence={**self.evidence, seen.name: evidence})

    def with_miss(self) -> "Stay":
        """The stay with one frame more that sighted nobody."""
        return replace(self, misses=self.misses + 1)


class Visits:
    """The visits at one camera."""

    def __init__(self, camera: str, rules: Rules) -> None:
        self._camera = camera
        self._rules = rules
        self._last_at: float | None = None
        self.late = 0
        """How many predictions were passed over, as they were repeated or came after a newer one."""
        self.apart = 0
        """How many of the last predictions came so far apart that no visit can be made of them."""
        self._stay: Stay | None = None
        self._is_open = False
        self._since_own: list[tuple[float, Label]] = []  # sightings since the open visit's own label was last seen
        self._absence = 0.0
        self._was_background = False

    @property
    def current(self) -> Stay | None:
        """The visit that goes on now."""
        return self._stay if self._is_open else None

    def take_in(self, prediction: Prediction) -> list[Visit]:
        """Regards the next prediction; the visits that are over by it."""
        at = prediction.captured_at
        ended: list[Visit] = []
        if self._last_at is not None and at <= self._last_at:
            if self._last_at - at < CLOCK_SET_BACK:
                self.late += 1
                return []
            ended = self.end_all()
        seen, is_background = self._sighting(prediction)
        self._pass_time(at, is_background)
        if self._absence >= self._rules.gap - _ROUNDING:
            ended += self.end_all()
        if seen is None:
            self._miss()
            return ended
        self._absence = 0.0
        return ended + self._see(at, seen)

    def end_all(self) -> list[Visit]:
        """Ends what is open, as when the camera was lost."""
        stay = self.current
        self._forget()
        return [self._visit(stay, stay.seen_at)] if stay else []

    def _sighting(self, prediction: Prediction) -> tuple[Label | None, bool]:
        """The label that is seen, if any, and whether the model says that nobody is there."""
        best = prediction.best
        if best is None or best.probability < self._rules.threshold:
            return None, False
        is_background = self._rules.is_background(best.name)
        return (None if is_background else best), is_background

    def _pass_time(self, at: float, is_background: bool) -> None:
        elapsed = at - self._last_at if self._last_at is not None and at > self._last_at else 0.0
        self._absence += elapsed * (BACKGROUND_WEIGHT if is_background and self._was_background else 1.0)
        self.apart = self.apart + 1 if elapsed >= self._rules.gap else 0
        self._was_background = is_background
        self._last_at = at

    def _miss(self) -> None:
        if self._stay is not None and not self._is_open:
            self._stay = self._stay.with_miss()
            if self._stay.margin <= 0:
                self._forget()

    def _see(self, at: float, seen: Label) -> list[Visit]:
        self._stay = (self._stay or Stay(at, at)).with_sighting(at, seen)
        if not self._is_open:
            self._open_or_restart(at, seen)
            return []
        if self._stay.label == seen.name:
            self._since_own.clear()
            return []
        self._since_own.append((at, seen))
        own = self._stay.own
        return self._change(own.seen_at) if at - own.seen_at >= self._rules.gap - _ROUNDING else []

    def _open_or_restart(self, at: float, seen: Label) -> None:
        if self._stay is not None and self._stay.margin <= 0:
            self._stay = Stay(at, at).with_sighting(at, seen)
        self._is_open = self._stay is not None and self._stay.margin >= self._rules.frames

    def _change(self, ended_at: float) -> list[Visit]:
        """Another label has taken the place of the visit's own: what was seen since then is the next one's."""
        stay, sightings = self._stay, self._since_own
        self._forget()
        for at, seen in sightings:
            self._see(at, seen)
        return [self._visit(stay, ended_at)] if stay else []

    def _forget(self) -> None:
        self._stay, self._is_open, self._since_own, self._absence = None, False, [], 0.0

    def _visit(self, stay: Stay, ended_at: float) -> Visit:
        """The same predictions give the same id, so that a repeated message is known for one."""
        identity = uuid.uuid5(_NAMESPACE, f"{self._camera}\n{stay.label}\n{stay.started_at!r}")
        return Visit(str(identity), self._camera, stay.label, stay.started_at, ended_at, stay.own.peak, stay.own.frames)
