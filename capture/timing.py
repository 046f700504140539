"""The timing of pictures that are played at their own rate."""

import time
from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")

MAX_GAP = 0.25
"""Seconds without a picture after which a late one is shown instead of skipped."""
MAX_DELAY = 1.0
"""Seconds that playback can lag behind. Beyond that it slows down."""
YIELD_INTERVAL = 1.0
"""Seconds between two yields of None during a wait."""


class Clock(Protocol):
    """The part of the module `time` that this file uses."""

    def monotonic(self) -> float: ...
    def sleep(self, seconds: float, /) -> None: ...


def wait_until(deadline: float, clock: Clock = time) -> Iterator[None]:
    """Waits until a monotonic time. Yields None every second of a long wait."""
    while (left := deadline - clock.monotonic()) > YIELD_INTERVAL:
        clock.sleep(YIELD_INTERVAL)
        yield None
    clock.sleep(max(0.0, left))


def paced(items: Iterable[T], interval: float, every_frame: bool = False, clock: Clock = time) -> Iterator[T | None]:
    """Yields an item every `interval` seconds, and None like `wait_until`.

    A slow machine skips late items; with `every_frame` it yields them late instead.
    """
    due, shown_at = clock.monotonic(), float("-inf")  # always show the first one
    for item in items:
        now = clock.monotonic()
        late = now - due
        due += interval
        if not every_frame and late > interval and now - shown_at < MAX_GAP:
            continue  # the next item is already due
        if late > MAX_DELAY:
            due = now + interval
        yield from wait_until(now - late, clock)
        shown_at = clock.monotonic()
        yield item
    yield from wait_until(due, clock)  # show the last item as long as the others
