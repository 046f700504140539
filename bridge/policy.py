"""The policy that decides which messages are forwarded."""

from dataclasses import dataclass
from typing import Literal, get_args

from bridge import results
from bridge.results import Result
from bus import Alert, Crossing, CurrentLabel, Label, Message, Prediction, Summary, Visit

Forward = Literal["none", "visits", "changes", "all"]
"""The levels, each with those before it: nothing; visits, crossings, hourly summaries and alerts; label changes; predictions."""
_LEVELS: tuple[str, ...] = get_args(Forward)


@dataclass(frozen=True, slots=True)
class Policy:
    """What to forward. `interval_seconds` is the minimum time between two predictions of a camera; empty `labels` allow all."""

    forward: Forward = "visits"
    min_probability: float = 0.0
    labels: tuple[str, ...] = ()
    interval_seconds: float = 0.0

    def includes(self, level: Forward) -> bool:
        return _LEVELS.index(self.forward) >= _LEVELS.index(level)

    def allows(self, label: str, probability: float) -> bool:
        """Returns whether the label is selected and the probability is high enough."""
        return probability >= self.min_probability and self.selects(label)

    def selects(self, label: str) -> bool:
        return not self.labels or label in self.labels


class Selector:
    """A filter that turns messages into results. It remembers what it forwarded of each camera."""

    def __init__(self) -> None:
        self.reported_labels: dict[str, str] = {}
        """By camera, the label in its last change. A camera is missing if nobody was there, or if no change was forwarded."""
        self._forwarded_at: dict[str, float] = {}
        """By camera, the capture time of the last forwarded prediction."""

    def select(self, message: Message, policy: Policy) -> Result | None:
        """Returns the result of a message, or None if the policy does not forward it."""
        match message:
            case Visit() | Crossing() | Summary() | Alert() if policy.includes("visits"):
                return _select_result(message, policy)
            case CurrentLabel() if policy.includes("changes") and message.at is not None:
                return self._select_change(message, message.at, policy)
            case Prediction() if policy.includes("all"):
                return self._select_prediction(message, policy)
        return None

    def _select_change(self, now: CurrentLabel, at: float, policy: Policy) -> Result | None:
        """Returns a change if the label differs from the last one reported. A label that the policy excludes counts as nobody."""
        last_label = self.reported_labels.get(now.camera)
        if now.label is not None and now.probability is not None:
            label = Label(now.label, now.probability)
            if now.label == last_label:
                return None
            if policy.allows(label.name, label.probability):
                self.reported_labels[now.camera] = label.name
                return results.from_change(now.camera, label, at, now.demo)
        if self.reported_labels.pop(now.camera, None) is None:
            return None
        return results.from_change(now.camera, None, at, now.demo)

    def _select_prediction(self, prediction: Prediction, policy: Policy) -> Result | None:
        best, last_at = prediction.best, self._forwarded_at.get(prediction.camera)
        if best is None or not policy.allows(best.name, best.probability):
            return None
        if last_at is not None and 0 <= prediction.captured_at - last_at < policy.interval_seconds:
            return None
        self._forwarded_at[prediction.camera] = prediction.captured_at
        return results.from_prediction(prediction)


def _select_result(message: Visit | Crossing | Summary | Alert, policy: Policy) -> Result | None:
    """Returns the result; None if its label is excluded. A summary has the labels that are selected; an alert has none."""
    match message:
        case Visit():
            return results.from_visit(message) if policy.allows(message.label, message.peak) else None
        case Crossing():
            return results.from_crossing(message) if policy.selects(message.label) else None
        case Summary():
            return results.from_summary(message, policy.labels)
        case Alert():
            return results.from_alert(message)
