"""When pictures are due, and when they were captured."""

import time
from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

from capture.pictures.picture import Picture

T = TypeVar("T")

MAX_GAP = 0.25
"""Seconds without a picture after which a late one is shown instead of skipped."""
MAX_DELAY = 1.0
"""Seconds that playback can lag behind. Beyond that it slows down."""
YIELD_INTERVAL = 1.0
"""Seconds between two yields of None during a wait."""
MAX_STEP = 10.0
"""Seconds. A longer step between two timestamps, or one backwards, is a new start of the source's clock, not a wait."""
MIN_RECORDED_STEP, MAX_RECORDED_STEP = 0.0005, 1000.0
"""Seconds from one timestamp of a recording to the next; other steps are damage."""
MAX_LATENESS = 1.0
"""Seconds that a picture of a live source can be late. With more, its timestamps do not tell when it was captured: they stand
still or lag behind, or the source has paused. A classifier refuses frames older than MAX_FRAME_AGE.
"""
DRIFT = 0.01
"""The fraction of a delay that counts as the source's clock being slower than ours."""


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


def paced(
    timed: Iterable[tuple[T, float]], interval: float, every_frame: bool = False, clock: Clock = time
) -> Iterator[T | None]:
    """Yields items when they are due, and None like `wait_until`. Each is given with its time in seconds.

    The last item is shown as long as the one before, or for `interval` if there is only one. A slow machine skips late items;
    with `every_frame` it yields them late instead.
    """
    due, shown_at = clock.monotonic(), float("-inf")  # always show the first one
    last: float | None = None
    for item, at in timed:
        if last is not None:
            interval = at - last
            due += interval
        last = at
        now = clock.monotonic()
        late = now - due
        if not every_frame and late > interval and now - shown_at < MAX_GAP:
            continue  # the next item is already due
        if late > MAX_DELAY:
            due = now
        yield from wait_until(due, clock)
        shown_at = clock.monotonic()
        yield item
    if last is not None:
        yield from wait_until(due + interval, clock)


class Timeline:
    """The times of a recording's pictures, from timestamps that can be missing or wrong.

    Times begin at 0 and increase. A timestamp that cannot follow the one before it is taken for `interval` later.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._time: float | None = None
        self._last: float | None = None
        """The last timestamp."""

    def time_of(self, timestamp: float | None) -> float:
        """Returns the time of the next picture, in seconds."""
        step = self._interval
        if timestamp is not None and self._last is not None and MIN_RECORDED_STEP <= timestamp - self._last <= MAX_RECORDED_STEP:
            step = timestamp - self._last
        self._time = 0.0 if self._time is None else self._time + step
        self._last = timestamp
        return self._time

    def timed(self, pictures: Iterable[Picture]) -> Iterator[tuple[Picture, float]]:
        """Yields pictures with their times, which replace their timestamps."""
        for picture in pictures:
            picture.timestamp = self.time_of(picture.timestamp)
            yield picture, picture.timestamp


def spread(pictures: Iterable[Picture], clock: Clock = time) -> Iterator[Picture | None]:
    """Yields the pictures of a live stream at the pace of their timestamps, and None like `wait_until`.

    They can arrive in bursts: HLS sends seconds at once. A picture that is late delays all later ones, so that the longest delay
    so far is made up for. After a new start of the timestamps the next picture is due at once.
    """
    due, last = clock.monotonic(), None
    for picture in pictures:
        step = 0.0 if last is None or picture.timestamp is None else picture.timestamp - last
        if picture.timestamp is not None:
            last = picture.timestamp
        due = max(clock.monotonic(), due + (step if 0 <= step < MAX_STEP else 0.0))
        yield from wait_until(due, clock)
        yield picture


class SourceClock:
    """When pictures were captured, from their timestamps and the times at which they arrived.

    A picture can arrive late, for example with others at once, but never early. So the smallest delay so far is taken as that of
    the source's clock, and later ones as jitter.
    """

    def __init__(self, max_delay: float = MAX_LATENESS) -> None:
        """A delay of more than `max_delay` seconds shows that the source has slowed down, as a file on a slow disk does."""
        self._max_delay = max_delay
        self._offset: float | None = None
        """Our clock minus the source's."""
        self._last: float | None = None
        """The last timestamp."""

    def captured_at(self, timestamp: float | None, now: float) -> float:
        """Returns when a picture that arrives `now` was captured, by our monotonic clock; `now` if it has no timestamp."""
        if timestamp is None:
            return now
        offset, is_new = now - timestamp, self._last is None or not 0 < timestamp - self._last < MAX_STEP
        self._last = timestamp
        delay = 0.0 if self._offset is None else offset - self._offset
        if self._offset is None or is_new or not 0 <= delay <= self._max_delay:
            self._offset = offset
        else:
            self._offset += DRIFT * delay
        return timestamp + self._offset
