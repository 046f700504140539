"""Validation of payloads against the JSON Schemas of the messages, by a library that does not know the message classes."""

import json
from functools import cache
from typing import Any

import msgpack
from jsonschema import Draft7Validator

from bus import Message
from bus.message import JsonMessage
from bus.schema import message_kind, message_kinds, schema


@cache
def _validator(name: str) -> Draft7Validator:
    """Returns the validator of a message, whose schema is itself valid."""
    Draft7Validator.check_schema(schema(message_kind(name)))
    return Draft7Validator(schema(message_kind(name)))


def decode(kind: type[Message], payload: bytes) -> Any:
    """Returns the content of a payload, in which each byte of a binary value is a character."""
    return json.loads(payload) if issubclass(kind, JsonMessage) else _as_text(msgpack.unpackb(payload, strict_map_key=False))


def problems(kind: type[Message], payload: bytes) -> list[str]:
    """Returns how a payload deviates from its schema."""
    return [f"{error.json_path}: {error.message:.100}" for error in _validator(kind.__name__).iter_errors(decode(kind, payload))]


def kind_of(topic: str) -> type[Message]:
    """Returns the kind of message of a topic."""
    parts = topic.split("/")
    for kind in message_kinds():
        pattern = kind.TOPIC().split("/")
        if len(parts) == len(pattern) and all(one in ("+", part) for one, part in zip(pattern, parts, strict=True)):
            return kind
    raise LookupError(topic)


def _as_text(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, dict):
        return {_as_text(key): _as_text(one) for key, one in value.items()}
    return [_as_text(one) for one in value] if isinstance(value, list) else value
