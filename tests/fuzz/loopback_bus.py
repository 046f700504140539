"""A connection to a broker in memory, with a counter that answers questions and cameras that send pictures."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from paho.mqtt.client import topic_matches_sub

from bus import Answer, Bus, Frame, Message, Question, topics
from bus.settings import BusSettings
from tests.support import samples

FRAME = samples.frame()


class LoopbackBus(Bus):
    """A bus whose messages arrive at its own subscriptions at once."""

    def __init__(self, settings: BusSettings, answer: Callable[[Question], dict[str, Any]]) -> None:
        """`answer` returns the fields of the answer to a question."""
        self._answer = answer
        self._handlers: list[tuple[str, type[Message], Callable[[Any], object], Callable[[str], object]]] = []
        super().__init__(settings)
        self.connected, self.connection = True, 1

    def settle(self) -> None:
        """Tells that all retained messages have arrived."""
        for handler in self._on_settled:
            handler()
        self.settled = True

    def subscribe(
        self, topic: str, kind: Any, handler: Any, share: Any = None, on_cleared: Any = str, on_invalid: Any = str
    ) -> None:
        """Takes a handler."""
        self._handlers.append((topic, kind, handler, on_cleared))

    def unsubscribe(self, topic: str) -> None:
        """Forgets the handlers."""
        self._handlers = [one for one in self._handlers if one[0] != topic]

    def publish(self, message: Message, on_acknowledged: Any = None) -> bool:
        """Delivers a message as it arrives over a broker."""
        payload = message.pack()
        for topic, kind, handler, _ in list(self._handlers):
            if topic_matches_sub(topic, message.topic):
                handler(kind.from_topic(message.topic, payload))
        if isinstance(message, Question):
            self.publish(Answer(message.asker, message.id, **self._answer(message)))
        return True

    def progressed(self) -> None:
        """Delivers a picture of each camera whose frames somebody wants."""
        for camera in {topics.frame.name_in(topic) for topic, kind, *_ in self._handlers if kind is Frame}:
            frame = replace(FRAME, camera=camera, captured_at=round(time.time(), 3))
            self.publish(frame)
            self.publish(replace(samples.prediction(captured_at=frame.captured_at, camera=camera), sequence=frame.sequence))

    def clear(self, topic: str, on_acknowledged: Any = None) -> bool:
        """Delivers the end of a retained message."""
        for own, _, _, on_cleared in list(self._handlers):
            if topic_matches_sub(own, topic):
                on_cleared(topic)
        return True
