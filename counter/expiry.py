"""When visits expire: by how long ago they were recorded, in time that has credibly passed; never by what a clock says."""

import time

from counter.credible_clock import CredibleClock, Reading
from counter.ledger import Ledger
from counter.marks import MARK_EVERY, MARKS, Marks, marks_of
from counter.timeline import EARLIEST
from runtime.steady import steady

CLOCK = "clock"
"""The note in the ledger."""


class Expiry:
    """Deletes visits that were recorded `keep` credible seconds ago; those from before the first mark, by their dates.

    Where a method raises `LedgerUnavailable`, it may be called again.
    """

    def __init__(self, ledger: Ledger, keep: float) -> None:
        self._ledger = ledger
        self._keep = keep
        self._clock: CredibleClock | None = None

    @property
    def clock(self) -> CredibleClock:
        """The time that has credibly passed, up to now."""
        if self._clock is None:
            self._clock = CredibleClock(_reading(), self._ledger.note(CLOCK), self._ledger.newest())
        else:
            self._clock.advance(_reading())
        return self._clock

    @property
    def jump(self) -> float:
        """Seconds by which the wall clock has jumped, see `CredibleClock.jump`; raises nothing."""
        if self._clock is None:
            return 0.0
        self._clock.advance(_reading())
        return self._clock.jump

    def save(self) -> None:
        """Saves the time for the next start."""
        self._ledger.set_note(CLOCK, self.clock.text())

    def expire(self) -> int:
        """Deletes what is old, a bounded number of visits at once; how many they were."""
        clock, marks = self.clock, self._marks()
        self.save()
        over = [one for one in marks.marks if one[0] <= clock.passed - self._keep]
        recorded = over[-1][1] if over else 0
        dated = (EARLIEST, clock.now - self._keep)
        return self._ledger.prune(recorded, marks.unmarked, *dated)

    def _marks(self) -> Marks:
        passed, last = self.clock.passed, self._ledger.last_number()
        marks = marks_of(self._ledger.note(MARKS)) or Marks(last, [])
        if not marks.marks or passed - marks.marks[-1][0] >= MARK_EVERY:
            expired = [one for one in marks.marks if one[0] <= passed - self._keep]
            marks.marks = [*expired[-1:], *marks.marks[len(expired) :], (passed, last)]
            self._ledger.set_note(MARKS, marks.text())
        return marks


def _reading() -> Reading:
    return Reading(time.time(), steady())
