"""What the tests of the bridge share."""

from paho.mqtt import client as mqtt

from bridge import results
from bridge.results import Result
from bus import Bus, Message, Visit
from bus.outbound import OnAcknowledged
from bus.settings import BusSettings


def visit(number: int = 0, label: str = "woman") -> Visit:
    """One of three seconds at the door; each number is a second later."""
    return Visit(f"id-{number}", "door", label, 1000.0 + number, 1003.0 + number, 0.9, 30)


def visits(*numbers: int) -> list[Result]:
    return [results.from_visit(visit(number)) for number in numbers]


def named(*numbers: int) -> list[str]:
    """Their ids."""
    return [visit(number).id for number in numbers]


class FakeBus(Bus):
    """Never entered: it keeps what is published, and what a test sends is handled as what the broker sends."""

    def __init__(self) -> None:
        super().__init__(BusSettings.model_validate({"MODULE_NAME": "bridge"}))
        self.is_open = True
        self.published: list[Message] = []

    def publish(self, message: Message, on_acknowledged: OnAcknowledged | None = None) -> bool:
        if self.is_open:
            self.published.append(message)
        return self.is_open

    def receive(self, message: Message, is_cleared: bool = False) -> None:
        """Or the word that the retained message was deleted."""
        received = mqtt.MQTTMessage(topic=message.topic.encode())
        received.payload = b"" if is_cleared else message.pack()
        self._client._handle_on_message(received)  # type: ignore[attr-defined]
