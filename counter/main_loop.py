"""The main loop: a prediction is counted, committed to the ledger, published, and only then acknowledged.

Predictions that give nothing to publish are committed together, up to half a second later, because a commit writes whole pages.
Until then the broker keeps them.
"""

import logging
import threading
from collections.abc import Sequence
from functools import partial
from queue import SimpleQueue

from bus import (
    Bus,
    Command,
    Crossing,
    CurrentLabel,
    Message,
    Prediction,
    Setup,
    Status,
    Tracks,
    Visit,
    states,
    topics,
)
from bus import metric_names as names
from counter import counters
from counter.batch import Batch
from counter.counts import Counts
from counter.database import LedgerUnavailable
from counter.expiry import Expiry
from counter.ledger import Ledger
from counter.publisher import Publisher
from counter.registry import MAX_CAMERAS, CameraRegistry
from counter.reordering import Reordering
from counter.reports import Reports
from counter.retry import Retry, StopRequested

log = logging.getLogger(__name__)

RECEIVE_TIMEOUT = 1.0  # seconds to wait for messages
MAX_WAITING = 30
"""Unacknowledged messages with which no prediction waits any longer: the broker sends 100 at most."""
CHECK_INTERVAL = 1.0  # seconds between two checks for timeouts and completed hours
SUSPENDED_AFTER = 5.0
"""Seconds. If two checks are further apart, the counter itself was suspended, and a camera's silence means nothing."""
PRUNE_INTERVAL = 3600.0
SHARED_NOTE = "shared"  # the ledger's note that says whether several classifiers were online


