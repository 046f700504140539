"""The base classes of all messages: packing, validation, size limits and delivery options.

A message is a map with a version ``v``, as msgpack for machines or as JSON for people and other programs. Unknown keys are
ignored, so that newer senders can add keys. Any other mismatch raises `InvalidMessage` here, at the boundary; the rest of the
code trusts the data.
"""

import json
from dataclasses import fields
from functools import cache
from typing import Any, ClassVar

import msgpack
from pydantic import TypeAdapter, ValidationError
from typing_extensions import Self

from bus.decoding import decode_json, decode_msgpack
from bus.topics import Topic
from runtime.errors import InvalidMessage
from runtime.explanation import first_problem

VERSION = 1


class Message:
    """Base class of all messages."""

    __slots__ = ()
    TOPIC: ClassVar[Topic]
    LIMIT: ClassVar[int] = 64 * 1024
    """The maximum size of a payload in bytes."""
    QOS: ClassVar[int] = 1
    RETAINED: ClassVar[bool] = False
    """Whether messages are published as retained. If not, a retained message is refused."""
    SAVED_LATE: ClassVar[bool] = False
    """Whether the broker saves many of them together, instead of each at once. The last ones are repeated at each connection."""

    @property
    def topic(self) -> str:
        """The topic of this message."""
        return self.TOPIC.of(self)

    def pack(self) -> bytes:
        """Returns the payload. Raises `InvalidMessage` if it exceeds the limit."""
        return self._check_size(self._encode({"v": VERSION} | _as_map(self)))

    @classmethod
    def unpack(cls, payload: bytes | bytearray) -> Self:
        """Returns the message in a payload. Raises `InvalidMessage`, which names an invalid field."""
        return cls._validate(cls._decode_map(payload))

    @classmethod
    def from_topic(cls, topic: str, payload: bytes | bytearray) -> Self:
        """Returns the message in a payload. Raises `InvalidMessage`, also if its fields do not match the topic."""
        message = cls.unpack(payload)
        if message.topic != topic:
            raise InvalidMessage(f"{cls.__name__}: payload belongs to another topic, {message.topic}")
        return message

    @classmethod
    def _decode_map(cls, payload: bytes | bytearray) -> dict[Any, Any]:
        document = cls._decode(cls._check_size(bytes(payload)))
        if not isinstance(document, dict):
            raise InvalidMessage(f"{cls.__name__}: must be a map, not {type(document).__name__}")
        return document

    @classmethod
    def _validate(cls, document: dict[Any, Any]) -> Self:
        version = document.get("v")
        if type(version) is not int or version != VERSION:
            given = f"{version!r:.20}" if isinstance(version, str | int | float | None) else type(version).__name__
            raise InvalidMessage(f"{cls.__name__}: v: must be version {VERSION}, not {given}")
        try:
            message: Self = _adapter(cls).validate_python(document)  # type: ignore[arg-type]  # a class is hashable
        except ValidationError as error:
            raise InvalidMessage(f"{cls.__name__}: {first_problem(cls, error, 'message')}") from None
        return message

    @classmethod
    def _check_size(cls, payload: bytes) -> bytes:
        if len(payload) > cls.LIMIT:
            raise InvalidMessage(f"{cls.__name__}: {len(payload)} bytes; at most {cls.LIMIT} are allowed")
        return payload

    @staticmethod
    def _encode(document: dict[str, Any]) -> bytes:
        packed: bytes = msgpack.packb(document, default=_as_map)
        return packed

    @classmethod
    def _decode(cls, payload: bytes) -> Any:
        try:
            return decode_msgpack(payload)
        except ValueError as error:
            raise InvalidMessage(f"{cls.__name__}: not msgpack: {error!s:.80}") from None


class JsonMessage(Message):
    """A JSON message for people and other programs, retained by default."""

    __slots__ = ()
    QOS = 0
    RETAINED = True

    @staticmethod
    def _encode(document: dict[str, Any]) -> bytes:
        return json.dumps(document, ensure_ascii=False, default=_as_map).encode()

    @classmethod
    def _decode(cls, payload: bytes) -> Any:
        try:
            return decode_json(payload)
        except ValueError as error:
            raise InvalidMessage(f"{cls.__name__}: not JSON: {error!s:.80}") from None


def plural(kind: type[Message]) -> str:
    """Returns the name of a kind of message in metrics, such as ``frames``."""
    name = kind.__name__.lower()
    return name if name.endswith("s") else f"{name}s"


def camera_label(message: Message) -> dict[str, Any]:
    """Returns the label of a message in metrics: its camera, if it has one."""
    camera = getattr(message, "camera", None)
    return {"camera": camera} if isinstance(camera, str) else {}


def _as_map(message: Any) -> dict[str, Any]:
    names = getattr(message, "WIRE_NAMES", {})  # of fields whose name in messages is a Python keyword
    return {names.get(field.name, field.name): getattr(message, field.name) for field in fields(message)}


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
