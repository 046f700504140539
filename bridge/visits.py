"""When a visit begins and ends: a function of the predictions alone.

All times are the frames' own (`captured_at`), so that predictions that come late, or all at once after an absence, give the same
visits as those that come live.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace

from bus import Prediction, Visit

CLOCK_SET_BACK = 60.0
"""Seconds; a prediction that is older than the last by less is a repeated or a late one, by more the camera's clock was set."""
_NAMESPACE = uuid.UUID("6b1d2f0e-3c55-4f57-9d2a-0f1c5a7e9b43")


@dataclass(frozen=True, slots=True)
class Rules:
    """`frames` agreeing predictions at or above `threshold` begin a visit; `gap` seconds without the label end it."""

    threshold: float
    frames: int
    gap: float
    is_background: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Stay:
    """A label seen from `started_at` to `seen_at` in `frames` predictions, with `probability` the last and `peak` the highest."""

    label: str
    started_at: float
    seen_at: float
    probability: float
    peak: float
    frames: int = 1

    def seen_again(self, at: float, probability: float) -> "Stay":
        """The stay with one more prediction."""
        return replace(self, seen_at=at, probability=probability, peak=max(self.peak, probability), frames=self.frames + 1)


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
        self._candidate: Stay | None = None
        self._open: dict[str, Stay] = {}

    @property
    def current(self) -> Stay | None:
        """The visit that goes on now; of several, the one that began last."""
        return max(self._open.values(), key=lambda stay: stay.started_at, default=None)

    def take_in(self, prediction: Prediction) -> list[Visit]:
        """Regards the next prediction; the visits that are over by it."""
        at = prediction.captured_at
        ended: list[Visit] = []
        if self._last_at is not None and at <= self._last_at:
            if self._last_at - at < CLOCK_SET_BACK:
                self.late += 1
                return []
            ended = self.end_all()
        self._count_apart(at)
        ended += self._end([stay for stay in self._open.values() if self._is_over(stay, at)])
        best = prediction.best
        if best is None or best.probability < self._rules.threshold or self._rules.is_background(best.name):
            self._candidate = None
        else:
            self._see(best.name, at, best.probability)
        return ended

    def end_all(self) -> list[Visit]:
        """Ends what is open, as when the camera was lost."""
        self._candidate = None
        return self._end(list(self._open.values()))

    def _is_over(self, stay: Stay, at: float) -> bool:
        return at - stay.seen_at >= self._rules.gap

    def _count_apart(self, at: float) -> None:
        is_apart = self._last_at is not None and at - self._last_at >= self._rules.gap
        self.apart = self.apart + 1 if is_apart else 0
        self._last_at = at

    def _see(self, label: str, at: float, probability: float) -> None:
        if label in self._open:
            self._candidate = None
            self._open[label] = self._open[label].seen_again(at, probability)
            return
        before = self._candidate
        if before is None or before.label != label or self._is_over(before, at):
            self._candidate = Stay(label, at, at, probability, probability)
        else:
            self._candidate = before.seen_again(at, probability)
        if self._candidate.frames >= self._rules.frames:
            self._open[label] = self._candidate
            self._candidate = None

    def _end(self, stays: list[Stay]) -> list[Visit]:
        for stay in stays:
            del self._open[stay.label]
        return [self._visit(stay) for stay in sorted(stays, key=lambda stay: stay.started_at)]

    def _visit(self, stay: Stay) -> Visit:
        """The same predictions give the same id, so that a repeated message is known for one."""
        identity = uuid.uuid5(_NAMESPACE, f"{self._camera}\n{stay.label}\n{stay.started_at!r}")
        return Visit(str(identity), self._camera, stay.label, stay.started_at, stay.seen_at, stay.peak, stay.frames)
