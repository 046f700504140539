"""The way of a message: received, selected, put into the outbox, and only then acknowledged."""

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from bridge.database import OutboxUnavailable
from bridge.outbox import Outbox
from bridge.policy import Policy, Selector
from bridge.results import Result
from bus import Bus, CurrentLabel, Message, Prediction, Summary, Visit, metric_names, states, topics
from runtime.backoff import Backoff

log = logging.getLogger(__name__)

T = TypeVar("T")

TURN = 0.5
"""Seconds to wait for messages."""
NOTE = "reported labels"


class Stopped(Exception):
    """The bridge is to stop, and the outbox is still unavailable."""


class Forwarder:
    """Works in the thread that calls `start` and `run`."""

    def __init__(self, bus: Bus, outbox: Outbox, policy: Policy, stop: threading.Event, turn: float = TURN) -> None:
        """To be made before the bus is entered."""
        self._bus = bus
        self._outbox = outbox
        self.policy = policy
        """What is forwarded; may be replaced at any time, from any thread."""
        self._selector = Selector()
        self._stop = stop
        self._turn = turn
        self._backoff = Backoff(maximum=5.0)
        kinds: dict[str, type[Message]] = {topics.visit(): Visit, topics.summary(): Summary, topics.label(): CurrentLabel}
        self._inbox = bus.inbox(kinds | {topics.prediction(): Prediction})
        self._receives_predictions = True
        """At first, so that a subscription which the broker kept from an earlier policy is one that can be ended."""

    def start(self) -> None:
        """Wait until the outbox can be read. Raises `Stopped`."""
        reported = self._retry(lambda: self._outbox.note(NOTE))
        self._selector.reported.update({camera: str(label) for camera, label in reported.items()})

    def run(self) -> None:
        """Forward until stopped."""
        try:
            while not self._stop.is_set():
                self.process_batch()
        except Stopped:
            log.warning("what the outbox could not take is with the broker, which delivers it again")

    def process_batch(self) -> None:
        """Process what came within a turn. Raises `Stopped`; then nothing was acknowledged."""
        self._adjust_subscriptions()
        before = dict(self._selector.reported)
        found = [result for message in self._inbox.take(self._turn) if (result := self._select(message)) is not None]
        after = self._selector.reported
        notes = {NOTE: after} if after != before else {}
        if found or notes:
            self._retry(lambda: self._outbox.add(found, notes))
        self._inbox.acknowledge()
        self._bus.state(states.RUNNING, self._outbox.problem)
        self._bus.progressed()

    def _adjust_subscriptions(self) -> None:
        """Receive predictions only while they are forwarded: there are many, and the broker keeps them for us."""
        wants = self.policy.includes("all")
        if wants == self._receives_predictions or not self._bus.connected:
            return
        self._receives_predictions = wants
        if wants:
            self._bus.inbox({topics.prediction(): Prediction}, self._inbox)
        else:
            self._bus.unsubscribe(topics.prediction())

    def _select(self, message: Message) -> Result | None:
        """The result of a message, if it is forwarded. One that fails is skipped: it would come again and again."""
        try:
            return self._selector.select(message, self.policy)
        except Exception as error:
            log.debug("%s", message, exc_info=True)
            text = f"{message.topic}: {type(error).__name__}: {error}; skipped"
            self._bus.count_and_warn(metric_names.FAILED, text, message.topic)
            return None

    def _retry(self, call: Callable[[], T]) -> T:
        """What a call to the outbox returns, repeated until it succeeds. Raises `Stopped`."""
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
