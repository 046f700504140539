"""Predictions in the order of their frames, although several classifiers that share the frames finish them in another order."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from bus import Prediction

MAX_DELAY = 0.3  # seconds for which a prediction waits for those of earlier frames
SHARED_FOR = 60.0  # seconds for which predictions wait after only one classifier is left
MAX_CLASSIFIERS = 64  # upper bound; more than this indicates spoofed names


class _Held(NamedTuple):
    prediction: Prediction
    arrived_at: float


@dataclass(slots=True)
class _Gap:
    """The predictions of a session that wait for one after the sequence number `last`, by sequence number."""

    session: str
    last: int
    newest: float = 0.0  # latest session time
    held: dict[int, _Held] = field(default_factory=dict)


class Reordering:
    """A buffer of predictions, for one thread.

    While a single classifier is online, nothing waits: its predictions are in order. With several, a prediction waits if the one
    before it is missing: until that comes, for `MAX_DELAY` seconds, or until there is one of a frame `MAX_DELAY` seconds later,
    so that a backlog is processed at full speed. A frame that got no prediction costs no more than that.
    """

    def __init__(self, steady: Callable[[], float]) -> None:
        self._steady = steady
        self._classifiers: set[str] = set()
        self._shared_until = float("-inf")
        self._gaps: dict[str, _Gap] = {}
        """By camera, while predictions wait."""

    def on_classifier(self, name: str, is_online: bool) -> None:
        """Notes whether a classifier is online."""
        if not is_online:
            self._classifiers.discard(name)
        elif len(self._classifiers) < MAX_CLASSIFIERS:
            self._classifiers.add(name)
        if len(self._classifiers) > 1:
            self.share()

    def share(self) -> None:
        """Assumes for a while that there are several classifiers, as before a restart."""
        self._shared_until = self._steady() + SHARED_FOR

    @property
    def is_shared(self) -> bool:
        """Whether several classifiers are online, or were a moment ago."""
        return len(self._classifiers) > 1 or self._steady() < self._shared_until

    @property
    def held(self) -> list[Prediction]:
        """The predictions that wait."""
        return [one.prediction for gap in self._gaps.values() for one in gap.held.values()]

    def until_due(self, maximum: float) -> float:
        """Returns the seconds until a prediction has waited long enough, at most `maximum`."""
        arrivals = [one.arrived_at for gap in self._gaps.values() for one in gap.held.values()]
        return max(0.0, min([maximum, *(at + MAX_DELAY - self._steady() for at in arrivals)]))

    def put(self, prediction: Prediction, last: int) -> list[Prediction]:
        """Returns the predictions to process now, in order. `last` is the last sequence number processed in the session."""
        gap, ready = self._gaps.get(prediction.camera), []
        if gap is not None and gap.session != prediction.session:
            gap, ready = None, self.flush(prediction.camera)
        if gap is None:
            if not self.is_shared or prediction.sequence <= last + 1:
                return [*ready, prediction]
            gap = self._gaps[prediction.camera] = _Gap(prediction.session, last)
        gap.newest = max(gap.newest, prediction.session_time)
        gap.held[prediction.sequence] = _Held(prediction, self._steady())  # a repeated one replaces the first
        return ready + self._release(prediction.camera)

    def due(self) -> list[Prediction]:
        """Returns the predictions that have waited long enough, in order."""
        return [one for camera in list(self._gaps) for one in self._release(camera)]

    def flush(self, camera: str) -> list[Prediction]:
        """Returns all predictions of a camera that wait, in order, because nothing earlier will follow."""
        gap = self._gaps.pop(camera, None)
        return [] if gap is None else [gap.held[number].prediction for number in sorted(gap.held)]

    def _release(self, camera: str) -> list[Prediction]:
        gap, since = self._gaps[camera], self._steady() - MAX_DELAY
        overdue = [
            number
            for number, (prediction, arrived_at) in gap.held.items()
            if arrived_at <= since or prediction.session_time <= gap.newest - MAX_DELAY or not self.is_shared
        ]
        gap.last = max([gap.last, *overdue])
        ready = []
        for number in sorted(gap.held):
            if number > gap.last + 1:
                break
            gap.last = max(gap.last, number)
            ready.append(gap.held.pop(number).prediction)
        if not gap.held:
            del self._gaps[camera]
        return ready
