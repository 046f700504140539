"""How many pictures a second go on."""


class Pace:
    """Lets at most `rate` a second through, evenly.

    A picture that comes a little early is let through, and the next one waits the longer for it: a camera whose own rate is the
    one asked for loses nothing to its jitter.
    """

    EARLY = 0.25
    """How much of an interval a picture may come too early."""

    def __init__(self, rate: float) -> None:
        self._interval = 1 / rate
        self._due = float("-inf")

    def lets_through(self, now: float) -> bool:
        """Whether the picture taken at `now` (seconds of any clock that runs on) is one of those."""
        if now < self._due - self.EARLY * self._interval:
            if self._due - now < 2 * self._interval:
                return False
            self._due = now  # the clock was set back
        self._due = max(self._due, now - self._interval) + self._interval
        return True
