"""The newest-frame slot: between a thread that must not wait and one that cannot keep up."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class NewestSlot(Generic[Key, Value]):
    """Keeps the newest value of each key (a camera, say) and returns them in turn, so that no key starves.

    A newer value replaces one that was not taken. At most `limit` keys wait at a time.
    """

    def __init__(self, limit: int = 64) -> None:
        self._limit = limit
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._changed = threading.Condition()

    def put(self, key: Key, value: Value) -> bool:
        """Never waits. False when a value was dropped: the key's older one, or this one when there are too many keys."""
        with self._changed:
            replaced = key in self._values
            if not replaced and len(self._values) >= self._limit:
                return False
            self._values[key] = value  # an old key keeps its place in the queue
            self._changed.notify()
            return not replaced

    def take(self, timeout: float) -> Value | None:
        """The newest value of the key that has waited longest, or None after `timeout` seconds without any."""
        with self._changed:
            if not self._changed.wait_for(lambda: bool(self._values), timeout):
                return None
            return self._values.popitem(last=False)[1]
