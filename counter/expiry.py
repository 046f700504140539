"""Expiry of visits, by the credible time since they were recorded. A wrong wall clock deletes nothing."""

from pydantic import TypeAdapter

from counter.clocks import SYSTEM, Clocks, CredibleClock
from counter.ledger import MARKS_NOTE, Ledger
from counter.timeline import EARLIEST

CLOCK_NOTE = "clock"  # the ledger's note with the credible clock
MARK_INTERVAL = 86400.0  # seconds


_MARKS_ADAPTER: TypeAdapter[list[tuple[float, int]]] = TypeAdapter(list[tuple[float, int]])
"""Marks, a day apart: seconds of the credible clock, and the number of the last visit recorded by then."""


class Expiry:
    """The deletion of visits recorded `keep_days` credible days ago. Visits from before the first mark expire by their dates.

    A method that raises `LedgerUnavailable` may be called again.
    """

    def __init__(self, ledger: Ledger, keep_days: float, clocks: Clocks = SYSTEM) -> None:
        self._ledger = ledger
        self._keep_seconds = keep_days * 86400.0
        self.clocks = clocks
        self._clock: CredibleClock | None = None

    @property
    def clock(self) -> CredibleClock:
        """The credible clock, advanced to now."""
        if self._clock is None:
            self._clock = CredibleClock(self.clocks, self._ledger.note(CLOCK_NOTE), self._ledger.latest_visit_begin())
        else:
            self._clock.advance()
        return self._clock

    @property
    def jump(self) -> float:
        """Seconds by which the wall clock has jumped, see `CredibleClock.jump`. Never raises."""
        return 0.0 if self._clock is None else self.clock.jump

    def save(self) -> None:
        """Saves the credible clock for the next start."""
        self._ledger.set_note(CLOCK_NOTE, self.clock.to_json())

    def expire(self) -> int:
        """Deletes expired visits, a bounded number at once. Returns how many."""
        clock, marks = self.clock, self._update_marks()
        self.save()
        max_recorded = max((number for at, number in marks if at <= clock.passed - self._keep_seconds), default=0)
        return self._ledger.prune(max_recorded, marks[0][1], EARLIEST, clock.now - self._keep_seconds)

    def _update_marks(self) -> list[tuple[float, int]]:
        """Adds a mark if one is due. Returns all marks from the last expired one on."""
        passed, last = self.clock.passed, self._ledger.last_visit_number()
        try:
            marks = _MARKS_ADAPTER.validate_json(self._ledger.note(MARKS_NOTE) or "")
        except ValueError:
            marks = []
        if not marks or passed - marks[-1][0] >= MARK_INTERVAL:
            expired = [one for one in marks if one[0] <= passed - self._keep_seconds]
            marks = [*expired[-1:], *marks[len(expired) :], (passed, last)]
            self._ledger.set_note(MARKS_NOTE, _MARKS_ADAPTER.dump_json(marks).decode())
        return marks
