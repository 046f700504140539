"""Results on standard output: lines for people, or JSON lines."""

import json
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, TextIO

from bridge.results import Kind, Result
from bridge.sinks import Context, NotSent, Sink
from bus import Bus, DayCounts, Visit, topics

COUNTS_TIMEOUT = 1.0
"""Seconds to wait for counts that include a visit; they follow right after it."""
MAX_KEPT = 1000
"""Counts of cameras and days."""


def create(context: Context) -> Sink:
    """Created by name, see `bridge.sinks`."""
    if context.settings.log_results == "json":
        return LogSink()
    return LogSink(partial(describe, counts=Counts(context.bus)))


class LogSink(Sink):
    """Writes each result as a line; `line` makes its text."""

    def __init__(self, line: Callable[[Result], str] = lambda result: result.body, out: TextIO = sys.stdout) -> None:
        self._line = line
        self._out = out

    def send(self, result: Result) -> None:
        line = self._line(result)
        try:
            self._out.write(line + "\n")
            self._out.flush()
        except (OSError, ValueError) as error:
            raise NotSent(f"standard output: {error}") from None


class Counts:
    """The visits of a day by label, which the counter publishes right after each visit."""

    def __init__(self, bus: Bus, timeout: float = COUNTS_TIMEOUT) -> None:
        self._timeout = timeout
        self._changed = threading.Condition()
        self._newest: dict[tuple[str, str], DayCounts | None] = {}
        """By camera and day; None while those of a visit are to come."""
        bus.subscribe(topics.visit(), Visit, self.on_visit)
        bus.subscribe(topics.counts(), DayCounts, self.on_counts)

    def on_visit(self, visit: Visit) -> None:
        """Called on the network's thread, as the next."""
        self._put((visit.camera, _day(visit.started_at)), None)

    def on_counts(self, counts: DayCounts) -> None:
        self._put((counts.camera, counts.day), counts)

    def _put(self, key: tuple[str, str], counts: DayCounts | None) -> None:
        with self._changed:
            self._newest.pop(key, None)
            self._newest[key] = counts
            if len(self._newest) > MAX_KEPT:
                del self._newest[next(iter(self._newest))]
            self._changed.notify_all()

    def including(self, visit: Mapping[str, Any]) -> DayCounts | None:
        """The counts of the day on which a visit began, once they include it.

        None when they are not known in time, or count drawn visits and this one is real, or the other way round.
        """
        key = visit["camera"], _day(visit["started_at"])
        with self._changed:
            self._changed.wait_for(lambda: key not in self._newest or self._newest[key] is not None, self._timeout)
            counts = self._newest.get(key)
        return counts if counts is not None and counts.demo == visit["demo"] else None


def describe(result: Result, counts: Counts) -> str:
    """``11:44:02 door: woman, 3.0 s (today: man 7, woman 6)`` of a visit, and the like of other results."""
    body = json.loads(result.body)
    match result.kind:
        case Kind.VISIT:
            at, text = body["ended_at"], f"{body['label']}, {body['ended_at'] - body['started_at']:.1f} s"
            if (day := counts.including(body)) is not None:
                text += f" ({'today' if day.day == _day(time.time()) else day.day}: {_listed(day.totals)})"
        case Kind.SUMMARY:
            begin, end = (f"{datetime.fromtimestamp(body[name]):%H:%M}" for name in ("began_at", "ended_at"))
            at, text = body["ended_at"], f"{begin} to {end}: {_listed(body['visits'])}"
        case Kind.CHANGE:
            at, text = body["at"], body["label"] or "nobody"
        case Kind.PREDICTION:
            labels = (f"{one['tagName']} {one['probability']:.2f}" for one in body["predictions"])
            at, text = body["captured_at"], ", ".join(labels) or "nothing found"
    return f"{_clock(at)} {body['camera']}: {text}"


def _day(at: float) -> str:
    return datetime.fromtimestamp(at).date().isoformat()


def _clock(at: float) -> str:
    """The time of the day; with the date, unless it is today's."""
    return f"{datetime.fromtimestamp(at):{'%H:%M:%S' if _day(at) == _day(time.time()) else '%Y-%m-%d %H:%M:%S'}}"


def _listed(totals: Mapping[str, int]) -> str:
    return ", ".join(f"{label} {number}" for label, number in sorted(totals.items())) or "no visits"
