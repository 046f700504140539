"""The way of a prediction: counted, committed to the ledger, published, and only then acknowledged."""

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from queue import SimpleQueue
from typing import TypeVar

from bus import Bus, Command, CurrentLabel, InvalidMessage, Message, Prediction, Status, Visit, states, topics
from bus import metric_names as names
from counter.database import LedgerUnavailable
from counter.expiry import Expiry
from counter.ledger import Ledger
from counter.periods import SAVE_EVERY
from counter.publisher import Publisher
from counter.registry import MAX_CAMERAS, Batch, CameraRegistry
from counter.reports import Reports
from runtime.backoff import Backoff

log = logging.getLogger(__name__)

T = TypeVar("T")

RECEIVE_TIMEOUT = 0.5  # seconds to wait for messages
CHECK_EVERY = 1.0  # seconds between two looks at time-outs and hours
MAX_PAUSE = 5.0
"""Seconds between two checks after which the counter itself was suspended, so that silence of a camera says nothing."""
PRUNE_EVERY = 3600.0


class Counter:
    """Runs in the thread that calls `run`. What the ledger cannot take now is tried again, and delays all that comes after it."""

    def __init__(self, bus: Bus, registry: CameraRegistry, reports: Reports, ledger: Ledger, expiry: Expiry) -> None:
        self._bus = bus
        self._registry = registry
        self._reports = reports
        self._ledger = ledger
        self._expiry = expiry
        self._clocks = expiry.clocks
        self._publisher = Publisher(bus, ledger, self._clocks)
        self._stop = threading.Event()
        self._backoff = Backoff(maximum=5.0)
        self._counted: dict[str, tuple[date, int]] = {}
        """By camera: the day, and the five minutes of the last prediction, of which counts were published."""
        self._checked_at = self._pruned_at = float("-inf")
        self._ended: set[str] = set()  # cameras whose recording has ended and is counted
        self._reported_ended: tuple[str, ...] = ()
        self._cleared: SimpleQueue[str] = SimpleQueue()
        """Cameras whose label was cleared at the broker; filled by the network's thread."""
        self._inbox = bus.inbox({topics.prediction(): Prediction, topics.command(): Command})
        bus.subscribe(topics.status(), Status, self._on_status)
        bus.subscribe(topics.label(), CurrentLabel, self._on_label, on_cleared=self._on_label_cleared)

    def run(self, stop: threading.Event) -> None:
        """Counts until `stop` is set."""
        self._stop = stop
        try:
            self.restore()
            while not stop.is_set():
                self.step()
            self._ledger.save_periods()
        except LedgerUnavailable as error:
            log.warning("%s; the last minutes are not recorded as counted", error)
        except _Stopped:
            log.warning("the ledger cannot be written; the broker keeps what is not counted yet for the next start")
        for name in self._registry.cameras:  # visits stay open in the ledger
            self._bus.publish(_unknown(name))

    def restore(self) -> None:
        """Restores what an earlier counter has saved, as soon as the ledger can be read."""
        self._retry(self._expiry.save)
        self._registry.restore(self._retry(self._ledger.states), self._retry(lambda: self._expiry.clock.now))

    def step(self, timeout: float = RECEIVE_TIMEOUT) -> None:
        """Inbox -> registry -> batch -> ledger -> broker -> acknowledged: all that came within `timeout` seconds."""
        batch = Batch()
        while not self._cleared.empty():
            self._forget(self._cleared.get(), batch)
        is_counted = [self._process(message, batch) for message in self._inbox.take(timeout)]
        is_due = self._apply_timeouts(batch)
        visits = self._commit(batch)
        self._publish(batch, visits)
        self._inbox.acknowledge()
        if any(is_counted):
            self._bus.progressed()
        if is_due:
            self._summarise_hours()
            self._prune()

    def _process(self, message: Message, batch: Batch) -> bool:
        """Whether it was a prediction, and could be processed. A message that fails is dropped: it would fail again."""
        try:
            match message:
                case Prediction():
                    self._ended.discard(message.camera)
                    self._registry.process(message, batch)
                    return True
                case Command():
                    self._registry.apply_command(message, batch)
                case Status():
                    self._end_recording(message, batch)
        except Exception as error:
            log.debug("%s", message, exc_info=True)
            self._bus.count_and_warn(names.FAILED, f"{message.topic}: {type(error).__name__}: {error}; dropped", message.topic)
        return False

    def _apply_timeouts(self, batch: Batch) -> bool:
        """Whether a second has passed, and time-outs were applied."""
        since = self._clocks.steady() - self._checked_at
        if since < CHECK_EVERY:
            return False
        self._checked_at = self._clocks.steady()
        self._registry.apply_timeouts(self._bus.connected and since < MAX_PAUSE, batch)
        return True

    def _commit(self, batch: Batch) -> list[Visit]:
        """Returns the visits whose counts may have changed."""
        corrected = self._retry(partial(self._ledger.commit, batch.finish()))
        if corrected:
            log.warning("the clock was set: the times of %d earlier visits were corrected", len(corrected) // 2)
        return batch.changes.visits + corrected

    def _publish(self, batch: Batch, visits: Sequence[Visit]) -> None:
        self._retry(self._publisher.publish)
        for message in (*batch.labels, *batch.commands):
            self._bus.publish(message)
        self._publish_counts(visits)
        ended = tuple(sorted(self._ended))
        if ended != self._reported_ended:
            self._reported_ended = ended
            self._bus.describe(ended=ended)
            self._bus.report()

    def _publish_counts(self, visits: Sequence[Visit]) -> None:
        """Publishes counts of cameras at which visits ended, and of each every five minutes of counting and on a new day.

        For a visit that began on an earlier day, the counts of that day come first: those of today are what is retained.
        """
        calendar = self._reports.calendar
        today = calendar.day(self._clocks.wall())
        for name, camera in self._registry.cameras.items():
            days = {calendar.day(visit.started_at) for visit in visits if visit.camera == name}
            due = today, int((camera.visits.state.timeline.last_at or 0.0) // SAVE_EVERY)
            if days or self._counted.get(name) != due:
                self._counted[name] = due
                for day in (*sorted(days - {today}), today):
                    counts = self._retry(partial(self._reports.day_counts, name, day))
                    self._if_not_too_large(partial(self._bus.publish, counts))

    def _summarise_hours(self) -> None:
        """Writes a summary of each hour that is over to the ledger, from where it is published."""
        batch = Batch()
        for camera, hour in self._registry.complete_hours():
            batch.cameras[camera.name] = camera
            summary = self._retry(partial(self._reports.summary, camera.name, *hour))
            if self._if_not_too_large(summary.pack):
                batch.changes.summaries.append(summary)
        self._commit(batch)

    def _prune(self) -> None:
        self._bus.metrics.put(names.CLOCK_JUMP_SECONDS, round(self._expiry.jump))
        if self._clocks.steady() - self._pruned_at >= PRUNE_EVERY:
            self._pruned_at = self._clocks.steady()
            if number := self._retry(self._expiry.expire):
                log.info("KEEP_DAYS: %d old visits deleted", number)

    def _if_not_too_large(self, call: Callable[[], object]) -> bool:
        """Counts and drops a message that is too large, as the counts of very many labels."""
        try:
            call()
        except InvalidMessage as error:
            self._bus.count_and_warn(names.TOO_LARGE, f"{error}; dropped")
            return False
        return True

    def _retry(self, call: Callable[[], T]) -> T:
        """Repeats a call until the ledger is available, and returns its result; the status shows the problem meanwhile."""
        while True:
            try:
                result = call()
            except LedgerUnavailable as error:
                self._bus.metrics.add(names.LEDGER_FAILED)
                self._bus.state(states.LEDGER_UNAVAILABLE, str(error))
                if self._stop.wait(self._backoff.next()):
                    raise _Stopped from None
            else:
                self._backoff.reset()
                self._bus.state(states.RUNNING, self._problems())
                return result

    def _problems(self) -> str:
        """The status's detail while the counter is running."""
        problems = []
        if broken := self._ledger.broken_file:
            problems.append(f"the ledger was broken and is repaired; the old file is {broken}")
        if jump := self._expiry.jump:
            direction = "ahead" if jump > 0 else "back"
            problems.append(
                f"the clock jumped {direction} by {abs(jump) / 86400:.0f} days: visits expire by the time that passed"
            )
        return "; ".join(problems)

    def _on_status(self, status: Status) -> None:
        """The end of a recording waits in the inbox behind the predictions before it; no other status matters here."""
        if status.state == states.ENDED:
            self._inbox.put(status, None)

    def _end_recording(self, status: Status, batch: Batch) -> None:
        """A capture reports it again and again. The camera may be unknown: there may not have been any prediction."""
        camera = status.about.camera
        if camera is None or camera in topics.RESERVED_CAMERAS:
            self._bus.count_and_warn(names.INVALID, f"{status.topic}: {camera} is no camera", status.topic)
        elif camera not in self._ended:
            if len(self._ended) >= MAX_CAMERAS:
                self._bus.count_and_warn(names.DROPPED_CAMERA, f"{camera}: there are {MAX_CAMERAS} ended recordings already")
                return
            self._ended.add(camera)
            self._registry.end_recording(camera, batch)

    def _on_label(self, label: CurrentLabel) -> None:
        """Clears a label that the broker has retained of a camera that is not known here."""
        if label.camera not in self._registry.cameras and label.label is not None:
            self._bus.publish(_unknown(label.camera))

    def _on_label_cleared(self, topic: str) -> None:
        """Whoever clears a camera's label at the broker wants the camera to be forgotten."""
        self._cleared.put(topics.label.name_in(topic))

    def _forget(self, name: str, batch: Batch) -> None:
        self._bus.forget(topics.label(name), topics.counts(name))
        self._counted.pop(name, None)
        self._ended.discard(name)
        self._registry.forget(name, batch)


class _Stopped(Exception):
    """Asked to stop while the ledger could not be used."""


def _unknown(camera: str) -> CurrentLabel:
    """The label of a camera at which the counter does not know who is there."""
    return CurrentLabel(camera, label=None, probability=None, since=None)
