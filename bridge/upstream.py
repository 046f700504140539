"""Where results go, and the thread that brings them there."""

import logging
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, TextIO

from typing_extensions import Self

from bridge.outgoing import Outgoing
from bus import FootfallError
from counter.database import LedgerUnavailable
from counter.ledger import Ledger, Waiting
from runtime.backoff import Backoff
from runtime.metrics import Metrics

log = logging.getLogger(__name__)

AT_ONCE = 100
"""Messages read from the outbox together."""
LOOK_EVERY = 1.0
"""Seconds."""
GRACE = 1.5
"""Seconds at the end for what is still to be sent; the rest stays in the outbox."""


class NotSent(FootfallError):
    """A message, or something else that was due, did not get through, or may not have; it is to be tried again."""


class Upstream(Protocol):
    """Takes results; used by one thread."""

    def tend(self) -> None:
        """Does what is due besides sending. Raises `NotSent`."""

    def send(self, message: Outgoing) -> None:
        """Returns when the message is safe on the other side. Raises `NotSent`."""

    def close(self) -> None:
        """Lets go of what it holds; it takes no more."""


def as_json(message: Outgoing) -> str:
    """A result as a line of JSON."""
    return message.body


class LogUpstream:
    """Writes each result as a line on standard output."""

    def __init__(self, line: Callable[[Outgoing], str] = as_json, out: TextIO = sys.stdout) -> None:
        self._line = line
        self._out = out

    def tend(self) -> None:
        """There is nothing."""

    def send(self, message: Outgoing) -> None:
        """Writes the line at once. Raises `NotSent` when it cannot be written."""
        line = self._line(message)
        try:
            self._out.write(line + "\n")
            self._out.flush()
        except (OSError, ValueError) as error:
            raise NotSent(f"standard output: {error}") from None

    def close(self) -> None:
        """Nothing is held."""


class Sender:
    """Takes the outbox upstream, one message after the other, each until it is safe there; as a context manager."""

    def __init__(self, ledger: Ledger, upstream: Upstream, metrics: Metrics) -> None:
        self._ledger = ledger
        self._upstream = upstream
        self._metrics = metrics
        self._backoff = Backoff()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._ledger.filled.set()
        self._thread.join(GRACE)  # a call into a library may hang; the thread is left behind then

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._turn()
            except Exception as error:
                expected = isinstance(error, NotSent | LedgerUnavailable)
                log.warning("%s; trying again", error, exc_info=not expected)
                self._metrics.add("upstream_failed")
                self._stop.wait(self._backoff.next())
        try:
            self._last_turn()
        finally:
            self._upstream.close()

    def _turn(self) -> None:
        """Sends what waits, or waits a little for something to send."""
        self._ledger.filled.clear()
        self._metrics.put("outbox", self._ledger.outbox_size)
        self._upstream.tend()
        waiting = self._ledger.waiting(AT_ONCE)
        for one in waiting:
            if self._stop.is_set():
                return
            self._send(one)
            self._upstream.tend()
        if not waiting:
            self._ledger.filled.wait(LOOK_EVERY)

    def _last_turn(self) -> None:
        """What came just before the end goes out with it, if it can."""
        try:
            for one in self._ledger.waiting(AT_ONCE):
                self._send(one)
        except Exception as error:
            log.info("what waits stays in the outbox: %s", error)

    def _send(self, one: Waiting) -> None:
        self._upstream.send(one.message)
        self._metrics.add("upstream_sent")
        self._backoff.reset()
        while True:
            try:
                self._ledger.sent(one.number)
            except LedgerUnavailable as error:  # it would be sent again with every try
                log.warning("%s: a message that was sent cannot be taken out of the outbox; trying again", error)
                if self._stop.wait(self._backoff.next()):
                    return
            else:
                return
