"""The module twin: desired properties as a policy and a model, and the reported properties."""

import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict, ValidationError
from pydantic.alias_generators import to_camel

from bridge.policy import Forward, Policy
from bus import InvalidMessage, Status, WantedModel
from bus.fields import Fraction, Text
from runtime.address import public_address
from runtime.explanation import explain

MODEL_PROPERTIES = ("modelUrl", "modelSha256")
MAX_MODULES = 24
MAX_METRICS = 24
MAX_TEXT = 256
"""Maximum length of a text."""
MAX_SHORT_TEXT = 64
"""Maximum length of a state, a camera or a model."""
MAX_LABELS = 20
METRIC_NAME = r"[A-Za-z0-9_]{1,64}"
MAX_NUMBER = 2**52
"""Integers in a twin must be smaller."""


def read_version(desired: Mapping[str, Any]) -> int:
    """Returns the version of desired properties, which grows with each change in the cloud; 0 if it is missing or invalid."""
    version = desired.get("$version")
    return version if type(version) is int and version > 0 else 0


def _split_at_commas(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class _PolicyProperties(BaseModel):
    """The desired properties that form the policy."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore")

    forward: Forward | None = None
    min_probability: Fraction | None = None
    labels: Annotated[tuple[Text, ...], BeforeValidator(_split_at_commas), Field(max_length=1000)] | None = None
    interval_seconds: Annotated[float, Strict(), Field(ge=0, le=86400, allow_inf_nan=False)] | None = None


_FIELDS_BY_PROPERTY = {to_camel(field): field for field in _PolicyProperties.model_fields}


def read_policy(desired: Mapping[str, Any], default: Policy) -> tuple[Policy, dict[str, str]]:
    """Returns the wanted policy, and the reason for each refused property. Missing and refused ones are as in `default`."""
    accepted: dict[str, Any] = {}
    refused: dict[str, str] = {}
    for name, field in _FIELDS_BY_PROPERTY.items():
        if name not in desired:
            continue
        try:
            accepted[field] = getattr(_PolicyProperties.model_validate({name: desired[name]}), field)
        except ValidationError as error:
            refused[name] = f"{desired[name]!r:.60}: {explain(_PolicyProperties, error.errors(include_url=False)[0]):.120}"
    return replace(default, **{field: value for field, value in accepted.items() if value is not None}), refused


def read_model(desired: Mapping[str, Any]) -> tuple[WantedModel | None, dict[str, str]]:
    """Returns the wanted model, or None and the reason by property, without its value. The classifier checks the address."""
    url, sha256 = (desired.get(name) for name in MODEL_PROPERTIES)
    try:
        wanted = WantedModel(url=url, sha256=sha256)
        wanted.pack()
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        name = MODEL_PROPERTIES[1] if "sha256" in problem["loc"] else MODEL_PROPERTIES[0]
        return None, {name: explain(WantedModel, problem)[:120]}
    except InvalidMessage as error:
        return None, {MODEL_PROPERTIES[0]: str(error)[:120]}
    return wanted, {}


def describe_policy(policy: Policy) -> dict[str, Any]:
    """Returns the policy with the names of the desired properties."""
    labels = [label[:MAX_TEXT] for label in policy.labels[:MAX_LABELS]]
    return {to_camel(name): value for name, value in asdict(policy).items()} | {"labels": labels}


def describe_model(classifier: Status | None, is_wanted: bool) -> dict[str, Any]:
    """Returns the classifier's report on the wanted model. An address is reduced to scheme, host and port."""
    update = classifier.about.update if classifier else None
    if update is None:
        return {"state": "waiting", "detail": "no answer from the classifier yet"} if is_wanted else {}
    return {
        "state": update.state,
        "url": update.url and public_address(update.url)[:MAX_TEXT],
        "sha256": update.sha256,
        "detail": update.detail[:MAX_TEXT],
        "previous": update.previous,
    }


def describe_modules(statuses: Mapping[str, Status]) -> dict[str, Any]:
    """Returns the state and the metrics of each module, by the module's name."""
    modules: dict[str, dict[str, Any]] = {}
    for name, status in sorted(statuses.items())[:MAX_MODULES]:
        about = {"camera": status.about.camera, "model": status.about.model}
        modules[name] = {
            "state": status.state[:MAX_SHORT_TEXT],
            "detail": status.detail[:MAX_TEXT],
            "since": status.since,
            **{key: value[:MAX_SHORT_TEXT] for key, value in about.items() if value is not None},
            "metrics": _select_metrics(status.metrics),
        }
    return modules


def _select_metrics(metrics: Mapping[str, float]) -> dict[str, float]:
    """Returns the metrics that a twin accepts: a name has no dots, dollar signs or spaces, and a value is not too large."""
    accepted = {name: value for name, value in metrics.items() if re.fullmatch(METRIC_NAME, name) and abs(value) < MAX_NUMBER}
    return dict(sorted(accepted.items())[:MAX_METRICS])


def create_patch(before: Any, now: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the merge patch (RFC 7396) that turns `before` into `now`."""
    before = before if isinstance(before, Mapping) else {}
    patch: dict[str, Any] = {name: None for name in before if name not in now and not name.startswith("$")}
    for name, value in now.items():
        if isinstance(value, Mapping):
            inner = create_patch(before.get(name), value)
            if inner or not isinstance(before.get(name), Mapping):
                patch[name] = inner
        elif before.get(name) != value:  # in a twin, null and a missing property are the same
            patch[name] = value
    return patch
