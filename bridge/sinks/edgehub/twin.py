"""The module twin: what its desired properties mean, and patches of the reported ones."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict, ValidationError
from pydantic.alias_generators import to_camel

from bridge.policy import Forward, Policy
from bus import InvalidMessage, WantedModel
from bus.messages import Share, Text
from runtime.explanation import explain

MODEL = ("modelUrl", "modelSha256")


def read_version(desired: Mapping[str, Any]) -> int:
    """The version of desired properties, which grows with each change in the cloud; 0 without one."""
    version = desired.get("$version")
    return version if type(version) is int and version > 0 else 0


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class _Wanted(BaseModel):
    """The part of the desired properties that is the policy, by the names of its fields."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore")

    forward: Forward | None = None
    min_probability: Share | None = None
    labels: Annotated[tuple[Text, ...], BeforeValidator(_split), Field(max_length=1000)] | None = None
    interval_seconds: Annotated[float, Strict(), Field(ge=0, le=86400, allow_inf_nan=False)] | None = None


_NAMES = {to_camel(field): field for field in _Wanted.model_fields}


def read_policy(desired: Mapping[str, Any], default: Policy) -> tuple[Policy, dict[str, str]]:
    """The wanted policy, and by name what is refused of it; what is refused or not given is as in `default`."""
    taken: dict[str, Any] = {}
    refused: dict[str, str] = {}
    for name, field in _NAMES.items():
        if name not in desired:
            continue
        try:
            taken[field] = getattr(_Wanted.model_validate({name: desired[name]}), field)
        except ValidationError as error:
            refused[name] = f"{desired[name]!r:.60}: {explain(_Wanted, error.errors(include_url=False)[0]):.120}"
    return replace(default, **{field: value for field, value in taken.items() if value is not None}), refused


def read_model(desired: Mapping[str, Any]) -> tuple[WantedModel | None, dict[str, str]]:
    """The wanted model, or why its properties cannot be passed on; the classifier judges the rest. Values are not shown."""
    url, sha256 = (desired.get(name) for name in MODEL)
    try:
        wanted = WantedModel(url=url, sha256=sha256)
        wanted.pack()
    except ValidationError as error:
        place = error.errors(include_url=False)[0]
        name = MODEL[1] if "sha256" in place["loc"] else MODEL[0]
        return None, {name: explain(WantedModel, place)[:120]}
    except InvalidMessage as error:
        return None, {MODEL[0]: str(error)[:120]}
    return wanted, {}


def difference(before: Any, now: Mapping[str, Any]) -> dict[str, Any]:
    """The merge patch (RFC 7396) that turns `before` into `now`."""
    before = before if isinstance(before, Mapping) else {}
    patch: dict[str, Any] = {name: None for name in before if name not in now and not name.startswith("$")}
    for name, value in now.items():
        if isinstance(value, Mapping):
            inner = difference(before.get(name), value)
            if inner or not isinstance(before.get(name), Mapping):
                patch[name] = inner
        elif before.get(name) != value:  # a twin has no null: it removes the name
            patch[name] = value
    return patch
