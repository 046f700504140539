"""Retained messages that people change: published, and confirmed by the broker."""

import asyncio
import threading
from collections.abc import Callable
from typing import NamedTuple

from bus import Bus, FootfallError, Message

SAVE_TIMEOUT = 5.0
"""Seconds that the broker has to publish a change to its subscribers."""


class NotSaved(FootfallError):
    """The broker did not take a change."""


class _Pending(NamedTuple):
    """A change that the broker has not published yet. `message` is None if it deletes the one before."""

    topic: str
    message: Message | None
    loop: asyncio.AbstractEventLoop
    published: asyncio.Event


class RetainedMessages:
    """Changes the retained messages of some topics. Thread-safe."""

    def __init__(self, bus: Bus, topics: str, kind: type[Message]) -> None:
        """Subscribes to the filter `topics`, so `bus` must not be connected yet."""
        self._bus = bus
        self._lock = threading.Lock()
        self._pending: list[_Pending] = []
        bus.subscribe(
            topics,
            kind,
            lambda message: self._confirm(message.topic, message),
            on_cleared=lambda topic: self._confirm(topic, None),
        )

    def _confirm(self, topic: str, message: Message | None) -> None:
        with self._lock:
            published = [one for one in self._pending if (one.topic, one.message) == (topic, message)]
        for one in published:
            one.loop.call_soon_threadsafe(one.published.set)

    async def save(self, message: Message, hint: str = "") -> None:
        """Replaces the message of its topic. Raises `NotSaved`; `hint` says what may be wrong if the broker refuses it."""
        await self._change(message.topic, message, hint, lambda: self._bus.publish(message, on_acknowledged=int))

    async def delete(self, topic: str, hint: str = "") -> None:
        """Deletes the message of a topic. Raises `NotSaved`."""
        await self._change(topic, None, hint, lambda: self._bus.clear(topic, on_acknowledged=int))

    async def _change(self, topic: str, message: Message | None, hint: str, send: Callable[[], bool]) -> None:
        """Publishes a change, and waits until the broker publishes it: it acknowledges even what its access list denies."""
        pending = _Pending(topic, message, asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            self._pending.append(pending)
        try:
            if not send():
                raise NotSaved("no connection to the broker")
            await asyncio.wait_for(pending.published.wait(), SAVE_TIMEOUT)
        except asyncio.TimeoutError:
            raise NotSaved(f"the broker did not publish it within {SAVE_TIMEOUT:g} s{hint}") from None
        finally:
            with self._lock:
                self._pending.remove(pending)
