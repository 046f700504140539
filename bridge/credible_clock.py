"""Time that has credibly passed, whatever the wall clock is set to."""

from typing import NamedTuple

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from bridge.timeline import EARLIEST

MAX_GAP = 2 * 86400.0
"""Seconds: how long the bridge may have been off, by the wall clock. More may be a wrong clock as well, and does not count."""
REPORTED = 7 * 86400.0
"""Seconds for which a clock that jumped further is reported."""


class Reading(NamedTuple):
    """What two clocks say at one moment: Unix seconds, and seconds of `bus.steady`."""

    wall: float
    steady: float


@dataclass(slots=True)
class SavedTime:
    """What a credible clock goes on from after a restart; all in seconds."""

    passed: float
    """Credible seconds since the first start of all."""
    wall: float
    """What the wall clock said then."""
    began_at: float
    """The credible wall time of the first start."""
    usual: float
    """How far the wall clock is ahead of `passed`, unless it jumped."""
    jumped_at: float
    """When it was last as far ahead as usual, by `passed`."""


_SAVED: TypeAdapter[SavedTime] = TypeAdapter(SavedTime)


class CredibleClock:
    """Counts seconds that have certainly passed: those of a clock that nobody sets while running, and over a restart what the
    wall clock says, if that is no more than `MAX_GAP`.

    So it may stay behind, as by the holidays of a shop that is switched off, and is never ahead by more than the clock was wrong
    for up to `MAX_GAP` at a start.
    """

    def __init__(self, reading: Reading, saved: str | None, newest: float | None) -> None:
        """`saved` is the text of an earlier one; without, the time of the newest record counts as the last that is known."""
        self._reading = reading
        try:
            self._saved = _SAVED.validate_json(saved or "")
        except ValueError:
            is_near = newest is None or reading.wall <= newest + MAX_GAP
            began_at = reading.wall if is_near or newest is None else newest
            self._saved = SavedTime(0.0, reading.wall, began_at, began_at, 0.0)
        gap = reading.wall - self._saved.wall
        if 0 <= gap <= MAX_GAP:
            self._saved.passed += gap
        self._take(reading)

    def advance(self, reading: Reading) -> None:
        """Counts what has passed since the last reading."""
        self._saved.passed += max(0.0, reading.steady - self._reading.steady)
        self._take(reading)

    def _take(self, reading: Reading) -> None:
        self._reading = reading
        saved = self._saved
        saved.wall = reading.wall
        if not self.jump:
            saved.jumped_at = saved.passed
        elif saved.usual < EARLIEST or saved.passed - saved.jumped_at > REPORTED:
            saved.usual = reading.wall - saved.passed

    @property
    def passed(self) -> float:
        """Seconds since the first start of all."""
        return self._saved.passed

    @property
    def now(self) -> float:
        """The wall time that is believed, in Unix seconds."""
        return self._saved.began_at + self._saved.passed

    @property
    def jump(self) -> float:
        """Seconds by which the wall clock has jumped ahead, or back where negative; 0 when it has not, or long ago."""
        ahead = self._reading.wall - self._saved.passed - self._saved.usual
        return ahead if abs(ahead) > MAX_GAP else 0.0

    def text(self) -> str:
        """To be saved for the next start."""
        return _SAVED.dump_json(self._saved).decode()
