"""The thread that takes the outbox to one sink."""

import logging
import threading
import time
from types import TracebackType

from typing_extensions import Self

from bridge.database import OutboxUnavailable
from bridge.outbox import Outbox
from bridge.sinks import NotSent, Sink
from bus import metric_names as names
from runtime.backoff import Backoff
from runtime.metrics import Metrics
from runtime.worker import Worker

log = logging.getLogger(__name__)

BATCH = 100
"""Results read from the outbox at a time."""
IDLE = 1.0
"""Seconds to wait for a result before the sink is maintained again."""
SHUTDOWN_TIMEOUT = 1.5
"""Seconds at the end to send what came last; the rest stays in the outbox."""


class Sender:
    """Sends each result until the sink has it, in order; a context manager."""

    def __init__(self, name: str, sink: Sink, outbox: Outbox, metrics: Metrics, backoff: Backoff | None = None) -> None:
        self._name = name
        self._sink = sink
        self._outbox = outbox
        self._metrics = metrics
        self._backoff = backoff or Backoff()
        self._retry_at = 0.0
        self._unmarked: int | None = None
        """A result that was sent, which the outbox could not note yet."""
        self._is_ending = threading.Event()
        self._is_closed = threading.Event()
        self._worker = Worker(f"sink {name}", self._step, shutdown_timeout=0.1)

    def __enter__(self) -> Self:
        self._worker.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._is_ending.set()
        self._outbox.wake()
        self._is_closed.wait(SHUTDOWN_TIMEOUT)  # a call into a library may hang; the thread is left behind then
        self._worker.__exit__(kind, error, trace)

    def _step(self) -> None:
        if self._is_ending.is_set():
            self._finish()
            return
        if (pause := self._retry_at - time.monotonic()) > 0:
            self._is_ending.wait(min(pause, IDLE))
            return
        try:
            self._sink.maintain()
            if not self._send_batch():
                self._outbox.wait(self._name, IDLE)
        except Exception as error:
            is_expected = isinstance(error, NotSent | OutboxUnavailable)
            pause = self._backoff.next()
            log.warning("%s: %s; trying again in %g s", self._name, error, pause, exc_info=not is_expected)
            self._metrics.add(names.SINK_FAILED)
            self._retry_at = time.monotonic() + pause

    def _send_batch(self) -> bool:
        """Send some results; False when there were none. Interrupted by the end, which then sends the rest itself."""
        was_ending = self._is_ending.is_set()
        self._mark()
        entries = self._outbox.waiting(self._name, BATCH)
        for number, result in entries:
            if self._is_ending.is_set() and not was_ending:
                break
            self._sink.send(result)
            self._metrics.add(names.SINK_SENT)
            self._backoff.reset()
            self._unmarked = number
            self._mark()
            self._sink.maintain()
        return bool(entries)

    def _mark(self) -> None:
        """Note what was sent before anything else is: it would be sent twice."""
        if self._unmarked is not None:
            self._outbox.delivered(self._name, self._unmarked)
            self._unmarked = None

    def _finish(self) -> None:
        """Send what came just before the end, once, and close the sink."""
        try:
            self._send_batch()
        except Exception as error:
            log.info("%s: %s; what waits stays in the outbox", self._name, error)
        finally:
            self._worker.stopping.set()
            try:
                self._sink.close()
            finally:
                self._is_closed.set()
