"""A clock that a test controls."""


class Clock:
    """A replacement for the module `time`."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def monotonic(self) -> float:
        """Returns the current time in seconds."""
        return self.now

    time = monotonic

    def sleep(self, seconds: float) -> None:
        """Advances the clock without waiting."""
        self.now += seconds
