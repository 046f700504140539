"""What the counter's tests share: scripted predictions, visits, clocks that are set by hand, and a registry with its ledger."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bus import Command, CurrentLabel, Prediction, Visit
from counter.changes import Changes
from counter.clocks import Clocks
from counter.hours import Calendar
from counter.ledger import Ledger
from counter.registry import Batch, CameraRegistry
from counter.reports import Reports
from counter.timeline import Correction
from counter.visits import Rules
from runtime.metrics import Metrics
from tests.support.samples import prediction

RULES = Rules(threshold=0.5, frames=3, gap=1.5, is_background=lambda label: label == "nobody")
NOON = 1_790_000_000.0
UTC = Calendar("UTC")


def seen(text: str, interval: float = 0.1, begin: float = NOON, probability: float = 0.9) -> list[Prediction]:
    """A prediction a letter: w(oman), m(an), n(obody), and a doubtful woman for "?"; a blank is a frame that never came."""
    labels = {"w": "woman", "m": "man", "x": "x", "n": "nobody", "?": "woman"}
    return [
        prediction(labels[letter], 0.4 if letter == "?" else probability, begin + number * interval)
        for number, letter in enumerate(text)
        if letter != " "
    ]


def visit(number: int, label: str = "woman", camera: str = "door", at: float = NOON) -> Visit:
    """A visit with its own id, ten seconds after the one before."""
    begin = at + 10.0 * number
    return Visit(f"{camera}-{number}", camera, label, begin, begin + 4, 0.9, 40)


def with_visit(number: int, label: str = "woman", camera: str = "door") -> Changes:
    """A visit with a camera's state."""
    return Changes({camera: f'"after {number}"'}, [visit(number, label, camera)])


def open_ledger(folder: Path, **options: Any) -> Ledger:
    return Ledger(folder, Metrics(), **options)


def visits_in(ledger: Ledger) -> list[Visit]:
    """All visits; none of these ledgers has published any."""
    return [one.message for one in ledger.unpublished(0, 100_000) if isinstance(one.message, Visit)]


def ids(ledger: Ledger) -> list[str]:
    return [one.id for one in visits_in(ledger)]


def brief(visits: Iterable[Visit]) -> list[tuple[str, float, int]]:
    """Label, duration and frames."""
    return [(one.label, round(one.ended_at - one.started_at, 2), one.frames) for one in visits]


class HandClocks:
    """Clocks that go on when a test says so."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now
        """Unix seconds."""
        self.up = 1000.0
        """Seconds of the steady clock."""

    def advance(self, seconds: float) -> None:
        self.now, self.up = self.now + seconds, self.up + seconds

    @property
    def clocks(self) -> Clocks:
        return Clocks(lambda: self.now, lambda: self.up)


class Place(HandClocks):
    """A registry whose batches are committed to a ledger, or without a folder to memory; both can be restarted."""

    def __init__(self, folder: Path | None = None) -> None:
        super().__init__()
        self._folder = folder
        self._ledger: Ledger | None = None
        self.states: dict[str, str] = {}
        self.written = 0
        self.corrections: list[tuple[int, Correction]] = []
        self.labels: list[CurrentLabel] = []
        self.commands: list[Command] = []
        self.warnings: list[str] = []
        self._ended: list[Visit] = []
        self.restart()

    def restart(self) -> None:
        """As after a kill: only what was committed is known."""
        self.close()
        if self._folder is not None:
            self._ledger = open_ledger(self._folder)
            self.states = self._ledger.states()
        self.registry = CameraRegistry(RULES, UTC, lambda _metric, text, _sender: self.warnings.append(text), self.clocks)
        self.registry.restore(self.states, self.now)

    def close(self) -> None:
        if self._ledger is not None:
            self._ledger.close()

    @property
    def ledger(self) -> Ledger:
        assert self._ledger
        return self._ledger

    @property
    def reports(self) -> Reports:
        return Reports(self.ledger, UTC)

    @property
    def visits(self) -> list[Visit]:
        """In the order in which they ended."""
        return self._ended if self._ledger is None else sorted(visits_in(self._ledger), key=lambda one: one.ended_at)

    def commit(self, batch: Batch) -> list[Visit]:
        changes = batch.finish()
        self.states |= changes.states
        self.written += len(changes.states)
        self.corrections += [(len(self._ended) + place, one._replace(until=0.0)) for place, one in changes.corrections]
        self._ended += changes.visits
        self.labels += batch.labels
        self.commands += batch.commands
        return [] if self._ledger is None else self._ledger.commit(changes)

    def process(self, *predictions: Prediction) -> None:
        """In one batch."""
        batch = Batch()
        for one in predictions:
            self.advance(max(0.0, one.captured_at - self.now))
            self.registry.process(one, batch)
        self.commit(batch)

    def see(self, text: str, begin: float = 0.0, camera: str = "door", interval: float = 0.1, demo: bool = False) -> None:
        """Predictions from that many seconds after noon on, each in its own batch."""
        for one in seen(text, interval, NOON + begin):
            self.process(replace(one, camera=camera, demo=demo))

    def wait(self, seconds: float, is_receiving: bool = True) -> None:
        """Time that passes without predictions; then time-outs are applied."""
        self.advance(seconds)
        batch = Batch()
        self.registry.apply_timeouts(is_receiving, batch)
        self.commit(batch)

    def command(self, do: str, camera: str = "door") -> None:
        batch = Batch()
        self.registry.apply_command(Command(camera, do), batch)  # type: ignore[arg-type]
        self.commit(batch)
