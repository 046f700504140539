"""Calls that may never return, each on a thread that may be left behind."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

T = TypeVar("T")

_THREAD = "edgehub call"


class Call(Future[T]):
    """A call that has begun."""

    def __init__(self, call: Callable[[], T]) -> None:
        super().__init__()
        self._began_at = time.monotonic()
        threading.Thread(target=self._run, args=(call,), name=_THREAD, daemon=True).start()

    def _run(self, call: Callable[[], T]) -> None:
        try:
            self.set_result(call())
        except BaseException as error:
            self.set_exception(error)

    def done_within(self, seconds: float) -> bool:
        """Wait until it has returned or raised, at most so long; whether it has."""
        wait([self], seconds)
        return self.done()

    @property
    def age(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._began_at


def count_pending() -> int:
    """How many calls have not returned, those that were given up included."""
    return sum(thread.name == _THREAD for thread in threading.enumerate())


def call_with_timeout(call: Callable[[], T], seconds: float) -> T:
    """What the call returns; raises what it raises, or `TimeoutError`."""
    pending = Call(call)
    if not pending.done_within(seconds):
        raise TimeoutError(f"no answer within {seconds:g} s")
    return pending.result()
