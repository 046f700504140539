"""The forwarder. It stores the results of messages in the outbox before it acknowledges the messages."""

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from bridge.database import OutboxUnavailable
from bridge.outbox import Outbox
from bridge.policy import Policy, Selector
from bridge.results import Result
from bus import Alert, Bus, Crossing, CurrentLabel, Message, Prediction, Summary, Visit, metric_names, states, topics
from runtime.backoff import Backoff
from runtime.database import MAX_RETRY_DELAY

log = logging.getLogger(__name__)

T = TypeVar("T")

RECEIVE_TIMEOUT = 0.5
"""Seconds to wait for the messages of a batch."""
STATE_NAME = "reported labels"


class Stopped(Exception):
    """Raised when the bridge is stopped while the outbox is unavailable."""


class Forwarder:
    """The path from the broker to the outbox. `start` and `run` are called on the same thread."""

    def __init__(self, bus: Bus, outbox: Outbox, policy: Policy, stop: threading.Event, timeout: float = RECEIVE_TIMEOUT) -> None:
        """Subscribes, so `bus` must not be connected yet."""
        self._bus = bus
        self._outbox = outbox
        self.policy = policy
        """Which messages are forwarded. Any thread can replace it at any time."""
        self._selector = Selector()
        self._stop = stop
        self._timeout = timeout
        self._backoff = Backoff(maximum=MAX_RETRY_DELAY)
        kinds: dict[str, type[Message]] = {
            topics.visit(): Visit,
            topics.crossing(): Crossing,
            topics.summary(): Summary,
            topics.alert(): Alert,
            topics.label(): CurrentLabel,
            topics.prediction(): Prediction,
        }
        self._inbox = bus.inbox(kinds)
        self._receives_predictions = True
        """True at first, so that a subscription that the broker kept from an earlier run is ended if necessary."""

    def start(self) -> None:
        """Waits until the outbox can be read, and loads the labels reported last. Raises `Stopped`."""
        labels = self._retry(lambda: self._outbox.saved_state(STATE_NAME))
        self._selector.reported_labels.update({camera: str(label) for camera, label in labels.items()})

    def run(self) -> None:
        """Forwards messages until the bridge is stopped."""
        try:
            while not self._stop.is_set():
                self.process_batch()
        except Stopped:
            log.warning("stopped while the outbox is unavailable; the broker delivers the last messages again")

    def process_batch(self) -> None:
        """Processes the messages that arrive within the timeout. Raises `Stopped`; they are not acknowledged then."""
        self._adjust_subscriptions()
        labels_before = dict(self._selector.reported_labels)
        results = [result for message in self._inbox.take(self._timeout) if (result := self._select(message)) is not None]
        labels = self._selector.reported_labels
        state = {STATE_NAME: labels} if labels != labels_before else {}
        if results or state:
            self._retry(lambda: self._outbox.add(results, state))
        self._inbox.acknowledge()
        self._bus.state(states.RUNNING, self._outbox.problem)
        self._bus.progressed()

    def _adjust_subscriptions(self) -> None:
        """Subscribes to predictions only while they are forwarded: they are many, and the broker queues them for the bridge."""
        needs_predictions = self.policy.includes("all")
        if needs_predictions == self._receives_predictions or not self._bus.connected:
            return
        self._receives_predictions = needs_predictions
        if needs_predictions:
            self._bus.inbox({topics.prediction(): Prediction}, self._inbox)
        else:
            self._bus.unsubscribe(topics.prediction())

    def _select(self, message: Message) -> Result | None:
        """Returns the result of a message, or None. Skips a message that causes an error: the broker would always repeat it."""
        try:
            return self._selector.select(message, self.policy)
        except Exception as error:
            log.debug("%s", message, exc_info=True)
            text = f"{message.topic}: {type(error).__name__}: {error}; message skipped"
            self._bus.count_and_warn(metric_names.FAILED, text, message.topic)
            return None

    def _retry(self, call: Callable[[], T]) -> T:
        """Repeats a call to the outbox until it succeeds, and returns its result. Raises `Stopped`."""
        while True:
            try:
                result = call()
            except OutboxUnavailable as error:
                self._bus.metrics.add(metric_names.OUTBOX_FAILED)
                self._bus.state(states.OUTBOX_UNAVAILABLE, str(error))
                if self._stop.wait(self._backoff.next()):
                    raise Stopped from None
            else:
                self._backoff.reset()
                return result
