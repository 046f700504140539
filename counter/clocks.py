"""The machine's clocks, and the time that has credibly passed, whatever the wall clock is set to."""

import time
from collections.abc import Callable
from typing import NamedTuple

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from counter.timeline import EARLIEST
from runtime.steady import steady

MAX_GAP = 5 * 86400.0
"""Seconds that the counter may have been off, by the wall clock: a long weekend. More may be a wrong clock: it does not count."""
CLOSED = 30 * 86400.0  # seconds by which a clock may be ahead at a start without a report: a site may have been closed
MIN_JUMP = 2 * 86400.0  # seconds; shorter jumps are not reported
REPORTED = 7 * 86400.0  # seconds for which a jump is reported


class Clocks(NamedTuple):
    """`wall` gives Unix seconds, `steady` those of a clock that is never set; tests pass their own."""

    wall: Callable[[], float] = time.time
    steady: Callable[[], float] = steady


MACHINE = Clocks()


@dataclass(slots=True)
class SavedTime:
    """What outlives a restart; all in seconds."""

    passed: float  # credible seconds since the very first start
    wall: float  # what the wall clock said then
    began_at: float
    """The wall time of the first start: the earliest that any clock reading since has given, as the first may have been ahead."""
    usual: float  # how far the wall clock is ahead of `passed`, unless it jumped
    jumped_at: float  # when it was last as far ahead as usual, by `passed`
    credited: float = 0.0  # the part of `passed` in which the counter was off, which only the wall clock knows


_SAVED: TypeAdapter[SavedTime] = TypeAdapter(SavedTime)


class CredibleClock:
    """Counts seconds that have certainly passed: those of a clock that nobody sets while running, and over a restart what the
    wall clock says, if that is no more than `MAX_GAP`. When the wall clock is set back, that time is taken back.

    So it may stay behind, as by the holidays of a shop that is switched off, and is never ahead by more than the clock is wrong
    now, for up to `MAX_GAP` at each start since it was last right.
    """

    def __init__(self, clocks: Clocks, saved: str | None, newest: float | None) -> None:
        """`saved` is the text of an earlier one; without, the time of the newest record counts as the last that is known."""
        self._clocks = clocks
        self._steady, wall = clocks.steady(), clocks.wall()
        try:
            self._saved = _SAVED.validate_json(saved or "")
        except ValueError:
            began_at = wall if newest is None or wall <= newest + MAX_GAP else newest
            self._saved = SavedTime(0.0, wall, began_at, began_at, 0.0)
        gap = wall - self._saved.wall
        if 0 <= gap <= MAX_GAP:
            self._saved.passed += gap
            self._saved.credited += gap
        elif 0 <= gap <= CLOSED:
            self._saved.usual += gap
        self._take_back(-gap)
        self._take(wall)

    def advance(self) -> None:
        """Counts what has passed since the last reading of the clocks."""
        before, self._steady, wall = self._steady, self._clocks.steady(), self._clocks.wall()
        ran = max(0.0, self._steady - before)
        self._saved.passed += ran
        self._take_back(self._saved.wall + ran - wall)
        self._take(wall)

    def _take_back(self, seconds: float) -> None:
        """The wall clock was set back: what it said before, while the counter was off, may have been too much."""
        excess = min(max(0.0, seconds), self._saved.credited)
        self._saved.credited -= excess
        self._saved.passed -= excess

    def _take(self, wall: float) -> None:
        saved = self._saved
        saved.wall = wall
        began_at = wall - saved.passed
        if wall >= EARLIEST and (began_at < saved.began_at or saved.began_at < EARLIEST):
            saved.began_at = began_at
        if not self.jump:
            saved.jumped_at = saved.passed
        elif saved.usual < EARLIEST or saved.passed - saved.jumped_at > REPORTED:
            saved.usual = began_at

    @property
    def passed(self) -> float:
        """Seconds since the very first start."""
        return self._saved.passed

    @property
    def now(self) -> float:
        """The wall time that is believed, in Unix seconds; rather too early than too late."""
        return self._saved.began_at + self._saved.passed

    @property
    def jump(self) -> float:
        """Seconds by which the wall clock has jumped ahead, or back where negative; 0 when it has not, or long ago."""
        ahead = self._saved.wall - self._saved.passed - self._saved.usual
        return ahead if abs(ahead) > MIN_JUMP else 0.0

    def text(self) -> str:
        """The state to save for the next start."""
        return _SAVED.dump_json(self._saved).decode()
