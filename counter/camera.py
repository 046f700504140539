"""What the bridge knows of one camera, and keeps over its own end."""

import time
from typing import NamedTuple

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from bus import CurrentLabel
from counter.hours import HOUR, hour_begin, hour_end
from counter.timeline import EARLIEST
from counter.visits import Memory, Rules, Visits

MOST_HOURS = 48
"""Hours that are summed up after an absence; of more, the one that was under way before it, and the last."""


@dataclass(slots=True)
class Kept:
    """What outlives the process; times in Unix seconds."""

    visits: Memory
    paused_at: float | None = None
    forwarded_at: float | None = None
    """When the frame was captured whose prediction went upstream last."""
    told_upstream: tuple[str, str] | None = None
    """Who was last told upstream to be there, and the frame with which the visit began; None when nobody was."""
    summed_until: float | None = None
    """The begin of the first hour that has not been summed up."""
    is_demo: bool = False
    """Whether the last prediction was the demo's, and so the visit that is open."""


class Hour(NamedTuple):
    """An hour of the site, in Unix seconds."""

    begin: float
    end: float


_KEPT: TypeAdapter[Kept] = TypeAdapter(Kept)


class Camera:
    """One camera with its visits; `text` is what an earlier one was kept as."""

    def __init__(self, name: str, rules: Rules, text: str | None = None) -> None:
        """Raises `ValueError` when the text is not one."""
        self.name = name
        self.kept = Kept(Memory()) if text is None else _KEPT.validate_json(text)
        self.visits = Visits(name, rules, self.kept.visits)
        self.heard_at = time.monotonic()
        self.label = self.now
        """As it was when it was last looked at, and whether that was told."""
        self.is_told = False
        self._unchanged = None if text is None else self._idle_state

    @property
    def now(self) -> CurrentLabel:
        """Who is there."""
        stay = self.visits.current
        if stay is None:
            return nobody(self.name)
        return CurrentLabel(self.name, stay.label, stay.own.probability, stay.started_at)

    @property
    def _idle_state(self) -> tuple[object, ...] | None:
        """All that matters while nobody is there; None while somebody is."""
        kept, memory = self.kept, self.visits.memory
        if not memory.is_idle:
            return None
        own = kept.paused_at, kept.forwarded_at, kept.told_upstream, kept.summed_until, kept.is_demo
        return *own, memory.timeline.session, memory.timeline.offset

    def change(self) -> str | None:
        """The text to keep now; None where it would make no difference: of an empty shop's frames nothing is to be written."""
        state = self._idle_state
        if state is not None and state == self._unchanged:
            return None
        self._unchanged = state
        self.kept.visits = self.visits.memory
        return _KEPT.dump_json(self.kept).decode()

    def hear(self, at: float) -> None:
        """Notes that a frame of that time has come; from the first one's hour on, hours are summed up."""
        self.heard_at = time.monotonic()
        if self.kept.summed_until is None and at > EARLIEST:  # else of a clock that was never set
            self.kept.summed_until = hour_begin(at)

    def hours_over(self, now: float | None) -> list[Hour]:
        """The hours that are over and not summed up yet, up to a visit that is open or begins; they count as summed up then.

        `now` (Unix seconds) is for a camera that is silent; otherwise the last frame's time tells how late it is. One that has
        been silent for long is no longer summed up.
        """
        memory, last_at = self.visits.memory, self.visits.memory.timeline.last_at
        if last_at is None or (now is not None and now - last_at > MOST_HOURS * HOUR):
            return []
        until = last_at if now is None else now
        stays = [*(candidate.stay for candidate in memory.candidates.values()), *([memory.stay] if memory.stay else [])]
        until = min([until, *(stay.started_at for stay in stays)])
        if until < EARLIEST:
            return []
        last = hour_begin(until)
        begin = self.kept.summed_until
        if begin is None or begin > last + HOUR:  # a clock that was set back
            begin = last
        hours, first = [], hour_begin(last - MOST_HOURS * HOUR)
        while begin < last:
            end = hour_end(begin)
            hours.append(Hour(begin, end))
            begin = max(end, first)
        self.kept.summed_until = begin
        return hours


def nobody(camera: str) -> CurrentLabel:
    """Says that nobody is at a camera."""
    return CurrentLabel(camera, label=None, probability=None, since=None)
