"""The messages of the suite, field by field: the contract between its modules and with other programs."""

from typing import Annotated, Literal, NamedTuple

from pydantic import ConfigDict, Field, Strict
from pydantic.dataclasses import dataclass
from typing_extensions import Self

from bus import topics
from bus.message import VERSION, JsonMessage, Message
from runtime.explanation import DAY_PATTERN, HOUR_PATTERN, NAME_PATTERN, TEXT_PATTERN

Name = Annotated[str, Strict(), Field(pattern=NAME_PATTERN)]
Text = Annotated[str, Strict(), Field(min_length=1, max_length=256, pattern=TEXT_PATTERN)]
Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
Seconds = Annotated[float, Strict(), Field(gt=0, lt=1e11, allow_inf_nan=False)]
"""Unix time in seconds, up to the year 5138, which every calendar supports."""
Elapsed = Annotated[float, Strict(), Field(ge=0, lt=1e11, allow_inf_nan=False)]
"""Seconds that have passed."""
Share = Annotated[float, Strict(), Field(ge=0, le=1, allow_inf_nan=False)]
"""A probability, or a part of the picture's width or height."""
Count = Annotated[int, Strict(), Field(ge=0, lt=2**63)]
Side = Annotated[int, Strict(), Field(ge=1, le=65535)]
Day = Annotated[str, Strict(), Field(pattern=DAY_PATTERN)]
"""A day in the site's time zone."""
Totals = dict[Text, Count]
"""Visits begun, by label."""
Hour = Annotated[str, Field(pattern=HOUR_PATTERN)]
"""An hour in the site's time zone: ``"09"``."""
ByHour = dict[Text, dict[Hour, Count]]
"""Visits begun, by label and hour: ``["woman"]["09"]``."""
Counted = dict[Hour, Share | None]
"""By hour, the part of it in which the camera was counting (0..1); None where it was not, so that there is no data."""
Flag = Annotated[bool, Strict()]

UNKNOWN_IGNORED = ConfigDict(extra="ignore")


class Box(NamedTuple):
    """A bounding box: left, top, width and height as parts of the picture's width and height, 0..1."""

    x: Share
    y: Share
    w: Share
    h: Share


@dataclass(frozen=True, slots=True, config=UNKNOWN_IGNORED)
class Label:
    """One label of a prediction; `box` is None where the model does not locate it in the picture."""

    name: Text
    probability: Share
    box: Box | None = None


@dataclass(frozen=True, slots=True, config=UNKNOWN_IGNORED)
class Frame(Message):
    """One picture of a camera.

    `session` is new at each start of the capture process, `sequence` counts what it has published, from 0. `captured_at` is what
    the wall clock said; `session_time` are the seconds since the session's first picture by a clock that nobody sets.
    `demo` when the picture was drawn.
    """

    LIMIT = 2 * 1024 * 1024
    QOS = 0

    camera: Name
    session: Text
    sequence: Count
    session_time: Elapsed
    captured_at: Seconds
    width: Side
    height: Side
    jpeg: Annotated[bytes, Strict(), Field(min_length=1)]
    demo: Flag = False

    @property
    def topic(self) -> str:
        return topics.frame(self.camera)


@dataclass(frozen=True, slots=True, config=UNKNOWN_IGNORED)
class Prediction(Message):
    """The model's output for one frame, with that frame's session, sequence and times; `labels` come highest first.

    `model` is its name and the start of its SHA-256. `demo` when the frame was drawn, or the model knows only drawn figures: then
    no visitor is real.
    """

    camera: Name
    session: Text
    sequence: Count
    session_time: Elapsed
    captured_at: Seconds
    classified_at: Seconds
    inference_ms: Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)]
    model: Text
    labels: tuple[Label, ...]
    demo: Flag = False

    @property
    def topic(self) -> str:
        return topics.prediction(self.camera)

    @property
    def best(self) -> Label | None:
        """The label of highest probability; None where a detector found nothing."""
        return max(self.labels, key=lambda label: label.probability, default=None)


@dataclass(frozen=True, slots=True, config=UNKNOWN_IGNORED)
class Visit(JsonMessage):
    """One visitor's stay, published when it is over; `peak` is the highest probability among its `frames` predictions.

    `demo` for the demo's drawn visitors. A visit that is published again with the same `id` and other times replaces the earlier
    one: the clock was wrong when it was counted.
    """

    QOS = 1
    RETAINED = False

    id: Text
    camera: Name
    label: Text
    started_at: Seconds
    ended_at: Seconds
    peak: Share
    frames: Count
    demo: Flag = False

    @property
    def topic(self) -> str:
        return topics.visit(self.camera)


@dataclass(frozen=True, slots=True, config=UNKNOWN_IGNORED)
class Summary(JsonMessage):
    """The visits begun at a camera in one hour of the site, by label, published when the hour is over.

    `day` and `hour` (``"09"``) are the site's own, `began_at` and `ended_at` Unix seconds.
    """

    QOS = 1
    RETAINED = False

    id: Text
    camera: Name
    day: Day
    hour: Hour
    began_at: Seconds
    ended_at: Seconds
    visits: Totals
    demo: Flag = False

    @property
    def topic(self) -> str:
        return topics.summary(self.camera)


