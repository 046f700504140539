"""What all messages share: packing, validation, limits and delivery.

A message is a map with a version ``v``: msgpack for machines, JSON where people and other programs read. Unknown keys are
ignored, so that a newer sender may add some. Anything else that is not as declared raises `InvalidMessage` here, at the boundary;
inside the modules the data is trusted.
"""

import json
from dataclasses import fields
from functools import cache
from typing import Any, ClassVar

import msgpack
from pydantic import TypeAdapter, ValidationError
from typing_extensions import Self

from bus.topics import Topic
from runtime.errors import InvalidMessage
from runtime.explanation import first_problem

VERSION = 1


class Message:
    """Base class of all messages."""

    __slots__ = ()
    TOPIC: ClassVar[Topic]
    LIMIT: ClassVar[int] = 64 * 1024
    """Bytes of a payload."""
    QOS: ClassVar[int] = 1
    RETAINED: ClassVar[bool] = False
    """Whether the broker keeps the newest for later subscribers; if not, a retained one is refused."""

    @property
    def topic(self) -> str:
        """The topic on which it is published."""
        return self.TOPIC.of(self)

    def pack(self) -> bytes:
        """The payload. Raises `InvalidMessage` when it is over the limit."""
        return self._limited(self._encode({"v": VERSION} | _as_map(self)))

    @classmethod
    def unpack(cls, payload: bytes | bytearray) -> Self:
        """The message in a payload. Raises `InvalidMessage` with the name of the invalid field."""
        return cls._of(cls._document(payload))

    @classmethod
    def received(cls, topic: str, payload: bytes | bytearray) -> Self:
        """The message in a payload, which must belong to its topic. Raises `InvalidMessage`."""
        message = cls.unpack(payload)
        if message.topic != topic:
            raise InvalidMessage(f"{cls.__name__}: it belongs to another topic, {message.topic}")
        return message

    @classmethod
    def _document(cls, payload: bytes | bytearray) -> dict[Any, Any]:
        document = cls._decode(cls._limited(bytes(payload)))
        if not isinstance(document, dict):
            raise InvalidMessage(f"{cls.__name__}: a map is expected, this is {type(document).__name__}")
        return document

    @classmethod
    def _of(cls, document: dict[Any, Any]) -> Self:
        version = document.get("v")
        if type(version) is not int or version != VERSION:
            raise InvalidMessage(f"{cls.__name__}: v: only version {VERSION} is understood, this is {version!r:.20}")
        try:
            message: Self = _adapter(cls).validate_python(document)  # type: ignore[arg-type]  # a class is hashable
        except ValidationError as error:
            raise InvalidMessage(f"{cls.__name__}: {first_problem(cls, error, 'message')}") from None
        return message

    @classmethod
    def _limited(cls, payload: bytes) -> bytes:
        if len(payload) > cls.LIMIT:
            raise InvalidMessage(f"{cls.__name__}: {len(payload)} bytes, at most {cls.LIMIT} are allowed")
        return payload

    @staticmethod
    def _encode(document: dict[str, Any]) -> bytes:
        packed: bytes = msgpack.packb(document, default=_as_map)
        return packed

    @classmethod
    def _decode(cls, payload: bytes) -> Any:
        try:
            return msgpack.unpackb(payload, strict_map_key=False)
        except (ValueError, TypeError) as error:  # msgpack's errors are ValueErrors; an unhashable key is a TypeError
            raise InvalidMessage(f"{cls.__name__}: no msgpack: {error!s:.80}") from None


class JsonMessage(Message):
    """A message for people and other programs, as JSON; by default retained."""

    __slots__ = ()
    QOS = 0
    RETAINED = True

    @staticmethod
    def _encode(document: dict[str, Any]) -> bytes:
        return json.dumps(document, ensure_ascii=False, default=_as_map).encode()

    @classmethod
    def _decode(cls, payload: bytes) -> Any:
        try:
            document = json.loads(payload)
            json.dumps(document, ensure_ascii=False, allow_nan=False).encode()  # refuses NaN and lone surrogates
            return document
        except (ValueError, RecursionError) as error:
            raise InvalidMessage(f"{cls.__name__}: no JSON: {error!s:.80}") from None


def plural(kind: type[Message]) -> str:
    """The name of a kind of message in metrics."""
    name = kind.__name__.lower()
    return name if name.endswith("s") else f"{name}s"


def _as_map(message: Any) -> dict[str, Any]:
    return {field.name: getattr(message, field.name) for field in fields(message)}


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
