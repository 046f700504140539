"""How long to wait before the next attempt."""


class Backoff:
    """Doubles from `least` to `most` seconds; a success starts it over."""

    def __init__(self, least: float = 0.5, most: float = 30.0) -> None:
        self._least = least
        self._most = most
        self._next = least

    def next(self) -> float:
        """Seconds to wait before the next attempt."""
        wait, self._next = self._next, min(self._next * 2, self._most)
        return wait

    def reset(self) -> None:
        self._next = self._least