@dataclass(frozen=True, slots=True, config=UNKNOWN_IGNORED)
class Pixels(Message):
    """The 8x8 matrix: 64 times red, green, blue, row by row from the top left; `label` is empty when it is dark."""

    QOS = 0
    RETAINED = True

    name: Name
    label: Annotated[str, Strict(), Field(max_length=256)]
    rgb: Annotated[bytes, Strict(), Field(min_length=192, max_length=192)]

    @property
    def topic(self) -> str:
        return topics.pixels(self.name)


@dataclass(frozen=True, slots=True, config=UNKNOWN_IGNORED)
class CurrentLabel(JsonMessage):
    """Who is there now; label, probability and since are None when nobody is.

    `at` is the time of the frame that changed the label; None when the counter no longer knows, as when it stops.
    """

    camera: Name
    label: Text | None
    probability: Share | None
    since: Seconds | None
    at: Seconds | None = None
    demo: Flag = False

    @property
    def topic(self) -> str:
        return topics.label(self.camera)


@dataclass(frozen=True, slots=True, config=UNKNOWN_IGNORED)
class DayCounts(JsonMessage):
    """Visits begun on one day, by label and hour: `visits["woman"]["09"]`; day and hours are in the site's time zone.

    `counted` distinguishes hours without data from hours without visitors. `demo` when the visits are the demo's, which count
    only on a day on which the camera did not count with another model.
    """

    LIMIT = 1024 * 1024

    camera: Name
    day: Day
    totals: Totals
    visits: ByHour
    counted: Counted = Field(default_factory=dict)
    demo: Flag = False

    @property
    def topic(self) -> str:
        return topics.counts(self.camera)


class Request(JsonMessage):
    """A request, maybe typed by hand: the version may be left out, and the topic says whom it is for.

    A retained one is refused: it would be executed again at each start.
    """

    __slots__ = ()
    LIMIT = 1024
    RETAINED = False

    @classmethod
    def received(cls, topic: str, payload: bytes | bytearray) -> Self:
        """The request in a payload. Raises `InvalidMessage`."""
        return cls._of({"v": VERSION} | cls._document(payload) | cls._fields_in(topic))

    @classmethod
    def _fields_in(cls, topic: str) -> dict[str, str]:  # noqa: ARG003
        """The fields that the topic contains; none, if it is not overridden."""
        return {}


@dataclass(frozen=True, slots=True, config=UNKNOWN_IGNORED)
class Command(Request):
    """An order to a camera."""

    QOS = 1

    camera: Name
    do: Literal["pause", "resume", "snapshot"]

    @property
    def topic(self) -> str:
        return topics.command(self.camera)

    @classmethod
    def _fields_in(cls, topic: str) -> dict[str, str]:
        return {"camera": topics.second_level(topic)}


@dataclass(frozen=True, slots=True, config=UNKNOWN_IGNORED)
class WantedModel(Request):
    """The model that the classifiers shall serve: the `url` of an export's zip and its `sha256`.

    With neither, a download in progress is cancelled. With `rollback`, the previous model is served again.
    """

    LIMIT = 8 * 1024
    QOS = 1

    url: Annotated[str, Strict(), Field(min_length=1, max_length=4096)] | None = None
    sha256: Annotated[str, Strict(), Field(max_length=128)] | None = None
    rollback: Flag = False

    @property
    def topic(self) -> str:
        return topics.wanted_model()


@dataclass(frozen=True, slots=True, config=UNKNOWN_IGNORED)
class ModelUpdate:
    """The outcome of the last `WantedModel`; `url` has only scheme, host and port. `previous` names the model before."""

    state: Literal["none", "downloading", "waiting", "trying", "serving", "refused", "failed", "rolled-back"]
    url: Annotated[str, Strict(), Field(max_length=1024)] | None = None
    sha256: Annotated[str, Strict(), Field(max_length=128)] | None = None
    detail: Annotated[str, Strict(), Field(max_length=1024)] = ""
    previous: Text | None = None


@dataclass(frozen=True, slots=True, config=UNKNOWN_IGNORED)
class About:
    """What a module works on; each module fills in its own fields.

    - Capture: its `camera`.
    - Classifier: `model` (name and start of its SHA-256), its `labels`, the `runtime` that runs it, and the outcome of a model
      `update`.
    - Counter: the cameras whose recording, played once, `ended` and is counted completely.
    """

    camera: Name | None = None
    model: Text | None = None
    labels: tuple[Text, ...] = ()
    runtime: Text | None = None
    update: ModelUpdate | None = None
    ended: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True, config=UNKNOWN_IGNORED)
class Status(JsonMessage):
    """A module's state (one of `bus.states`), since when and why; `metrics` by name (see `bus.metric_names`).

    `rates` has each counter's growth a second since the last report. `since` and `at`, the time of the report, are None in the
    module's last will, which the broker publishes.
    """

    module: Name
    state: Text
    since: Seconds | None = None
    at: Seconds | None = None
    detail: Annotated[str, Strict(), Field(max_length=1024)] = ""
    about: About = Field(default_factory=About)
    metrics: dict[str, Number] = Field(default_factory=dict)
    rates: dict[str, Number] = Field(default_factory=dict)

    @property
    def topic(self) -> str:
        return topics.status(self.module)
