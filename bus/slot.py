"""A slot for the newest value of each key, between a thread that must not block and a slower one."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class NewestSlot(Generic[Key, Value]):
    """The newest value of each key, such as a camera. Keys take turns, so that none starves.

    A newer value replaces a waiting one of its key. At most `limit` keys wait at a time.
    """

    def __init__(self, limit: int = 64) -> None:
        self._limit = limit
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._changed = threading.Condition()
        self._is_closed = False

    def put(self, key: Key, value: Value) -> bool:
        """Stores a value without blocking. Returns False if it replaced a waiting one, or if the slot is full and dropped it."""
        with self._changed:
            replaced = key in self._values
            if not replaced and len(self._values) >= self._limit:
                return False
            self._values[key] = value  # a waiting key keeps its place in the queue
            self._changed.notify()
            return not replaced

    def take(self, timeout: float) -> Value | None:
        """Removes and returns the value of the key that has waited longest, or returns None after `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._values or self._is_closed, timeout)
            return self._values.popitem(last=False)[1] if self._values else None

    def close(self) -> None:
        """Ends the wait of `take`, now and from now on."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
