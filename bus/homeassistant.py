"""The messages of MQTT discovery, by which Home Assistant learns of devices. Their form is Home Assistant's.

https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery
"""

from typing import Any, Literal

from pydantic import ValidationError
from pydantic.dataclasses import dataclass
from typing_extensions import Self

from bus import topics
from bus.fields import Name
from bus.message import JsonMessage, Message
from runtime.errors import InvalidMessage


@dataclass(frozen=True, slots=True)
class Discovery(JsonMessage):
    """A device and its entities. `config` is the whole payload, without a version; `device` is in the topic only."""

    TOPIC = topics.discovery
    LIMIT = 1024 * 1024

    device: Name
    config: dict[str, Any]

    def pack(self) -> bytes:
        """Returns the payload. Raises `InvalidMessage` if it exceeds the limit."""
        return self._check_size(self._encode(self.config))

    @classmethod
    def from_topic(cls, topic: str, payload: bytes | bytearray) -> Self:
        """Returns the message with this payload. Raises `InvalidMessage`."""
        try:
            return cls(**cls.TOPIC.fields_in(topic), config=cls._decode_map(payload))
        except ValidationError:
            raise InvalidMessage(f"{cls.__name__}: its topic has an invalid name") from None


@dataclass(frozen=True, slots=True)
class HomeAssistantStatus(Message):
    """Home Assistant has started, or has stopped. The payload is the `state` as plain text; users can have it retained."""

    TOPIC = topics.homeassistant
    LIMIT = 1024
    QOS = 0
    RETAINED = True

    state: Literal["online", "offline"]

    def pack(self) -> bytes:
        """Returns the payload."""
        return self.state.encode()

    @classmethod
    def from_topic(cls, topic: str, payload: bytes | bytearray) -> Self:
        """Returns the message with this payload. Raises `InvalidMessage`."""
        try:
            return cls(state=cls._check_size(bytes(payload)).decode(), **cls.TOPIC.fields_in(topic))  # type: ignore[arg-type]
        except ValueError:
            raise InvalidMessage(f"{cls.__name__}: must be online or offline") from None