class MainLoop:
    """Counts in the thread that calls `run`. While the ledger is unavailable, the loop retries and does nothing else."""

    def __init__(self, bus: Bus, registry: CameraRegistry, reports: Reports, ledger: Ledger, expiry: Expiry) -> None:
        self._bus = bus
        self._registry = registry
        self._ledger = ledger
        self._expiry = expiry
        self._clocks = expiry.clocks
        self._publisher = Publisher(bus, ledger, self._clocks)
        self._retry = Retry(bus, self._problems)
        self._counts = Counts(bus, reports, self._retry, self._clocks)
        self._batch = Batch()
        self._checked_at = self._pruned_at = float("-inf")
        self._ended_cameras: set[str] = set()  # cameras whose recording has ended and is fully counted
        self._published_ended: tuple[str, ...] = ()
        self._cleared_cameras: SimpleQueue[str] = SimpleQueue()
        """Cameras whose label was cleared on the broker; filled by the network thread."""
        self._reordering = Reordering(self._clocks.steady)
        self._was_shared = False  # whether several classifiers shared the frames, as the ledger notes
        self._classifiers: SimpleQueue[tuple[str, bool]] = SimpleQueue()
        """Classifiers that are online or not; filled by the network thread."""
        self._still: SimpleQueue[str] = SimpleQueue()
        """Cameras that report that nothing moves; filled by the network thread."""
        self._inbox = bus.inbox({topics.prediction(): Prediction, topics.command(): Command, topics.setup(): Setup})
        bus.subscribe(topics.setup(), Setup, lambda _setup: None, on_cleared=self._on_setup_cleared)
        bus.subscribe(topics.status(), Status, self._on_status)
        bus.subscribe(topics.label(), CurrentLabel, self._on_label, on_cleared=self._on_label_cleared)

    def run(self, stop: threading.Event) -> None:
        """Counts until `stop` is set."""
        self._retry.stop = stop
        try:
            self.restore()
            while not stop.is_set():
                self.step()
            self._commit()
            self._ledger.save_periods()
        except LedgerUnavailable as error:
            log.warning("%s; the last minutes are not recorded as counted", error)
        except StopRequested:
            log.warning("stopped while the ledger is unavailable; the broker keeps uncounted predictions for the next start")
        for name in self._registry.cameras:  # visits stay open in the ledger
            self._bus.publish(_unknown_label(name))

    def restore(self) -> None:
        """Restores the saved state, as soon as the ledger can be read."""
        self._retry(self._expiry.save)
        self._was_shared = self._retry(partial(self._ledger.note, SHARED_NOTE)) == str(True)
        if self._was_shared:
            self._reordering.share()  # statuses come after the predictions that waited at the broker
        self._registry.restore(self._retry(self._ledger.states), self._retry(lambda: self._expiry.clock.now))

    def step(self, timeout: float = RECEIVE_TIMEOUT) -> None:
        """Counts the messages that wait, or that come within `timeout` seconds. Commits, publishes and acknowledges when due."""
        batch = self._batch
        taken = self._inbox.take(self._reordering.until_due(min(timeout, batch.commit_at - self._clocks.steady())))
        while not self._cleared_cameras.empty():
            self._forget(self._cleared_cameras.get(), batch)
        self._notice_classifiers()
        while not self._still.empty():
            self._registry.on_still(self._still.get())
            self._bus.progressed()
        is_counted = [self._process(one, batch) for message in taken for one in self._in_order(message)]
        is_counted += [self._process(one, batch) for one in self._reordering.due()]
        if any(is_counted):
            batch.on_prediction(self._clocks.steady())
        is_due = self._apply_timeouts(batch)
        batch.observe()
        self._publish_tracks(batch)
        if not self._can_wait(taken, batch):
            self._commit()
        elif is_due:
            self._publish(batch, [])
        if any(is_counted):
            self._bus.progressed()
        if is_due:
            self._summarise_hours()
            self._prune()

    def _can_wait(self, taken: Sequence[Message], batch: Batch) -> bool:
        """Returns whether the batch may grow: only predictions came, without a backlog, and they give nothing to publish."""
        has_backlog = len(taken) > 2 * len(self._registry.cameras) or self._inbox.size >= MAX_WAITING
        has_others = any(not isinstance(one, Prediction) for one in taken)
        return batch.can_wait(self._clocks.steady()) and not has_backlog and not has_others

    def _in_order(self, message: Message) -> list[Message]:
        """Returns the messages to process now: a prediction may wait for one of an earlier frame; nothing else does."""
        match message:
            case Prediction():
                return [*self._reordering.put(message, self._registry.last_sequence(message))]
            case Command():
                return [*self._reordering.flush(message.camera), message]
            case Status():
                return [*self._reordering.flush(message.about.camera or ""), message]
        return [message]

    def _process(self, message: Message, batch: Batch) -> bool:
        """Returns whether a prediction was processed. A message that fails is dropped: it would fail again."""
        try:
            match message:
                case Prediction():
                    self._ended_cameras.discard(message.camera)
                    self._registry.process(message, batch)
                    counters.on_prediction(self._bus.metrics, message, self._clocks.wall())
                    return True
                case Command():
                    self._registry.apply_command(message, batch)
                case Setup():
                    self._registry.apply_setup(message, batch)
                case Status():
                    self._end_recording(message, batch)
        except Exception as error:
            log.debug("%s", message, exc_info=True)
            self._bus.count_and_warn(names.FAILED, f"{message.topic}: {type(error).__name__}: {error}; dropped", message.topic)
        return False

    def _apply_timeouts(self, batch: Batch) -> bool:
        """Applies timeouts once a second. Returns whether it did so now."""
        since = self._clocks.steady() - self._checked_at
        if since < CHECK_INTERVAL:
            return False
        self._checked_at = self._clocks.steady()
        self._registry.apply_timeouts(self._bus.connected and since < SUSPENDED_AFTER, batch)
        return True

    def _commit(self) -> None:
        """Commits the batch, publishes what it changes, acknowledges its messages, and begins another one."""
        batch, self._batch = self._batch, Batch()
        corrected = self._retry(partial(self._ledger.commit, batch.finish()))
        if corrected:
            log.warning("the clock was set: the times of %d earlier visits and crossings were corrected", len(corrected) // 2)
        results = [one for one in batch.changes.results if isinstance(one, Visit | Crossing)]
        counters.on_commit(self._bus.metrics, results)
        self._publish(batch, results + corrected)
        self._inbox.acknowledge(self._reordering.held)

    def _publish(self, batch: Batch, results: Sequence[Visit | Crossing]) -> None:
        """Publishes what is committed; `results` are the visits and crossings whose counts may have changed."""
        self._retry(self._publisher.publish)
        for message in (*batch.labels, *batch.occupancies, *batch.alerts, *batch.commands):
            self._bus.publish(message)
        self._counts.publish(self._registry.cameras.values(), results)
        ended = tuple(sorted(self._ended_cameras))
        if ended != self._published_ended:
            self._published_ended = ended
            self._bus.describe(ended=ended)
            self._bus.report()

    def _publish_tracks(self, batch: Batch) -> None:
        """Publishes who is in view now, which no commit changes."""
        for tracks in batch.tracks:
            self._counts.drop_if_too_large(partial(self._publish_or_repeat, tracks))
        batch.tracks.clear()

    def _publish_or_repeat(self, tracks: Tracks) -> None:
        if not self._bus.publish(tracks) and (camera := self._registry.cameras.get(tracks.camera)) is not None:
            camera.on_tracks_dropped()

    def _summarise_hours(self) -> None:
        """Writes a summary of each completed hour to the ledger. Its visits are there already."""
        if hours := self._registry.complete_hours():
            self._batch.cameras |= {camera.name: camera for camera, _ in hours}
            self._batch.changes.summaries += self._counts.summaries(hours)
            self._commit()

    def _prune(self) -> None:
        self._bus.metrics.put(names.CLOCK_JUMP_SECONDS, round(self._expiry.jump))
        if self._clocks.steady() - self._pruned_at >= PRUNE_INTERVAL:
            self._pruned_at = self._clocks.steady()
            if number := self._retry(self._expiry.expire):
                log.info("KEEP_DAYS: %d old visits deleted", number)

    def _problems(self) -> str:
        """Returns the detail for the status of a running counter."""
        problems = []
        if damaged := self._ledger.damaged_file:
            problems.append(f"the ledger was damaged and has been repaired; the damaged file is {damaged}")
        if jump := self._expiry.jump:
            direction = "ahead" if jump > 0 else "back"
            problems.append(
                f"the clock jumped {direction} by {abs(jump) / 86400:.0f} days; visits expire by elapsed time, not by the clock"
            )
        return "; ".join(problems)

    def _on_status(self, status: Status) -> None:
        """Queues the end of a recording behind its predictions, cameras where nothing moves, and which classifiers are online."""
        if status.state == states.ENDED:
            self._inbox.put(status, None)
        elif status.state == states.OFFLINE or status.about.model is not None:
            self._classifiers.put((status.module, status.state != states.OFFLINE))
        elif status.is_still and status.about.camera is not None:
            self._still.put(status.about.camera)

    def _notice_classifiers(self) -> None:
        """Notices whether several classifiers are online, and notes it for the next start."""
        while not self._classifiers.empty():
            self._reordering.on_classifier(*self._classifiers.get())
        if (is_shared := self._reordering.is_shared) != self._was_shared:
            self._retry(partial(self._ledger.set_note, SHARED_NOTE, str(is_shared)))
            self._was_shared = is_shared

    def _end_recording(self, status: Status, batch: Batch) -> None:
        """Ends a recording once, however often capture reports its end. Without predictions, the camera may be unknown."""
        camera = status.about.camera
        if camera is None or camera in topics.RESERVED_CAMERAS:
            self._bus.count_and_warn(names.INVALID, f"{status.topic}: {camera!r} is not a camera", status.topic)
        elif camera not in self._ended_cameras:
            if len(self._ended_cameras) >= MAX_CAMERAS:
                self._bus.count_and_warn(names.DROPPED_CAMERA, f"{camera}: already {MAX_CAMERAS} ended recordings; dropped")
                return
            self._ended_cameras.add(camera)
            self._registry.end_recording(camera, batch)

    def _on_setup_cleared(self, topic: str) -> None:
        """Queues an empty setup behind earlier messages."""
        self._inbox.put(Setup(topics.setup.name_in(topic)), None)

    def _on_label(self, label: CurrentLabel) -> None:
        """Clears the retained label of an unknown camera."""
        if label.camera not in self._registry.cameras and label.label is not None:
            self._bus.publish(_unknown_label(label.camera))

    def _on_label_cleared(self, topic: str) -> None:
        """Removes a camera in the next step, because its retained label was cleared."""
        self._cleared_cameras.put(topics.label.name_in(topic))

    def _forget(self, name: str, batch: Batch) -> None:
        self._bus.forget(topics.label(name), topics.counts(name), topics.occupancy(name), topics.alerts(name))
        self._counts.forget(name)
        self._ended_cameras.discard(name)
        self._registry.forget(name, batch)


def _unknown_label(camera: str) -> CurrentLabel:
    """Returns the label for a camera whose visitor is unknown."""
    return CurrentLabel(camera, label=None, probability=None, since=None)
