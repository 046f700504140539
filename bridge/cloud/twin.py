"""What the cloud wants of the bridge: the desired properties of its module twin, in the order of their versions."""

from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict, ValidationError
from pydantic.alias_generators import to_camel

from bridge.policy import Forward, Policy
from bus.messages import Share, Text
from runtime.explanation import explain

VERSION = "$version"
MODEL = ("modelUrl", "modelSha256")


class Taken(Enum):
    """What became of a document or patch."""

    APPLIED = "applied"
    OLD = "old"
    GAP = "gap"
    """A patch before it has not come: the whole document is needed."""


class Twin:
    """The desired properties as they stand; `version` 0 is none yet."""

    def __init__(self, desired: Mapping[str, Any] | None = None) -> None:
        self.desired: dict[str, Any] = dict(desired or {})

    @property
    def version(self) -> int:
        """Of the desired properties; it grows by one with each change in the cloud."""
        return version_of(self.desired)

    def take_whole(self, desired: object, first: bool = False) -> Taken:
        """Regards all desired properties; `first` of a connection they count whatever their version, as of a twin made anew."""
        version = version_of(desired)
        if not isinstance(desired, dict) or not version or (version <= self.version and not first):
            return Taken.OLD
        self.desired = dict(desired)
        return Taken.APPLIED

    def take_patch(self, patch: object) -> Taken:
        """Regards a change, in which null takes a property away."""
        version = version_of(patch)
        if not isinstance(patch, dict) or version <= self.version:
            return Taken.OLD
        if version > self.version + 1:
            return Taken.GAP
        self.desired = {name: value for name, value in (self.desired | patch).items() if value is not None}
        return Taken.APPLIED


def version_of(document: object) -> int:
    """The version of desired properties or of a patch; 0 where it has none."""
    version = document.get(VERSION) if isinstance(document, Mapping) else None
    return version if type(version) is int and version > 0 else 0


def _listed(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class _Wanted(BaseModel):
    """The part of the desired properties that is the policy."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore")

    forward: Forward | None = None
    min_probability: Share | None = None
    labels: Annotated[tuple[Text, ...], BeforeValidator(_listed), Field(max_length=1000)] | None = None
    interval_seconds: Annotated[float, Strict(), Field(ge=0, le=86400, allow_inf_nan=False)] | None = None


_NAMES = {to_camel(field): field for field in _Wanted.model_fields}


def policy_of(desired: Mapping[str, Any], otherwise: Policy) -> tuple[Policy, dict[str, str]]:
    """The policy that is wanted, and by name what is refused of it; what is refused or not wanted is as in `otherwise`."""
    taken: dict[str, Any] = {}
    refused: dict[str, str] = {}
    for name, field in _NAMES.items():
        if name not in desired:
            continue
        try:
            taken[field] = getattr(_Wanted.model_validate({name: desired[name]}), field)
        except ValidationError as error:
            refused[name] = f"{desired[name]!r:.60}: {explain(_Wanted, error.errors(include_url=False)[0]):.120}"

    def value(field: str, default: Any) -> Any:
        return default if taken.get(field) is None else taken[field]

    policy = Policy(
        value("forward", otherwise.forward),
        value("min_probability", otherwise.min_probability),
        value("labels", otherwise.labels),
        value("interval_seconds", otherwise.interval),
    )
    return policy, refused
