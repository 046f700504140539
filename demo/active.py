"""The items of a scene that are active at a time."""

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar


class Timed(Protocol):
    """Something with a start and an end, in seconds of a scene."""

    @property
    def start(self) -> float: ...

    @property
    def end(self) -> float: ...


Item = TypeVar("Item", bound=Timed)


class ActiveItems(Generic[Item]):
    """The items that are active at a time, out of endless items in the order of their start. The time may only move forward."""

    def __init__(self, items: Iterator[Item]) -> None:
        self._items: Iterator[Item] = items
        self._next: Item = next(items)
        self._active: list[Item] = []

    def at(self, seconds: float) -> tuple[Item, ...]:
        """Returns the items that are active at this second."""
        while self._next.start <= seconds:
            self._active.append(self._next)
            self._next = next(self._items)
        self._active = [item for item in self._active if seconds <= item.end]
        return tuple(self._active)
