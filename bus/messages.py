"""The messages of the suite, field by field: the contract between its modules and with other programs."""

from typing import Annotated, Literal, NamedTuple

from pydantic import Field, Strict
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
Identity = Annotated[str, Strict(), Field(max_length=64)]
Zone = Annotated[str, Strict(), Field(pattern=r"^[A-Za-z][A-Za-z0-9_+/-]{0,63}$")]


class Box(NamedTuple):
    """A bounding box: left, top, width and height as parts of the picture's width and height, 0..1."""

    x: Share
    y: Share
    w: Share
    h: Share


@dataclass(frozen=True, slots=True)
class Label:
    """One label of a prediction; `box` is None where the model does not locate it in the picture."""

    name: Text
    probability: Share
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Frame(Message):
    """One picture of a camera.

    `session` is new at each start of the capture process, `sequence` counts what it has published, from 0. `captured_at` is what
    the wall clock said; `session_time` are the seconds since the session's first picture by a clock that nobody sets.
    `demo` when the picture was drawn.
    """

    TOPIC = topics.frame
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


@dataclass(frozen=True, slots=True)
class Prediction(Message):
    """The model's output for one frame, with that frame's session, sequence and times; `labels` come highest first.

    `model` is its name and the start of its SHA-256. `demo` when the frame was drawn, or the model knows only drawn figures: then
    no visitor is real.
    """

    TOPIC = topics.prediction

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
    def best(self) -> Label | None:
        """The label of highest probability; None where a detector found nothing."""
        return max(self.labels, key=lambda label: label.probability, default=None)


@dataclass(frozen=True, slots=True)
class Visit(JsonMessage):
    """One visitor's stay, published when it is over; `peak` is the highest probability among its `frames` predictions.

    `demo` for the demo's drawn visitors. A visit that is published again with the same `id` and other times replaces the earlier
    one: the clock was wrong when it was counted.
    """

    TOPIC = topics.visit
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


@dataclass(frozen=True, slots=True)
class Summary(JsonMessage):
    """The visits begun at a camera in one hour of the site, by label, published when the hour is over.

    `day` and `hour` (``"09"``) are the site's own, `began_at` and `ended_at` Unix seconds.
    """

    TOPIC = topics.summary
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


@dataclass(frozen=True, slots=True)
class Pixels(Message):
    """The 8x8 matrix: 64 times red, green, blue, row by row from the top left; `label` is empty when it is dark."""

    TOPIC = topics.pixels
    QOS = 0
    RETAINED = True

    name: Name
    label: Annotated[str, Strict(), Field(max_length=256)]
    rgb: Annotated[bytes, Strict(), Field(min_length=192, max_length=192)]


@dataclass(frozen=True, slots=True)
class CurrentLabel(JsonMessage):
    """Who is there now; label, probability and since are None when nobody is.

    `at` is the time of the frame that changed the label; None when the counter no longer knows, as when it stops.
    """

    TOPIC = topics.label

    camera: Name
    label: Text | None
    probability: Share | None
    since: Seconds | None
    at: Seconds | None = None
    demo: Flag = False


@dataclass(frozen=True, slots=True)
class DayCounts(JsonMessage):
    """Visits begun on one day, by label and hour: `visits["woman"]["09"]`; day and hours are in the site's time zone.

    `counted` distinguishes hours without data from hours without visitors. `demo` when the visits are the demo's, which count
    only on a day on which the camera did not count with another model.
    """

    TOPIC = topics.counts
    LIMIT = 1024 * 1024

    camera: Name
    day: Day
    totals: Totals
    visits: ByHour
    counted: Counted = Field(default_factory=dict)
    demo: Flag = False


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
        return cls._of({"v": VERSION} | cls._document(payload) | cls.TOPIC.fields_in(topic))


@dataclass(frozen=True, slots=True)
class Command(Request):
    """An order to a camera."""

    TOPIC = topics.command
    QOS = 1

    camera: Name
    do: Literal["pause", "resume", "snapshot"]


@dataclass(frozen=True, slots=True)
class WantedModel(Request):
    """The model that the classifiers shall serve: the `url` of an export's zip and its `sha256`.

    With neither, a download in progress is cancelled. With `rollback`, the previous model is served again.
    """

    TOPIC = topics.wanted_model
    LIMIT = 8 * 1024
    QOS = 1

    url: Annotated[str, Strict(), Field(min_length=1, max_length=4096)] | None = None
    sha256: Annotated[str, Strict(), Field(max_length=128)] | None = None
    rollback: Flag = False


@dataclass(frozen=True, slots=True)
class ModelUpdate:
    """The outcome of the last `WantedModel`; `url` has only scheme, host and port. `previous` names the model before."""

    state: Literal["none", "downloading", "waiting", "trying", "serving", "refused", "failed", "rolled-back"]
    url: Annotated[str, Strict(), Field(max_length=1024)] | None = None
    sha256: Annotated[str, Strict(), Field(max_length=128)] | None = None
    detail: Annotated[str, Strict(), Field(max_length=1024)] = ""
    previous: Text | None = None


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Status(JsonMessage):
    """A module's state (one of `bus.states`), since when and why; `metrics` by name (see `bus.metric_names`).

    `rates` has each counter's growth a second since the last report. `since` and `at`, the time of the report, are None in the
    module's last will, which the broker publishes.
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


@dataclass(frozen=True, slots=True)
class Question(Request):
    """What was counted on a day of the site, by default today? `id` stands in the answer again.

    A day that there is not is no invalid message, so that the answer can say so.
    """

    TOPIC = topics.question

    asker: Name
    id: Identity = ""
    day: Annotated[str, Strict(), Field(max_length=64)] | None = None


@dataclass(frozen=True, slots=True)
class CameraDay:
    """Visits begun at one camera on a day, as in `DayCounts`."""

    totals: Totals
    visits: ByHour
    counted: Counted = Field(default_factory=dict)
    demo: Flag = False


@dataclass(frozen=True, slots=True)
class DayReport:
    """What was counted on a day of the site, by camera, and its last `visits`, newest first.

    It takes 23 or 25 hours where clocks change. `zone` is the IANA name of the site's time zone, such as Europe/Berlin.
    `demo` when all cameras that counted have the demo's visits. When it is false, a sum over cameras leaves out those of which
    `demo` is true.
    """

    day: Day
    begins_at: Seconds
    ends_at: Seconds
    zone: Zone
    cameras: dict[Name, CameraDay]
    visits: tuple[Visit, ...]
    demo: Flag = False


@dataclass(frozen=True, slots=True)
class Answer(JsonMessage):
    """To the question of that `asker` and `id`: the report, or else the `problem` why there is none, which is empty otherwise."""

    TOPIC = topics.answer
    LIMIT = 1024 * 1024
    QOS = 1  # unlike a picture, it is not out of date when the next one comes
    RETAINED = False

    asker: Name
    id: Identity
    problem: Annotated[str, Strict(), Field(max_length=1024)]
    report: DayReport | None
