"""What the broker says of modules, cameras and the model; and answers of the counter to questions."""

import queue
import threading
import uuid
from typing import Any

from bus import Answer, Bus, CurrentLabel, DayReport, FootfallError, ModelUpdate, Question, Status, states, topics

MAX_MODULES = 160
MAX_CAMERAS = 128
"""Upper bounds; more than this indicates spoofed names."""
WAITING_STATES = frozenset({"downloading", "waiting", "trying"})


class NotAnswered(FootfallError):
    """The counter or the classifier did not answer, or could not."""


class Observer:
    """Filled by the network's thread; methods may be called from any other thread."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._changed = threading.Condition()
        self._statuses: dict[str, Status] = {}
        self._labels: dict[str, CurrentLabel] = {}
        self._answers: dict[str, queue.Queue[Answer]] = {}
        """By id of a question that is being asked."""
        bus.subscribe(topics.status(), Status, self._on_status, on_cleared=self._on_status_cleared)
        bus.subscribe(topics.label(), CurrentLabel, self._on_label, on_cleared=self._on_label_cleared)
        bus.subscribe(topics.answer(bus.name), Answer, self._on_answer)

    @property
    def statuses(self) -> dict[str, Status]:
        """The newest status of each module."""
        with self._changed:
            return dict(self._statuses)

    @property
    def cameras(self) -> dict[str, dict[str, Any]]:
        """By camera the current label, since when, and since when the camera is paused."""
        with self._changed:
            captures = {one.about.camera: one for one in self._statuses.values() if one.about.camera is not None}
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
        """The status of the classifier. With several classifiers, prefer one that does not serve the wanted model."""
        classifiers = [one for _, one in sorted(self.statuses.items()) if one.about.model is not None or one.about.update]
        return min(classifiers, key=_serves, default=None)

    def ask(self, day: str | None, timeout: float) -> DayReport:
        """What was counted on a day, today without one, as the counter answers. Raises `NotAnswered`."""
        identity = uuid.uuid4().hex
        answers = self._answers[identity] = queue.Queue()
        try:
            if not self._bus.publish(Question(self._bus.name, identity, day)):
                raise NotAnswered("there is no connection to the broker")
            answer = answers.get(timeout=timeout)
        except queue.Empty:
            raise NotAnswered(f"the counter has not answered within {timeout:g} s") from None
        finally:
            del self._answers[identity]
        if answer.report is None:
            raise NotAnswered(f"the counter cannot answer: {answer.problem}")
        return answer.report

    def wait_for_update(self, before: ModelUpdate | None, timeout: float) -> Status | None:
        """The status of the classifier once it has finished with another update than `before`; None after the timeout."""

        def finished() -> Status | None:
            now = self.classifier
            update = now.about.update if now else None
            return now if update is not None and update != before and update.state not in WAITING_STATES else None

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

    def _on_answer(self, answer: Answer) -> None:
        if (answers := self._answers.get(answer.id)) is not None:
            answers.put(answer)


def _serves(status: Status) -> bool:
    return status.about.update is None or status.about.update.state in ("none", "serving")
