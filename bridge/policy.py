"""Which messages are forwarded."""

from dataclasses import dataclass
from typing import Literal, get_args

from bridge import results
from bridge.results import Result
from bus import CurrentLabel, Label, Message, Prediction, Summary, Visit

Forward = Literal["none", "visits", "changes", "all"]
"""Each level includes those before it: nothing; visits and hourly summaries; changes of the label; predictions."""
_LEVELS: tuple[str, ...] = get_args(Forward)


@dataclass(frozen=True, slots=True)
class Policy:
    """`interval_seconds` is the minimum time between two predictions of a camera; an empty `labels` allows all labels."""

    forward: Forward = "visits"
    min_probability: float = 0.0
    labels: tuple[str, ...] = ()
    interval_seconds: float = 0.0

    def includes(self, level: Forward) -> bool:
        return _LEVELS.index(self.forward) >= _LEVELS.index(level)

    def allows(self, label: str, probability: float) -> bool:
        """Whether a label is among the wanted ones and reaches the minimum probability."""
        return probability >= self.min_probability and (not self.labels or label in self.labels)


class Selector:
    """Turns messages into results."""

    def __init__(self) -> None:
        self.reported: dict[str, str] = {}
        """By camera the label that the last change reported; a camera without an entry was reported empty, or never."""
        self._forwarded_at: dict[str, float] = {}
        """By camera the capture time of the last prediction that was forwarded."""

    def select(self, message: Message, policy: Policy) -> Result | None:
        """The result of a message; None when the policy does not forward it."""
        match message:
            case Visit() if policy.includes("visits") and policy.allows(message.label, message.peak):
                return results.from_visit(message)
            case Summary() if policy.includes("visits"):
                return results.from_summary(message, policy.labels)
            case CurrentLabel() if policy.includes("changes") and message.at is not None:
                return self._select_change(message, message.at, policy)
            case Prediction() if policy.includes("all"):
                return self._select_prediction(message, policy)
        return None

    def _select_change(self, now: CurrentLabel, at: float, policy: Policy) -> Result | None:
        """A label that is not allowed counts as nobody; nobody is a change only after somebody was reported."""
        before = self.reported.get(now.camera)
        if now.label is not None and now.probability is not None:
            label = Label(now.label, now.probability)
            if now.label == before:
                return None
            if policy.allows(label.name, label.probability):
                self.reported[now.camera] = label.name
                return results.from_change(now.camera, label, at, now.demo)
        if self.reported.pop(now.camera, None) is None:
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
