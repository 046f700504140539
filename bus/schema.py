"""JSON Schemas of all messages, from their classes: JSON Schema draft 7, the dialect of AsyncAPI's own schemas.

A schema describes the map in a payload. It is never stricter than `Message.unpack`, and wider where JSON Schema cannot say more:
polygons may cross themselves or have no area, lines may have no length, names of places may repeat, and 1.0 is an integer. Binary
values of msgpack are strings with the format ``binary``, one character for each byte.
"""

import ast
import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import is_dataclass
from functools import cache
from textwrap import dedent
from typing import Any, get_args, get_type_hints

from pydantic import TypeAdapter

import bus
from bus import topics
from bus.message import VERSION, Message
from bus.requests import Request
from runtime.errors import InvalidSetting

Schema = dict[str, Any]
DIALECT = "http://json-schema.org/draft-07/schema#"
_VERSION_FIELD = {"const": VERSION, "description": "Version of the message."}
_NOT_OURS = (bus.Discovery, bus.HomeAssistantStatus)
_IN_SCHEMAS = {"additionalProperties", "items", "propertyNames"}
"""Keywords whose value is a schema."""


def message_kinds() -> list[type[Message]]:
    """Returns the classes of all messages that have a topic, in the order of `bus.topics`.

    Those of Home Assistant are missing: their form is not ours.
    """
    order = [topic for topic in vars(topics).values() if isinstance(topic, topics.Topic)]
    kinds = [
        kind
        for kind in vars(bus).values()
        if isinstance(kind, type) and issubclass(kind, Message) and "TOPIC" in vars(kind) and kind not in _NOT_OURS
    ]
    return sorted(kinds, key=lambda kind: order.index(kind.TOPIC))


def message_kind(name: str) -> type[Message]:
    """Returns the class of a message. Raises `InvalidSetting` for any other name."""
    kinds = {kind.__name__: kind for kind in message_kinds()}
    if name not in kinds:
        raise InvalidSetting(f"{name!r}: must be {', '.join(kinds)}")
    return kinds[name]


def parts(kinds: Iterable[type]) -> list[type]:
    """Returns these classes and those that their fields contain, each once, a container before its parts."""
    found: dict[type, None] = {}
    for kind in kinds:
        found |= dict.fromkeys([kind, *parts(_classes(get_type_hints(kind).values()))])
    return list(found)


def schema(kind: type[Message]) -> Schema:
    """Returns the schema of one message, which contains the schemas of its parts."""
    all_parts = schemas([kind], "#/definitions/")
    own = all_parts.pop(kind.__name__)
    return {"$schema": DIALECT, **own} | ({"definitions": all_parts} if all_parts else {})


def schemas(kinds: Sequence[type[Message]], reference: str) -> dict[str, Schema]:
    """Returns the schemas of messages and their parts, by the names of their classes.

    They refer to each other by `reference` and a name. A message that is also part of another one does not require its version.
    """
    adapters = [(kind.__name__, "validation", TypeAdapter[Any](kind)) for kind in kinds]
    _, generated = TypeAdapter.json_schemas(adapters, ref_template=f"{reference}{{model}}")  # type: ignore[arg-type]  # a literal
    inside = {part for kind in kinds for part in parts([kind])[1:]}
    return {
        kind.__name__: _documented(_portable(generated["$defs"][kind.__name__]), kind, kind in inside) for kind in parts(kinds)
    }


@cache
def field_docs(kind: type) -> dict[str, str]:
    """Returns the docstrings of a dataclass's fields, each as one line."""
    (tree,) = ast.parse(dedent(inspect.getsource(kind))).body
    assert isinstance(tree, ast.ClassDef)
    docs = {}
    for node, following in zip(tree.body, tree.body[1:], strict=False):
        match node, following:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                docs[name] = " ".join(text.split())
    return docs


def wire_name(kind: type, field: str) -> str:
    """Returns the name of a field in messages."""
    names: Mapping[str, str] = getattr(kind, "WIRE_NAMES", {})
    return names.get(field, field)


def _documented(generated: Schema, kind: type, is_part: bool) -> Schema:
    """Adds the titles, the descriptions and the version of a message, which a message inside another one may lack."""
    documented = {"title": kind.__name__, "description": inspect.cleandoc(kind.__doc__ or ""), **generated}
    for field, text in field_docs(kind).items():
        if "$ref" not in (one := generated["properties"][wire_name(kind, field)]):  # draft 7 ignores what is beside a reference
            one["description"] = text
    if not issubclass(kind, Message):
        return documented
    required = generated["required"] if is_part else ["v", *generated.get("required", [])]
    if issubclass(kind, Request):  # the version is optional, and the topic says who is meant
        required = [name for name in required if name != "v" and name not in kind.TOPIC.fields_in(kind.TOPIC())]
    return documented | {"properties": {"v": _VERSION_FIELD} | generated["properties"], "required": required}


def _portable(generated: Schema) -> Schema:
    """Returns a schema of pydantic in the terms of draft 7, without its titles and descriptions, and without our own keywords."""
    kept = {key: value for key, value in generated.items() if key not in ("title", "description", "allowed")}
    if "properties" in kept:
        kept["properties"] = {name: _portable(one) for name, one in kept["properties"].items()}
    if "anyOf" in kept:
        kept["anyOf"] = [_portable(one) for one in kept["anyOf"]]
    if "prefixItems" in kept:  # our tuples have one type, and a length
        first, *others = map(_portable, kept.pop("prefixItems"))
        assert all(other == first for other in others)
        kept["items"] = first
    if "patternProperties" in kept:  # refuses all other keys
        ((pattern, values),) = kept.pop("patternProperties").items()
        kept["propertyNames"] = kept.get("propertyNames", {}) | {"pattern": pattern}
        kept["additionalProperties"] = values
    for key in _IN_SCHEMAS & kept.keys():
        kept[key] = _portable(kept[key]) if isinstance(kept[key], dict) else kept[key]
    return kept


def _classes(types: Iterable[Any]) -> list[type]:
    """Returns the dataclasses and named tuples in annotations, at any depth."""
    found: list[type] = []
    for one in types:
        is_class = isinstance(one, type) and (is_dataclass(one) or hasattr(one, "_fields"))
        found += [one] if is_class else _classes(get_args(one))
    return found
