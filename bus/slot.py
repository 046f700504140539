"""A slot for the newest value of each key, between a thread that must not block and a slower one."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class NewestSlot(Generic[Key, Value]):
    """The newest value of each key, such as a camera. Keys take turns: next is the one that was taken longest ago.

    A newer value replaces a waiting one of its key. At most `limit` keys wait at a time.
    """

    def __init__(self, limit: int = 64) -> None:
        self._limit = limit
        self._values: dict[Key, Value] = {}
        self._order: OrderedDict[Key, None] = OrderedDict()
        """The waiting keys and others that were taken lately, in the order of their turns."""
        self._changed = threading.Condition()
        self._yielding: set[Key] = set()
        """Waiting keys that let the others go first."""
        self._is_closed = False

    def put(self, key: Key, value: Value, yields: bool = False) -> bool:
        """Stores a value without blocking. Returns False if it replaced a waiting one, or if the slot is full and dropped it.

        A key that `yields` has its turn only while no other key waits.
        """
        with self._changed:
            replaced = key in self._values
            if not replaced and len(self._values) >= self._limit:
                return False
            self._values[key] = value
            (self._yielding.add if yields else self._yielding.discard)(key)
            if key not in self._order:
                self._order[key] = None
                if len(self._order) > 2 * self._limit:
                    del self._order[next(one for one in self._order if one not in self._values)]
            self._changed.notify()
            return not replaced

    def take(self, timeout: float) -> Value | None:
        """Removes and returns the value of the key whose turn it is, or returns None after `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._values or self._is_closed, timeout)
            if not self._values:
                return None
            waiting = [one for one in self._order if one in self._values]
            key = next((one for one in waiting if one not in self._yielding), waiting[0])
            self._yielding.discard(key)
            self._order.move_to_end(key)
            return self._values.pop(key)

    def close(self) -> None:
        """Ends the wait of `take`, now and from now on."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
