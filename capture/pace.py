"""When a picture is shown, and how many a second go on."""

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

LEAST_OFTEN = 0.25
"""Seconds after which a picture is shown however late it is."""
BEHIND = 1.0
"""Seconds that something is played behind its time before its time is set anew."""
SIGN_OF_LIFE = 1.0
"""Seconds of waiting between two signs that it is no more than that."""


def rest(until: float) -> Iterator[None]:
    """Waits until a monotonic time; of a long wait, gives None every second."""
    while (left := until - time.monotonic()) > SIGN_OF_LIFE:
        time.sleep(SIGN_OF_LIFE)
        yield None
    time.sleep(max(0.0, left))


def in_time(moments: Iterable[T], interval: float, complete: bool = False) -> Iterator[T | None]:
    """Gives each moment when it is due, one every `interval` seconds; those are passed over that this machine is too slow for,
    unless `complete`: then they are given later.

    Gives None as `rest` does.
    """
    due, shown_at = time.monotonic(), float("-inf")  # the first one is always shown
    for moment in moments:
        now = time.monotonic()
        late = now - due
        due += interval
        if not complete and late > interval and now - shown_at < LEAST_OFTEN:
            continue  # the next one is due already
        if late > BEHIND:
            due = now + interval  # much too slow: it is played slower
        yield from rest(now - late)
        shown_at = time.monotonic()
        yield moment
    yield from rest(due)  # the last one is shown as long as the others


class Pace:
    """Lets at most `rate` a second through, evenly.

    A picture that comes a little early is let through and the next one waits the longer for it, and one that comes a little late
    does not delay the rest: a camera whose own rate is the one asked for loses nothing to its jitter.
    """

    SLACK = 0.25
    """How much of an interval a picture may come too early, or too late without moving those after it."""

    def __init__(self, rate: float) -> None:
        self._interval = 1 / rate
        self._due = float("-inf")

    def lets_through(self, now: float) -> bool:
        """Whether the picture taken at `now` (seconds by a clock that nobody sets) is one of those."""
        slack = self.SLACK * self._interval
        if now < self._due - slack:
            return False
        self._due = max(self._due, now - slack) + self._interval
        return True
