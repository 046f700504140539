"""Which visits were recorded when, by their numbers in the ledger."""

import json

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

MARKS = "expiry"
"""The note in the ledger."""
MARK_EVERY = 86400.0
"""Seconds."""


@dataclass(slots=True)
class Marks:
    """How many visits there were at which credible time: what was recorded before."""

    unmarked: int
    """The number of the last visit that was recorded before the first mark."""
    marks: list[tuple[float, int]]
    """Seconds of the credible clock and the number of the last visit by then; a day apart."""

    @property
    def highest(self) -> int:
        """The highest number of all; no visit to come may have one up to that."""
        return max([self.unmarked, *(number for _, number in self.marks)])

    def text(self) -> str:
        """To be saved."""
        return json.dumps(_MARKS.dump_python(self))


_MARKS: TypeAdapter[Marks] = TypeAdapter(Marks)


def marks_of(text: str | None) -> Marks | None:
    """Those that were saved as a text, if it is one."""
    try:
        return _MARKS.validate_json(text or "")
    except ValueError:
        return None
