"""What the classifier says of the model that it is to serve."""

import time
from pathlib import Path
from typing import Literal

from classifier.model.memory import Refusal, Trial
from bus import Status
from bus.connection import OFFLINE

SAME_REFUSAL = 120.0
"""Seconds after which a refusal that was there before is taken for one of the new model; the classifier tries it for 60 s."""
GONE = 300.0
"""Seconds after which a classifier that went away is taken to be unable to start on the new model."""
REFUSED = "model-refused"
"""The state of a classifier that serves another model than it is to, or none."""


class Hearing:
    """Its last status, and whether it has served the model since that was installed; from any thread."""

    def __init__(self) -> None:
        self.is_served = False
        self._since = time.monotonic()
        self._heard: tuple[float, Status] | None = None

    def begin(self) -> None:
        """Another model is to be served: what has been heard so far says nothing of it."""
        self._since, self.is_served = time.monotonic(), False

    def hear(self, status: Status) -> None:
        """Regards what the classifier says of itself."""
        self._heard = time.monotonic(), status

    @property
    def refusal(self) -> Refusal | None:
        """What it has against some model or other."""
        return None if self._heard is None else _refusal_in(self._heard[1])

    def verdict(self, folder: str | None, trial: Trial | None) -> Refusal | Literal["served"] | None:
        """What has been heard of the model in the folder, when that is news."""
        heard = self._heard
        if folder is None or heard is None or heard[0] < self._since:
            return None
        at, status = heard
        if str(status.metrics.get("model")).startswith(f"{Path(folder).name}@"):
            return None if self.is_served else "served"
        if trial is None or trial.folder != folder:
            return None
        if status.state == OFFLINE:
            return Refusal(status.since, f"no classifier for {GONE:g} s since it was installed") if _since(at) > GONE else None
        refusal = _refusal_in(status)
        is_old = refusal == trial.earlier and at - self._since < SAME_REFUSAL
        return None if is_old else refusal


def _since(at: float) -> float:
    return time.monotonic() - at


def _refusal_in(status: Status) -> Refusal | None:
    return Refusal(status.since, status.detail) if status.state == REFUSED else None
