"""Results as lines of text for people, in the site's own time and labels."""

import json
import time
from collections.abc import Mapping
from datetime import datetime
from math import inf, nextafter
from typing import Any

from bridge.outgoing import Kind, Outgoing
from counter import hours
from counter.ledger import Ledger


class Lines:
    """Writes ``11:44:02 door: woman, 3.0 s (today: man 7, woman 6)`` for a visit, and the like for other results."""

    def __init__(self, ledger: Ledger) -> None:
        """Counts come from the ledger, which has a visit before its message is sent."""
        self._ledger = ledger

    def line(self, message: Outgoing) -> str:
        """The line of a result, without a line end. Raises `counter.database.LedgerUnavailable`."""
        body = json.loads(message.body)
        match message.kind:
            case Kind.VISIT:
                stayed = body["ended_at"] - body["started_at"]
                at, text = body["ended_at"], f"{body['label']}, {stayed:.1f} s ({self._counts(body)})"
            case Kind.SUMMARY:
                begin, end = (f"{datetime.fromtimestamp(body[name]):%H:%M}" for name in ("began_at", "ended_at"))
                at, text = body["ended_at"], f"{begin} to {end}: {_listed(body['visits'])}"
            case Kind.CHANGE:
                at, text = body["at"], body["label"] or "nobody"
            case Kind.PREDICTION:
                labels = (f"{one['tagName']} {one['probability']:.2f}" for one in body["predictions"])
                at, text = body["captured_at"], ", ".join(labels) or "nothing found"
        return f"{_clock(at)} {body['camera']}: {text}"

    def _counts(self, visit: Mapping[str, Any]) -> str:
        """The camera's visits begun on the day of this one, up to this one."""
        day = hours.day_of(visit["started_at"])
        until = nextafter(visit["started_at"], inf)
        totals = self._ledger.totals(visit["camera"], hours.bounds(day)[0], until, is_demo=visit.get("demo", False))
        return f"{'today' if day == hours.day_of(time.time()) else day}: {_listed(totals)}"


def _clock(at: float) -> str:
    """The time of the day; of another day than today's with the date."""
    return f"{datetime.fromtimestamp(at):{'%H:%M:%S' if hours.day_of(at) == hours.day_of(time.time()) else '%Y-%m-%d %H:%M:%S'}}"


def _listed(totals: Mapping[str, int]) -> str:
    return ", ".join(f"{label} {number}" for label, number in sorted(totals.items())) or "no visits"
