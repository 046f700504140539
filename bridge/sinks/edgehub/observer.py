"""The state of modules, cameras and the model, as published on the broker, and questions to the counter."""

import queue
import threading
import uuid
from typing import Any

from bus import Answer, Bus, CurrentLabel, DayReport, FootfallError, ModelUpdate, Occupancy, Question, Status, states, topics

MAX_MODULES = 160
MAX_CAMERAS = 128
"""Upper bounds; more than this indicates spoofed names."""
UNFINISHED_UPDATES = frozenset({"downloading", "waiting", "trying"})


class NotAnswered(FootfallError):
    """Raised when the counter or the classifier did not or could not answer."""


class Observer:
    """The newest statuses, labels and occupancies, kept by the network thread. Any other thread can call all methods."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._changed = threading.Condition()
        self._statuses: dict[str, Status] = {}
        self._labels: dict[str, CurrentLabel] = {}
        self._occupancies: dict[str, Occupancy] = {}
        self._answers: dict[str, queue.Queue[Answer]] = {}
        """By question id, the queue of a caller of `ask`."""
        bus.subscribe(topics.status(), Status, self._on_status, on_cleared=self._on_status_cleared)
        bus.subscribe(topics.label(), CurrentLabel, self._on_label, on_cleared=self._on_label_cleared)
        bus.subscribe(topics.occupancy(), Occupancy, self._on_occupancy, on_cleared=self._on_occupancy_cleared)
        bus.subscribe(topics.answer(bus.name), Answer, self._on_answer)

    @property
    def statuses(self) -> dict[str, Status]:
        """The newest status of each module."""
        with self._changed:
            return dict(self._statuses)

    @property
    def occupancies(self) -> dict[str, Occupancy]:
        """The newest occupancy of each camera."""
        with self._changed:
            return dict(sorted(self._occupancies.items()))

    @property
    def cameras(self) -> dict[str, dict[str, Any]]:
        """By camera, its label, when this label appeared, and when the camera was paused."""
        with self._changed:
            captures = {status.about.camera: status for status in self._statuses.values() if status.about.camera is not None}
            labels = dict(self._labels)
        cameras = {}
        for name in sorted({*captures, *labels}):
            label, capture = labels.get(name), captures.get(name)
            cameras[name] = {
                "label": label.label if label else None,
                "since": label.since if label else None,
                "pausedAt": capture.since if capture and capture.state == states.PAUSED else None,
            }
        return cameras

    @property
    def classifier(self) -> Status | None:
        """The status of the classifier; of several, one that does not serve the wanted model if possible."""
        found = (status for _, status in sorted(self.statuses.items()) if status.about.model is not None or status.about.update)
        return min(found, key=_serves_wanted_model, default=None)

    def ask(self, day: str | None, timeout: float) -> DayReport:
        """Asks the counter for the report of a day, or of today if `day` is None. Raises `NotAnswered`."""
        question_id = uuid.uuid4().hex
        answers = self._answers[question_id] = queue.Queue()
        try:
            if not self._bus.publish(Question(self._bus.name, question_id, day)):
                raise NotAnswered("not connected to the broker")
            answer = answers.get(timeout=timeout)
        except queue.Empty:
            raise NotAnswered(f"no answer from the counter within {timeout:g} s") from None
        finally:
            del self._answers[question_id]
        if answer.report is None:
            raise NotAnswered(f"the counter cannot answer: {answer.problem}")
        return answer.report

    def wait_for_update(self, before: ModelUpdate | None, timeout: float) -> Status | None:
        """Waits until the classifier has finished an update other than `before`. Returns its status; None after the timeout."""

        def finished() -> Status | None:
            status = self.classifier
            update = status.about.update if status else None
            return status if update is not None and update != before and update.state not in UNFINISHED_UPDATES else None

        with self._changed:
            return self._changed.wait_for(finished, timeout)

    def _on_status(self, status: Status) -> None:
        with self._changed:
            if status.module in self._statuses or len(self._statuses) < MAX_MODULES:
                self._statuses[status.module] = status
            self._changed.notify_all()

    def _on_status_cleared(self, topic: str) -> None:
        with self._changed:
            self._statuses.pop(topics.status.name_in(topic), None)

    def _on_label(self, label: CurrentLabel) -> None:
        with self._changed:
            if label.camera in self._labels or len(self._labels) < MAX_CAMERAS:
                self._labels[label.camera] = label

    def _on_label_cleared(self, topic: str) -> None:
        with self._changed:
            self._labels.pop(topics.label.name_in(topic), None)

    def _on_occupancy(self, occupancy: Occupancy) -> None:
        with self._changed:
            if occupancy.camera in self._occupancies or len(self._occupancies) < MAX_CAMERAS:
                self._occupancies[occupancy.camera] = occupancy

    def _on_occupancy_cleared(self, topic: str) -> None:
        with self._changed:
            self._occupancies.pop(topics.occupancy.name_in(topic), None)

    def _on_answer(self, answer: Answer) -> None:
        if (answers := self._answers.get(answer.id)) is not None:
            answers.put(answer)


def _serves_wanted_model(status: Status) -> bool:
    return status.about.update is None or status.about.update.state in ("none", "serving")
