"""Plain-language explanations of pydantic's errors: what is allowed, according to the JSON schema of the type."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from runtime.logs import one_line

NAME_PATTERN = r"^[a-z0-9_-]{1,64}$"
"""The names of cameras, displays and modules."""
TEXT_PATTERN = r"^[^\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+$"
"""Labels, without control characters and characters that change the direction of text."""
DAY_PATTERN = r"^\d{4}-\d{2}-\d{2}$"
HOUR_PATTERN = r"^[0-2]\d$"

_PATTERNS = {
    NAME_PATTERN: "must have 1 to 64 characters: lower-case letters, digits, - and _",
    TEXT_PATTERN: "must be text of 1 to 256 characters, without control characters",
    DAY_PATTERN: "must be a day such as 2026-11-23",
    HOUR_PATTERN: "must be an hour from 00 to 23",
}
_KINDS = {"boolean": "must be true or false", "object": "must be a map", "null": "must be omitted"}
_ERRORS = {
    "missing": "is missing",
    "missing_argument": "is missing",
    "extra_forbidden": "is unknown",
    "unexpected_positional_argument": "is unexpected",
    "invalid_key": "must be text",
}
"""Messages for errors that do not concern a value."""

Schema = dict[str, Any]


def first_problem(kind: Any, error: ValidationError, whole: str) -> str:
    """Returns one line for the first error: its location (`whole` for the whole value) and what is allowed there."""
    detail = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in detail["loc"] if part != "[key]")
    return f"{one_line(place or whole):.80}: {explain(kind, detail)}"


def explain(kind: Any, detail: Any) -> str:
    """Returns what is allowed in place of an invalid value, for one of pydantic's error details about the type `kind`."""
    if detail["type"] in ("value_error", "assertion_error"):
        return str(detail["ctx"]["error"])
    if detail["type"] in _ERRORS:
        return _ERRORS[detail["type"]]
    whole = _schema(kind)
    return allowed(_subschema(whole, whole, detail["loc"]))


def allowed(schema: Schema) -> str:
    """Returns what a JSON schema allows. A declaration can set the text: ``json_schema_extra={"allowed": "must be ..."}``."""
    if "allowed" in schema:
        return str(schema["allowed"])
    if "enum" in schema or "const" in schema:
        return f"must be {_join_with_or(schema.get('enum') or [schema['const']])}"
    kind = schema.get("type")
    if kind in ("integer", "number"):
        return _allowed_number(schema, is_whole=kind == "integer")
    if kind == "string":
        return _allowed_text(schema)
    if kind == "array":
        return _allowed_list(schema)
    return _KINDS.get(str(kind), "is not allowed here")


@cache
def _schema(kind: Any) -> Schema:
    is_model = isinstance(kind, type) and issubclass(kind, BaseModel)
    schema: Schema = kind.model_json_schema() if is_model else TypeAdapter(kind).json_schema()
    return schema


def _subschema(whole: Schema, schema: Schema, place: Sequence[int | str]) -> Schema:
    """Returns the part of a schema for a location inside a value. Follows references, and unwraps optional types."""
    if "$ref" in schema:
        return _subschema(whole, whole["$defs"][schema["$ref"].rpartition("/")[2]], place)
    if "anyOf" in schema:
        return _subschema(whole, next((one for one in schema["anyOf"] if one.get("type") != "null"), {}), place)
    if not place:
        return schema
    first, *rest = place
    if rest == ["[key]"]:
        names = schema.get("propertyNames", {})
        return {"type": "string", **names, "pattern": next(iter(schema.get("patternProperties", {})), names.get("pattern", ""))}
    if isinstance(first, int):
        inner = dict(enumerate(schema.get("prefixItems", []))).get(first, schema.get("items", {}))
    else:
        values = next(iter(schema.get("patternProperties", {}).values()), schema.get("additionalProperties", {}))
        inner = schema.get("properties", {}).get(first, values)
    return _subschema(whole, inner if isinstance(inner, dict) else {}, rest)


def _allowed_number(schema: Schema, is_whole: bool) -> str:
    least, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    most, below = schema.get("maximum"), schema.get("exclusiveMaximum")
    if is_whole:  # above 0 means at least 1
        least = above + 1 if above is not None else least
        most = below - 1 if below is not None else most
        above = below = None
    kind = "a whole number" if is_whole else "a number"
    if least is not None and most is not None:
        return f"must be {kind} from {_format_number(least)} to {_format_number(most)}"
    bounds = [("of at least", least), ("above", above), ("at most", most), ("below", below)]
    words = " and ".join(f"{word} {_format_number(bound)}" for word, bound in bounds if bound is not None)
    return f"must be {kind} {words}".rstrip()


def _format_number(number: float) -> str:
    return str(int(number)) if number == int(number) else str(number)


def _allowed_text(schema: Schema) -> str:
    if pattern := schema.get("pattern"):
        return _PATTERNS.get(pattern, "is not allowed here")
    if schema.get("format") == "path":
        return "must be a path"
    kind, unit = ("bytes", "bytes") if schema.get("format") == "binary" else ("text", "characters")
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    if most is not None:
        return f"must be {most} {unit}" if least == most else f"must be {kind} of {least} to {most} {unit}"
    return f"must be {kind} and must not be empty" if least else f"must be {kind}"


def _allowed_list(schema: Schema) -> str:
    least, most = schema.get("minItems"), schema.get("maxItems")
    if least is not None and least == most:
        return f"must be a list of {least}"
    bounds = " and ".join(f"{word} {bound}" for word, bound in (("at least", least), ("at most", most)) if bound is not None)
    return f"must be a list of {bounds}" if bounds else "must be a list"


def _join_with_or(values: Sequence[object]) -> str:
    *others, last = map(str, values)
    return f"{', '.join(others)} or {last}" if others else last
