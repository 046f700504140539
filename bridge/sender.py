"""The thread that takes the outbox to one sink."""

import logging
import threading
from types import TracebackType

from typing_extensions import Self

from bridge.database import OutboxUnavailable
from bridge.outbox import Outbox
from bridge.results import Result
from bridge.sinks import NotSent, Sink
from bus import metric_names as names
from runtime.backoff import Backoff
from runtime.metrics import Metrics

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
        self._sent: Result | None = None
        """The last one; it comes again when the outbox could not note that."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"sink {name}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stopping.set()
        self._outbox.wake()
        self._thread.join(SHUTDOWN_TIMEOUT)  # a call into a library may hang; the thread is left behind then

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._sink.maintain()
                if not self._send_batch():
                    self._outbox.wait(self._name, IDLE)
            except Exception as error:
                is_expected = isinstance(error, NotSent | OutboxUnavailable)
                pause = self._backoff.next()
                log.warning("%s: %s; trying again in %g s", self._name, error, pause, exc_info=not is_expected)
                self._metrics.add(names.SINK_FAILED)
                self._stopping.wait(pause)
        try:
            self._send_batch()
        except Exception as error:
            log.info("%s: %s; what waits stays in the outbox", self._name, error)
        finally:
            self._sink.close()

    def _send_batch(self) -> bool:
        """Send some results; False when there were none."""
        entries = self._outbox.waiting(self._name, BATCH)
        for number, result in entries:
            if result != self._sent:
                self._sink.send(result)
                self._metrics.add(names.SINK_SENT)
                self._backoff.reset()
                self._sent = result
            self._outbox.delivered(self._name, number)
            self._sink.maintain()
        return bool(entries)
