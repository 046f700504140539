"""How many visitors are inside: those who crossed a line in, minus those who crossed one out, since a time of day."""

from collections.abc import Callable
from dataclasses import dataclass

from bus import Direction
from bus.fields import Count, Seconds
from counter.timeline import EARLIEST, shifted


@dataclass(slots=True)
class Inside:
    """The visitors who `entered` and who `left` `since` the last reset, by lines; times are Unix seconds.

    `drift` is how many left while nobody was inside: they had entered unseen. So the number inside is never below zero.
    """

    entered: Count = 0
    left: Count = 0
    drift: Count = 0
    since: Seconds | None = None

    @property
    def number(self) -> int:
        """How many are inside."""
        return self.entered - self.left + self.drift

    def add(self, direction: Direction) -> bool:
        """Counts a crossing. Returns whether somebody left while nobody was inside."""
        if direction == "in":
            self.entered += 1
            return False
        is_unseen = self.number == 0
        self.left += 1
        self.drift += is_unseen
        return is_unseen

    def pass_time(self, at: float, last_reset: Callable[[float], float]) -> None:
        """Resets the numbers if a reset was due by a time; `last_reset` returns when the last one was due by then.

        If the clock has been set back, the numbers stay, and count from that time.
        """
        if self.since is None or at < self.since:
            self.since = at
        elif (due := last_reset(at)) > self.since:
            self.reset(due)

    def pass_silence(self, now: float, last_reset: Callable[[float], float]) -> None:
        """The same for a camera that is silent, by the wall clock. Does nothing if that differs from the camera's clock."""
        if self.since is not None and EARLIEST <= self.since <= now:
            self.pass_time(now, last_reset)

    def reset(self, at: float) -> None:
        """Begins again with nobody inside."""
        self.entered = self.left = self.drift = 0
        self.since = at

    def shift(self, by: float) -> None:
        """Shifts the time of the last reset by a number of seconds, because the clock was set."""
        if self.since is not None:
            self.since = shifted(self.since, by)
