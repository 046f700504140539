"""Plays pictures at their own rate."""

import time
from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")

MAX_GAP = 0.25
"""Seconds after which a picture is shown however late it is."""
MAX_DELAY = 1.0
"""Seconds that something may be played behind its time; after that it is played slower."""
YIELD_INTERVAL = 1.0
"""Seconds of waiting between two signs of life."""


class Clock(Protocol):
    """As the module `time`."""

    def monotonic(self) -> float: ...
    def sleep(self, seconds: float, /) -> None: ...


def wait_until(moment: float, clock: Clock = time) -> Iterator[None]:
    """Waits until a monotonic time; gives None every second of a long wait."""
    while (left := moment - clock.monotonic()) > YIELD_INTERVAL:
        clock.sleep(YIELD_INTERVAL)
        yield None
    clock.sleep(max(0.0, left))


def paced(moments: Iterable[T], interval: float, every_frame: bool = False, clock: Clock = time) -> Iterator[T | None]:
    """Gives each moment when it is due, one every `interval` seconds, and None as `wait_until` does.

    Moments that this machine is too slow for are skipped; if `every_frame`, they are given later.
    """
    due, shown_at = clock.monotonic(), float("-inf")  # the first one is always shown
    for moment in moments:
        now = clock.monotonic()
        late = now - due
        due += interval
        if not every_frame and late > interval and now - shown_at < MAX_GAP:
            continue  # the next one is due already
        if late > MAX_DELAY:
            due = now + interval
        yield from wait_until(now - late, clock)
        shown_at = clock.monotonic()
        yield moment
    yield from wait_until(due, clock)  # the last one is shown as long as the others
