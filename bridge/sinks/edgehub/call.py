"""Calls with a timeout, for a library whose calls can hang."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

T = TypeVar("T")

_THREAD_NAME = "edgehub call"


class Call(Future[T]):
    """A call on its own thread, which is abandoned if the call hangs."""

    def __init__(self, call: Callable[[], T]) -> None:
        super().__init__()
        self._started_at = time.monotonic()
        threading.Thread(target=self._run, args=(call,), name=_THREAD_NAME, daemon=True).start()

    def _run(self, call: Callable[[], T]) -> None:
        try:
            self.set_result(call())
        except BaseException as error:
            self.set_exception(error)

    def done_within(self, seconds: float) -> bool:
        """Waits up to `seconds` for the call to return or raise. Returns whether it has."""
        wait([self], seconds)
        return self.done()

    @property
    def age(self) -> float:
        """Seconds since the call started."""
        return time.monotonic() - self._started_at


def count_pending() -> int:
    """Returns the number of calls that have not returned, including abandoned ones."""
    return sum(thread.name == _THREAD_NAME for thread in threading.enumerate())


def call_with_timeout(call: Callable[[], T], seconds: float) -> T:
    """Returns or raises what the call does. Raises `TimeoutError` when that takes longer than `seconds`."""
    pending = Call(call)
    if not pending.done_within(seconds):
        raise TimeoutError(f"no answer within {seconds:g} s")
    return pending.result()
