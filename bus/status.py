"""What each module says about itself."""

from typing import Annotated, Literal

from pydantic import Field, Strict
from pydantic.dataclasses import dataclass

from bus import states, topics
from bus.fields import Name, Number, Seconds, Text
from bus.message import JsonMessage
from bus.metric_names import MOTION


@dataclass(frozen=True, slots=True)
class ModelUpdate:
    """The outcome of the last `WantedModel`. `url` has scheme, host and port only; `previous` is the previous model."""

    state: Literal["none", "downloading", "waiting", "trying", "serving", "refused", "failed", "rolled-back"]
    url: Annotated[str, Strict(), Field(max_length=1024)] | None = None
    sha256: Annotated[str, Strict(), Field(max_length=128)] | None = None
    detail: Annotated[str, Strict(), Field(max_length=1024)] = ""
    previous: Text | None = None


@dataclass(frozen=True, slots=True)
class About:
    """Details about a module; each module sets the fields that apply to it.

    - Capture: its `camera`.
    - Classifier: `model` (name and start of its SHA-256), the `labels` that a visitor can have, the `classes` of things of which
      VISITORS or a setup choose visitors, the `runtime` that runs it, and the outcome of the last model `update`.
    - Counter: `ended`, the cameras whose recording was played once and is completely counted.
    """

    camera: Name | None = None
    model: Text | None = None
    labels: tuple[Text, ...] = ()
    runtime: Text | None = None
    update: ModelUpdate | None = None
    ended: tuple[Name, ...] = ()
    classes: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Status(JsonMessage):
    """A module's state (one of `bus.states`), its start `since`, its reason `detail`, and `metrics` (see `bus.metric_names`).

    `rates` has each counter's increase per second since the last report. `at` is the time of the report. In the last will,
    which the broker publishes, `since` and `at` are None.
    """

    TOPIC = topics.status

    module: Name
    state: Text
    since: Seconds | None = None
    at: Seconds | None = None
    detail: Annotated[str, Strict(), Field(max_length=1024)] = ""
    about: About = Field(default_factory=About)
    metrics: dict[str, Number] = Field(default_factory=dict)
    rates: dict[str, Number] = Field(default_factory=dict)

    @property
    def is_still(self) -> bool:
        """Whether it is from a camera that works, but holds frames back because nothing moves.

        It is reported when that begins and ends, and every ten seconds. Meanwhile, silence is no loss.
        """
        return self.about.camera is not None and self.state == states.RUNNING and self.metrics.get(MOTION) == 0
