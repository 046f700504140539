"""The sink `log`: results on standard output, as text for people or as JSON lines."""

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
from bus import DIRECTIONS, Bus, DayCounts, Visit, topics

COUNTS_TIMEOUT = 1.0
"""Seconds to wait for the counts that include a visit; the counter publishes them right after it."""
MAX_COUNTS = 1000
"""Upper bound for the day counts that are kept."""
_MEASURES = {
    "inside": "{value:g} inside",
    "people": "{value:g} at {zone}",
    "waiting_seconds": "somebody at {zone} for {value:.0f} s",
    "lost_minutes": "no picture counted for {value:.1f} min",
    "uncounted_minutes": "open, and nobody counted for {value:.0f} min",
}
"""The measure of an alert, by its kind."""


def create(context: Context) -> Sink:
    """Creates the sink, see `bridge.sinks`."""
    if context.settings.log_results == "json":
        return LogSink()
    return LogSink(partial(describe, day_counts=NewestCounts(context.bus)))


class LogSink(Sink):
    """A sink that writes each result as a line. `formatter` returns the line; by default the JSON body."""

    def __init__(self, formatter: Callable[[Result], str] = lambda result: result.body, out: TextIO = sys.stdout) -> None:
        self._format = formatter
        self._out = out

    def send(self, result: Result) -> None:
        line = self._format(result)
        try:
            self._out.write(line + "\n")
            self._out.flush()
        except (OSError, ValueError) as error:
            raise NotSent(f"standard output: {error}") from None


class NewestCounts:
    """The newest day counts of each camera. The counter publishes them right after each visit."""

    def __init__(self, bus: Bus, timeout: float = COUNTS_TIMEOUT) -> None:
        self._timeout = timeout
        self._changed = threading.Condition()
        self._newest: dict[tuple[str, str], DayCounts | None] = {}
        """By camera and day; None between a visit and the counts that include it."""
        bus.subscribe(topics.visit(), Visit, self.on_visit)
        bus.subscribe(topics.counts(), DayCounts, self.on_counts)

    def on_visit(self, visit: Visit) -> None:
        """Called on the network thread, like `on_counts`."""
        self._put((visit.camera, _day(visit.started_at)), None)

    def on_counts(self, counts: DayCounts) -> None:
        self._put((counts.camera, counts.day), counts)

    def _put(self, key: tuple[str, str], counts: DayCounts | None) -> None:
        with self._changed:
            self._newest.pop(key, None)
            self._newest[key] = counts
            if len(self._newest) > MAX_COUNTS:
                del self._newest[next(iter(self._newest))]
            self._changed.notify_all()

    def wait_for(self, visit: Mapping[str, Any]) -> DayCounts | None:
        """Waits for the counts of the day on which a visit began, and returns them once they include it.

        Returns None after the timeout, and for counts whose `demo` differs from the visit's.
        """
        key = visit["camera"], _day(visit["started_at"])
        with self._changed:
            self._changed.wait_for(lambda: key not in self._newest or self._newest[key] is not None, self._timeout)
            counts = self._newest.get(key)
        return counts if counts is not None and counts.demo == visit["demo"] else None


def describe(result: Result, day_counts: NewestCounts) -> str:
    """Returns a result as a line for people.

    A crossing, when it happens: ``11:44:01 door: woman went in``. The visit, when it ends, with its seconds in zones:
    ``11:44:02 door: woman, in, 3.0 s, till 1.5 s (today: man 7, woman 6)``.
    """
    body = json.loads(result.body)
    match result.kind:
        case Kind.VISIT:
            at, text = body["ended_at"], _format_visit(body)
            if (counts := day_counts.wait_for(body)) is not None:
                text += f" ({'today' if counts.day == _day(time.time()) else counts.day}: {_format_totals(counts.totals)})"
        case Kind.CROSSING:
            at, text = body["at"], f"{body['label']} went {body['direction']}"
            if body["line"] != body["camera"]:
                text += f" ({body['line']})"
        case Kind.SUMMARY:
            begin, end = (f"{datetime.fromtimestamp(body[name]):%H:%M}" for name in ("began_at", "ended_at"))
            at, text = body["ended_at"], f"{begin} to {end}: {_format_totals(body['visits'])}"
            text += "".join(f"; {line} {_format_directions(totals)}" for line, totals in body.get("crossings", {}).items())
        case Kind.ALERT:
            at, text = body["at"], _format_alert(body)
        case Kind.CHANGE:
            at, text = body["at"], body["label"] or "nobody"
        case Kind.PREDICTION:
            labels = (f"{label['tagName']} {label['probability']:.2f}" for label in body["predictions"])
            at, text = body["captured_at"], ", ".join(labels) or "nothing found"
    return f"{_format_time(at)} {body['camera']}: {text}"


def _format_visit(body: Mapping[str, Any]) -> str:
    """Returns a visit; one that an earlier version stored has no direction and no zones."""
    parts = [body["label"], body.get("direction"), f"{body['ended_at'] - body['started_at']:.1f} s"]
    parts += [f"{zone} {seconds:.1f} s" for zone, seconds in body.get("zones", {}).items()]
    return ", ".join(part for part in parts if part is not None)


def _format_alert(body: Mapping[str, Any]) -> str:
    """Returns an alert and what was measured when it was raised: ``alert queue: somebody at till for 121 s (limit 120)``."""
    if not body["active"]:
        return f"alert {body['rule']} is over"
    measure = _MEASURES.get(body["kind"], "{kind} {value:g}").format_map(body)
    return f"alert {body['rule']}: {measure} (limit {body['limit']:g})"


def _format_directions(totals: Mapping[str, Mapping[str, int]]) -> str:
    return ", ".join(f"{direction} {sum(totals.get(direction, {}).values())}" for direction in DIRECTIONS)


def _day(at: float) -> str:
    return datetime.fromtimestamp(at).date().isoformat()


def _format_time(at: float) -> str:
    """Returns the time of day, with the date if it is not today."""
    return f"{datetime.fromtimestamp(at):{'%H:%M:%S' if _day(at) == _day(time.time()) else '%Y-%m-%d %H:%M:%S'}}"


def _format_totals(totals: Mapping[str, int]) -> str:
    return ", ".join(f"{label} {number}" for label, number in sorted(totals.items())) or "no visits"
