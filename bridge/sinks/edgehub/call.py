"""Calls that may never return, made in threads that may be left behind."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

_stuck: set[threading.Thread] = set()


def count_stuck() -> int:
    """How many calls that were given up have not returned since."""
    for thread in [thread for thread in _stuck if not thread.is_alive()]:
        _stuck.discard(thread)
    return len(_stuck)


class Call(Generic[T]):
    """A call that goes on by itself."""

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self._returned: list[T] = []
        self._raised: list[BaseException] = []
        self._began_at = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="call", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._returned.append(self._call())
        except BaseException as error:
            self._raised.append(error)

    @property
    def is_over(self) -> bool:
        """Whether it has returned or raised."""
        return not self._thread.is_alive()

    def is_over_in(self, seconds: float) -> bool:
        """Whether it is, once it is or so much time has passed."""
        self._thread.join(seconds)
        return self.is_over

    @property
    def age(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._began_at

    def give_up(self) -> None:
        """Waits no more for it; it counts among those that are stuck."""
        _stuck.add(self._thread)

    def result(self, seconds: float) -> T:
        """What it returns; raises what it raises, or `TimeoutError` when it has not by then, and gives it up."""
        self._thread.join(seconds)
        if self._thread.is_alive():
            self.give_up()
            raise TimeoutError(f"no answer within {seconds:g} s")
        if self._raised:
            raise self._raised[0]
        return self._returned[0]


def call_with_timeout(call: Callable[[], T], seconds: float) -> T:
    """What the call returns; raises what it raises, or `TimeoutError`."""
    return Call(call).result(seconds)
