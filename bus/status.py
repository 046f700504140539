"""What each module says about itself."""

from typing import Annotated, Literal

from pydantic import Field, Strict
from pydantic.dataclasses import dataclass

from bus import states, topics
from bus.fields import Items, Map, Name, Number, Seconds, Text
from bus.message import JsonMessage
from bus.metric_names import MOTION


@dataclass(frozen=True, slots=True)
class ModelUpdate:
    """The outcome of the last wanted model."""

    state: Literal["none", "downloading", "waiting", "trying", "serving", "refused", "failed", "rolled-back"]
    """The state of the update."""
    url: Annotated[str, Strict(), Field(max_length=1024)] | None = None
    """Scheme, host and port of the address."""
    sha256: Annotated[str, Strict(), Field(max_length=128)] | None = None
    """The SHA-256 that was requested."""
    detail: Annotated[str, Strict(), Field(max_length=1024)] = ""
    """The reason, for people."""
    previous: Text | None = None
    """The previous model."""


@dataclass(frozen=True, slots=True)
class About:
    """Details about a module; each module sets the fields that apply to it."""

    camera: Name | None = None
    """Of capture: its camera."""
    model: Text | None = None
    """Of a classifier: the model's name and the start of its SHA-256."""
    labels: Items[Text] = ()
    """Of a classifier: the labels that a visitor can have."""
    runtime: Text | None = None
    """Of a classifier: what runs the model."""
    update: ModelUpdate | None = None
    """Of a classifier: the outcome of the last wanted model."""
    ended: Items[Name] = ()
    """Of the counter: the cameras whose recording was played once and is completely counted."""
    classes: Items[Text] = ()
    """Of a classifier: the classes of things of which VISITORS or a setup choose visitors."""


@dataclass(frozen=True, slots=True)
class Status(JsonMessage):
    """A module's state, its details, and its metrics. The broker publishes its last will, with the state "offline"."""

    TOPIC = topics.status

    module: Name
    """The program's name."""
    state: Text
    """Its state."""
    since: Seconds | None = None
    """Since when it has this state; null in the last will."""
    at: Seconds | None = None
    """Time of the report; null in the last will."""
    detail: Annotated[str, Strict(), Field(max_length=1024)] = ""
    """The reason, for people."""
    about: About = Field(default_factory=About)
    """Details that depend on the program."""
    metrics: Map[str, Number] = Field(default_factory=dict)
    """Metrics by name."""
    rates: Map[str, Number] = Field(default_factory=dict)
    """Growth of each counter a second since the last report."""
    instance: Text | None = None
    """The process: a random text, new at each start."""

    @property
    def is_still(self) -> bool:
        """Whether it is from a camera that works, but holds frames back because nothing moves.

        It is reported when that begins and ends, and every ten seconds. Meanwhile, silence is no loss.
        """
        return self.about.camera is not None and self.state == states.RUNNING and self.metrics.get(MOTION) == 0
