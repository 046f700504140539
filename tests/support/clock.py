"""Time that passes when a test says so."""


class Clock:
    """Stands for the module `time` in one module of the code."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def monotonic(self) -> float:
        """Seconds."""
        return self.now

    time = monotonic

    def sleep(self, seconds: float) -> None:
        """Takes no time of the test's."""
        self.now += seconds
