"""Exponential backoff between attempts."""


class Backoff:
    """A delay that doubles from `initial` to `maximum` seconds, until it is reset after a success."""

    def __init__(self, initial: float = 0.5, maximum: float = 30.0) -> None:
        self._initial = initial
        self._maximum = maximum
        self._next = initial

    def next(self) -> float:
        """Returns the seconds to wait before the next attempt, and doubles the delay."""
        wait, self._next = self._next, min(self._next * 2, self._maximum)
        return wait

    def reset(self) -> None:
        self._next = self._initial
