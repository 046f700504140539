"""How many pictures a second go on."""


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
        """Whether the picture taken at the monotonic time `now` (in seconds) is one of those."""
        slack = self.SLACK * self._interval
        if now < self._due - slack:
            return False
        self._due = max(self._due, now - slack) + self._interval
        return True
