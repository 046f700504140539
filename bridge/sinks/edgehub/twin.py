"""The module twin: what its desired properties mean; what is reported: policy, model, and the state of each module."""

import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict, ValidationError
from pydantic.alias_generators import to_camel

from bridge.policy import Forward, Policy
from bus import InvalidMessage, Status, WantedModel
from bus.messages import Fraction, Text
from runtime.address import public_address
from runtime.explanation import explain

MODEL = ("modelUrl", "modelSha256")
MAX_MODULES = 24
MAX_METRICS = 24
MAX_TEXT = 256
"""Characters of one text."""
MAX_ABOUT = 64
"""Characters of a state, a camera or a model."""
MAX_LABELS = 20
METRIC = r"[A-Za-z0-9_]{1,64}"
LARGEST = 2**52
"""A twin's whole numbers are smaller."""


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
    min_probability: Fraction | None = None
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


def describe_policy(policy: Policy) -> dict[str, Any]:
    """The policy by the names of the desired properties."""
    labels = [label[:MAX_TEXT] for label in policy.labels[:MAX_LABELS]]
    return {to_camel(name): value for name, value in asdict(policy).items()} | {"labels": labels}


def describe_model(classifier: Status | None, is_wanted: bool) -> dict[str, Any]:
    """What became of the wanted model, as the classifier says; of its address scheme, host and port only."""
    update = classifier.about.update if classifier else None
    if update is None:
        return {"state": "waiting", "detail": "the classifier has not answered"} if is_wanted else {}
    return {
        "state": update.state,
        "url": update.url and public_address(update.url)[:MAX_TEXT],
        "sha256": update.sha256,
        "detail": update.detail[:MAX_TEXT],
        "previous": update.previous,
    }


def describe_modules(statuses: Mapping[str, Status]) -> dict[str, Any]:
    """The state of each module by name, with its metrics."""
    modules: dict[str, dict[str, Any]] = {}
    for name, status in sorted(statuses.items())[:MAX_MODULES]:
        about = {"camera": status.about.camera, "model": status.about.model}
        modules[name] = {
            "state": status.state[:MAX_ABOUT],
            "detail": status.detail[:MAX_TEXT],
            "since": status.since,
            **{key: value[:MAX_ABOUT] for key, value in about.items() if value is not None},
            "metrics": _metrics(status.metrics),
        }
    return modules


def _metrics(metrics: Mapping[str, float]) -> dict[str, float]:
    """Those that a twin accepts: not too large, under names without dots, dollars and blanks."""
    accepted = {name: value for name, value in metrics.items() if re.fullmatch(METRIC, name) and abs(value) < LARGEST}
    return dict(sorted(accepted.items())[:MAX_METRICS])


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
