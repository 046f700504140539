"""Alerts: their rules, which of them are raised at a camera, and the moments at which one is raised or cleared."""

from typing import Annotated, Literal, get_args

from pydantic import Field, Strict
from pydantic.dataclasses import dataclass

from bus import topics
from bus.fields import DIFFERENT_NAMES, Flag, GivenName, Items, Name, Seconds, Text
from bus.message import JsonMessage

AlertKind = Literal["inside", "people", "waiting_seconds", "lost_minutes", "uncounted_minutes"]
"""What a rule measures."""
KINDS: tuple[AlertKind, ...] = get_args(AlertKind)
ZONE_KINDS = frozenset({"people", "waiting_seconds"})
"""The kinds that measure a zone."""
MAX_RULES = 16
"""Maximum number of rules of a camera."""
Visitors = Annotated[int, Strict(), Field(ge=0, le=100_000)]
Wait = Annotated[float, Strict(), Field(gt=0, le=86400, allow_inf_nan=False)]
Minutes = Annotated[float, Strict(), Field(gt=0, le=1440, allow_inf_nan=False)]
Measured = Annotated[float, Strict(), Field(ge=0, lt=1e11, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class AlertRule:
    """A rule: an alert is raised while a measure is above its limit. Exactly one limit is given."""

    name: GivenName
    """The alert's name."""
    zone: GivenName | None = None
    """The zone that `people` and `waiting_seconds` measure."""
    inside: Visitors | None = None
    """Raised while more visitors than this are inside, by the lines."""
    people: Visitors | None = None
    """Raised while more visitors than this are in the zone."""
    waiting_seconds: Wait | None = None
    """Raised while the visitor who has been in the zone longest has been there longer than this."""
    lost_minutes: Minutes | None = None
    """Raised when no picture of the camera was counted for longer than this."""
    uncounted_minutes: Minutes | None = None
    """Raised when the place has been open for longer than this and nobody was counted."""

    def __post_init__(self) -> None:
        given = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError(f"alert {self.name!r} has {len(given)} limits; exactly one of {', '.join(KINDS)} is allowed")
        if (given[0] in ZONE_KINDS) != (self.zone is not None):
            reason = "needs a zone" if self.zone is None else f"takes no zone; {' and '.join(sorted(ZONE_KINDS))} do"
            raise ValueError(f"alert {self.name!r}: {given[0]} {reason}")

    @property
    def kind(self) -> AlertKind:
        """What the rule measures."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def limit(self) -> float:
        """The limit of the measure."""
        return float(getattr(self, self.kind))


AlertRules = Annotated[Items[AlertRule], Field(max_length=MAX_RULES), DIFFERENT_NAMES]


@dataclass(frozen=True, slots=True)
class ActiveAlert:
    """An alert that is raised."""

    rule: GivenName
    """The name of its rule."""
    kind: AlertKind
    """What the rule measures: `inside`, `people`, `waiting_seconds`, `lost_minutes` or `uncounted_minutes`."""
    zone: GivenName | None
    """The zone of the rule; null if it has none."""
    limit: Measured
    """The rule's limit."""
    value: Measured
    """The measure when the alert was raised."""
    since: Seconds
    """Since when it is raised."""


@dataclass(frozen=True, slots=True)
class Alerts(JsonMessage):
    """The alerts that are raised at a camera now, and the rules in force. Published when either changes."""

    TOPIC = topics.alerts

    camera: Name
    """The camera."""
    alerts: Items[ActiveAlert] = ()
    """The alerts, in the order in which they were raised; empty if there is none."""
    rules: AlertRules = ()
    """The rules in force: those of its setup, or else of the setting ALERTS."""
    demo: Flag = False
    """Whether the alerts are about the demo."""


@dataclass(frozen=True, slots=True)
class Alert(JsonMessage):
    """An alert was raised or cleared. Each is published once, also if the counter or the broker was away."""

    TOPIC = topics.alert
    QOS = 1
    RETAINED = False

    id: Text
    """The same at each repeat."""
    camera: Name
    """The camera."""
    alert: Text
    """The same when the alert is raised and when it is cleared."""
    active: Flag
    """True when it is raised, false when it is cleared."""
    rule: GivenName
    """The name of its rule."""
    kind: AlertKind
    """What the rule measures, as in `alerts`."""
    zone: GivenName | None
    """The zone of the rule; null if it has none."""
    limit: Measured
    """The rule's limit."""
    value: Measured
    """The measure when the alert was raised."""
    since: Seconds
    """When it was raised."""
    at: Seconds
    """When this happened."""
    demo: Flag = False
    """Whether it is about the demo."""
