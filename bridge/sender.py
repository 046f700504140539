"""The thread that sends results from the outbox to one sink."""

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
from runtime.database import MAX_RETRY_DELAY
from runtime.logs import LogThrottle
from runtime.metrics import Metrics

log = logging.getLogger(__name__)

BATCH_SIZE = 100
"""Results read from the outbox at once."""
MAINTENANCE_INTERVAL = 1.0
"""Seconds between two calls of `Sink.maintain` while there is nothing to send."""
SHUTDOWN_TIMEOUT = 1.5
"""Seconds to send the last results at shutdown; the rest stays in the outbox."""


class Sender:
    """A context manager that sends results in order. It repeats each result until the sink accepts it."""

    def __init__(self, name: str, sink: Sink, outbox: Outbox, metrics: Metrics, backoff: Backoff | None = None) -> None:
        self._name = name
        self._sink = sink
        self._outbox = outbox
        self._metrics = metrics
        self._backoff = backoff or Backoff(maximum=sink.max_pause)
        self._outbox_backoff = Backoff(maximum=MAX_RETRY_DELAY)
        self._throttle = LogThrottle()
        self._last_sent: Result | None = None
        """The last result sent. It is not sent again when the outbox could not mark it as delivered."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"sink {name}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stopping.set()
        self._outbox.wake()
        self._thread.join(SHUTDOWN_TIMEOUT)  # a call into a library can hang; its thread is then abandoned

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._sink.maintain()
                if not self._send_batch():
                    self._outbox.wait(self._name, MAINTENANCE_INTERVAL)
            except OutboxUnavailable as error:
                self._metrics.add(names.SINK_FAILED, sink=self._name)
                if (more := self._throttle("")) is not None:
                    log.warning("%s: %s; retrying%s", self._name, error, more)
                self._stopping.wait(self._outbox_backoff.next())
            except Exception as error:
                is_expected = isinstance(error, NotSent)
                pause = max(self._backoff.next(), error.retry_after if isinstance(error, NotSent) else 0.0)
                log.warning("%s: %s; next attempt in %g s", self._name, error, pause, exc_info=not is_expected)
                self._metrics.add(names.SINK_FAILED, sink=self._name)
                self._stopping.wait(pause)
        try:
            self._send_batch()
        except Exception as error:
            log.info("%s: %s; unsent results stay in the outbox", self._name, error)
        finally:
            self._sink.close()

    def _send_batch(self) -> bool:
        """Sends up to `BATCH_SIZE` results. Returns False if there were none."""
        entries = self._outbox.pending(self._name, BATCH_SIZE)
        for number, result in entries:
            if result != self._last_sent:
                self._sink.send(result)
                self._metrics.add(names.SINK_SENT, sink=self._name)
                self._backoff.reset()
                self._last_sent = result
            self._outbox.mark_delivered(self._name, number)
            self._outbox_backoff.reset()
            self._sink.maintain()
        return bool(entries)
