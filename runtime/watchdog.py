"""Former names of `runtime.heartbeat`, for modules that do not use `bus.heartbeat` yet."""

from collections.abc import Callable

from runtime.heartbeat import Calls, Heartbeat

__all__ = ["Calls", "Watchdog"]


class Watchdog(Heartbeat):
    """A heartbeat that watches one thing."""

    def __init__(self, what: str, stalled: Callable[[], float]) -> None:
        super().__init__()
        self.watch(what, stalled)
