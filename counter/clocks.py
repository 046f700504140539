"""The machine's clocks, and a clock for expiry that a wrong wall clock cannot mislead by much."""

import time
from collections.abc import Callable
from typing import NamedTuple

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from counter.timeline import EARLIEST
from runtime.steady import steady

MAX_DOWNTIME = 5 * 86400.0
"""Seconds of downtime that count as elapsed: a long weekend. A longer one may be a wrong clock, and does not count."""
MAX_CLOSED_TIME = 30 * 86400.0  # seconds of downtime that are not reported as a jump: the site may have been closed
MIN_JUMP = 2 * 86400.0  # seconds; shorter jumps are not reported
JUMP_REPORT_TIME = 7 * 86400.0  # seconds for which a jump is reported


class Clocks(NamedTuple):
    """Sources of time: `wall` in Unix seconds, `steady` in seconds of a clock that is never set. Tests pass their own."""

    wall: Callable[[], float] = time.time
    steady: Callable[[], float] = steady


SYSTEM = Clocks()


@dataclass(slots=True)
class SavedTime:
    """The clock's state that survives a restart; all in seconds."""

    passed: float  # credible seconds since the first start
    wall: float  # the last reading of the wall clock
    began_at: float
    """Wall time of the first start: the earliest that any reading has implied, because the first reading may have been ahead."""
    usual: float  # `wall` minus `passed`, unless the clock has jumped
    jumped_at: float  # `passed` when `usual` was last right
    credited: float = 0.0  # the part of `passed` that is downtime, known from the wall clock only


_STATE_ADAPTER: TypeAdapter[SavedTime] = TypeAdapter(SavedTime)


class CredibleClock:
    """A count of the seconds that have certainly passed: by a steady clock while running, and by the wall clock over a restart.

    A downtime of more than `MAX_DOWNTIME` does not count. When the wall clock is set back, downtime is subtracted again. So this
    clock may be behind, for example by a shop's holidays. It is never ahead by more than the wall clock is now, and by at most
    `MAX_DOWNTIME` for each start since the wall clock was last right.
    """

    def __init__(self, clocks: Clocks, saved: str | None, newest: float | None) -> None:
        """`saved` is an earlier clock as JSON. Without it, a wall clock far ahead of the `newest` record is not trusted."""
        self._clocks = clocks
        self._steady, wall = clocks.steady(), clocks.wall()
        try:
            self._saved = _STATE_ADAPTER.validate_json(saved or "")
        except ValueError:
            began_at = wall if newest is None or wall <= newest + MAX_DOWNTIME else newest
            self._saved = SavedTime(0.0, wall, began_at, began_at, 0.0)
        gap = wall - self._saved.wall
        if 0 <= gap <= MAX_DOWNTIME:
            self._saved.passed += gap
            self._saved.credited += gap
        elif 0 <= gap <= MAX_CLOSED_TIME:
            self._saved.usual += gap
        self._subtract(-gap)
        self._set_wall(wall)

    def advance(self) -> None:
        """Adds the time since the last reading of the clocks."""
        before, self._steady, wall = self._steady, self._clocks.steady(), self._clocks.wall()
        elapsed = max(0.0, self._steady - before)
        self._saved.passed += elapsed
        self._subtract(self._saved.wall + elapsed - wall)
        self._set_wall(wall)

    def _subtract(self, seconds: float) -> None:
        """Subtracts downtime that was counted in excess, after the wall clock was set back."""
        excess = min(max(0.0, seconds), self._saved.credited)
        self._saved.credited -= excess
        self._saved.passed -= excess

    def _set_wall(self, wall: float) -> None:
        saved = self._saved
        saved.wall = wall
        began_at = wall - saved.passed
        if wall >= EARLIEST and (began_at < saved.began_at or saved.began_at < EARLIEST):
            saved.began_at = began_at
        if not self.jump:
            saved.jumped_at = saved.passed
        elif saved.usual < EARLIEST or saved.passed - saved.jumped_at > JUMP_REPORT_TIME:
            saved.usual = began_at

    @property
    def passed(self) -> float:
        """Credible seconds since the first start."""
        return self._saved.passed

    @property
    def now(self) -> float:
        """The credible wall time, in Unix seconds; too early rather than too late."""
        return self._saved.began_at + self._saved.passed

    @property
    def jump(self) -> float:
        """Seconds by which the wall clock has jumped ahead, or back if negative; 0 without a recent jump."""
        ahead = self._saved.wall - self._saved.passed - self._saved.usual
        return ahead if abs(ahead) > MIN_JUMP else 0.0

    def to_json(self) -> str:
        """Returns the state to save for the next start, as JSON."""
        return _STATE_ADAPTER.dump_json(self._saved).decode()
