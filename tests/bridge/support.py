"""Helpers for the tests of the bridge."""

from paho.mqtt import client as mqtt

from bridge import results
from bridge.results import Result
from bus import Bus, Message, Visit
from bus.outbound import OnAcknowledged
from bus.settings import BusSettings


def visit(number: int = 0, label: str = "woman") -> Visit:
    """Returns a visit of three seconds at the door. Each number is a second later."""
    return Visit(f"id-{number}", "door", label, 1000.0 + number, 1003.0 + number, 0.9, 30)


def visits(*numbers: int) -> list[Result]:
    return [results.from_visit(visit(number)) for number in numbers]


def visit_ids(*numbers: int) -> list[str]:
    """Returns the ids of `visits(*numbers)`."""
    return [visit(number).id for number in numbers]


class FakeBus(Bus):
    """A bus without a broker. It records published messages, and a test can deliver messages to its subscribers."""

    def __init__(self) -> None:
        super().__init__(BusSettings.model_validate({"MODULE_NAME": "bridge"}))
        self.connected = True
        self.published: list[Message] = []
        self.cleared: list[str] = []
        """Topics whose retained message was deleted."""

    def publish(self, message: Message, on_acknowledged: OnAcknowledged | None = None) -> bool:
        if self.connected:
            self.published.append(message)
        return self.connected

    def clear(self, topic: str, on_acknowledged: OnAcknowledged | None = None) -> bool:
        if self.connected:
            self.cleared.append(topic)
        return self.connected

    def receive(self, message: Message, is_cleared: bool = False) -> None:
        """Delivers a message, or with `is_cleared` the deletion of the retained message on its topic."""
        received = mqtt.MQTTMessage(topic=message.topic.encode())
        received.payload = b"" if is_cleared else message.pack()
        self._client._handle_on_message(received)  # type: ignore[attr-defined]
