"""Results on standard output: lines for people, or JSON lines."""

import json
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TextIO

from bridge.results import Kind, Result
from bridge.sinks import Context, NotSent, Sink
from bus import Bus, DayCounts, topics

COUNTS_TIMEOUT = 1.0
"""Seconds to wait for counts that include a visit; they follow right after it."""
RECENT = 15.0
"""Seconds; the counts of a visit that ended longer ago are not waited for."""
MAX_DAYS = 3
"""Days of a camera whose counts are kept."""

Wall = Callable[[], float]


def create(context: Context) -> Sink:
    """Created by name, see `bridge.sinks`."""
    if context.settings.log_results == "json":
        return LogSink()
    return LogSink(Lines(Counts(context.bus)).line)


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
    """The visits of a day by label, as the counter publishes them right after each visit."""

    def __init__(self, bus: Bus, timeout: float = COUNTS_TIMEOUT, wall: Wall = time.time) -> None:
        self._timeout = timeout
        self._wall = wall
        self._changed = threading.Condition()
        self._received: dict[str, dict[str, DayCounts]] = {}
        """By camera and day."""
        self._included: dict[tuple[str, str, bool], dict[str, int]] = {}
        """By camera, day and kind (drawn or real), what is counted without the visits that are to be printed."""
        bus.subscribe(topics.counts(), DayCounts, self.on_counts, cleared=self.on_cleared)

    def on_counts(self, counts: DayCounts) -> None:
        """Called on the network's thread."""
        with self._changed:
            days = self._received.setdefault(counts.camera, {})
            is_first = not days
            days[counts.day] = counts
            for day in sorted(days)[:-MAX_DAYS]:
                del days[day]
            if is_first:  # retained by the broker: what was counted before
                self._included.setdefault((counts.camera, counts.day, counts.demo), dict(counts.totals))
            self._changed.notify_all()

    def on_cleared(self, topic: str) -> None:
        """A camera is gone for good."""
        with self._changed:
            self._received.pop(topics.second_level(topic), None)

    def including(self, visit: Mapping[str, Any], day: str) -> Mapping[str, int] | None:
        """The totals of a day with this visit, of drawn or of real visits as it is one; None when they are not known."""
        camera, label = visit["camera"], visit["label"]
        with self._changed:
            included = self._included.setdefault((camera, day, visit["demo"]), {})
            if len(self._included) > 1000:  # days and cameras long gone
                self._included = {(camera, day, visit["demo"]): included}

            def totals() -> Mapping[str, int] | None:
                counts = self._received.get(camera, {}).get(day)
                return counts.totals if counts is not None and counts.demo == visit["demo"] else None

            before = included.get(label, 0)
            is_recent = abs(self._wall() - visit["ended_at"]) < RECENT
            self._changed.wait_for(lambda: (totals() or {}).get(label, 0) > before, self._timeout if is_recent else 0)
            found = totals()
            included[label] = min(before + 1, (found or {}).get(label, 0))
            return found


class Lines:
    """Writes ``11:44:02 door: woman, 3.0 s (today: man 7, woman 6)`` for a visit, and the like for other results."""

    def __init__(self, counts: Counts, wall: Wall = time.time) -> None:
        self._counts = counts
        self._wall = wall

    def line(self, result: Result) -> str:
        """The line of a result, without a line end."""
        body = json.loads(result.body)
        match result.kind:
            case Kind.VISIT:
                at, text = body["ended_at"], f"{body['label']}, {body['ended_at'] - body['started_at']:.1f} s{self._day(body)}"
            case Kind.SUMMARY:
                begin, end = (f"{datetime.fromtimestamp(body[name]):%H:%M}" for name in ("began_at", "ended_at"))
                at, text = body["ended_at"], f"{begin} to {end}: {_listed(body['visits'])}"
            case Kind.CHANGE:
                at, text = body["at"], body["label"] or "nobody"
            case Kind.PREDICTION:
                labels = (f"{one['tagName']} {one['probability']:.2f}" for one in body["predictions"])
                at, text = body["captured_at"], ", ".join(labels) or "nothing found"
        return f"{self._clock(at)} {body['camera']}: {text}"

    def _day(self, visit: Mapping[str, Any]) -> str:
        """The counts of the day on which a visit began."""
        day = _day(visit["started_at"])
        totals = self._counts.including(visit, day)
        return "" if totals is None else f" ({'today' if day == _day(self._wall()) else day}: {_listed(totals)})"

    def _clock(self, at: float) -> str:
        """The time of the day; with the date, unless it is today's."""
        return f"{datetime.fromtimestamp(at):{'%H:%M:%S' if _day(at) == _day(self._wall()) else '%Y-%m-%d %H:%M:%S'}}"


def _day(at: float) -> str:
    return datetime.fromtimestamp(at).date().isoformat()


def _listed(totals: Mapping[str, int]) -> str:
    return ", ".join(f"{label} {number}" for label, number in sorted(totals.items())) or "no visits"
