"""All messages with their fields: the contract between modules and with other programs."""

from collections.abc import Sequence
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
Duration = Annotated[float, Strict(), Field(ge=0, lt=1e11, allow_inf_nan=False)]
"""A duration in seconds."""
Fraction = Annotated[float, Strict(), Field(ge=0, le=1, allow_inf_nan=False)]
"""A number in 0..1, such as a probability."""
Count = Annotated[int, Strict(), Field(ge=0, lt=2**63)]
PixelCount = Annotated[int, Strict(), Field(ge=1, le=65535)]
Day = Annotated[str, Strict(), Field(pattern=DAY_PATTERN)]
"""A day in the site's time zone."""
Totals = dict[Text, Count]
"""Number of visits by label."""
Hour = Annotated[str, Field(pattern=HOUR_PATTERN)]
"""An hour in the site's time zone: ``"09"``."""
ByHour = dict[Text, dict[Hour, Count]]
"""Number of visits by label and hour: ``["woman"]["09"]``. A visit counts in the hour in which it began."""
Counted = dict[Hour, Fraction | None]
"""By hour, the fraction of it in which the camera was counting; None if there is no data."""
Flag = Annotated[bool, Strict()]
RequestId = Annotated[str, Strict(), Field(max_length=64)]
Zone = Annotated[str, Strict(), Field(pattern=r"^[A-Za-z][A-Za-z0-9_+/-]{0,63}$")]


class Box(NamedTuple):
    """A bounding box: left, top, width and height, as fractions (0..1) of the picture's width and height."""

    x: Fraction
    y: Fraction
    w: Fraction
    h: Fraction


@dataclass(frozen=True, slots=True)
class Label:
    """A label that a model gives to a picture or to a detected thing.

    `visitor` is false if the label means that no visitor is there, as "nobody" or a detector's "chair". The classifier decides
    that by VISITORS and BACKGROUND_LABELS.
    """

    name: Text
    probability: Fraction
    visitor: Flag = True


@dataclass(frozen=True, slots=True)
class Detection:
    """A thing that a detector found, and the probability that it is one (`confidence`).

    `labels` are the detector's class, or what a classifier says of the thing, highest first. They are empty if the classifier
    cannot tell.
    """

    box: Box
    confidence: Fraction
    labels: tuple[Label, ...] = ()

    @property
    def is_visitor(self) -> bool:
        return not self.labels or self.labels[0].visitor


def labelled(labels: Sequence[Label], detections: Sequence[Detection]) -> list[tuple[Label, Box | None]]:
    """Returns the labels of a picture, or the first label of each visitor that has one, with its box."""
    found = [(one.labels[0], one.box) for one in detections if one.labels and one.is_visitor]
    return [*((label, None) for label in labels), *found]


def best_label(labels: Sequence[Label], detections: Sequence[Detection]) -> Label | None:
    """Returns the label with the highest probability, of a picture or of a visitor in it; None if there is none."""
    return max((label for label, _ in labelled(labels, detections)), key=lambda label: label.probability, default=None)


@dataclass(frozen=True, slots=True)
class Frame(Message):
    """One picture of a camera.

    `session` changes at each start of the capture process, and `sequence` numbers the frames of a session from 0. `captured_at`
    is the wall-clock time. `session_time` is the time since the session's first picture, by a clock that is never set. `demo` is
    true for a drawn scene.
    """

    TOPIC = topics.frame
    LIMIT = 2 * 1024 * 1024
    QOS = 0

    camera: Name
    session: Text
    sequence: Count
    session_time: Duration
    captured_at: Seconds
    width: PixelCount
    height: PixelCount
    jpeg: Annotated[bytes, Strict(), Field(min_length=1)]
    demo: Flag = False


@dataclass(frozen=True, slots=True)
class Prediction(Message):
    """The model's output for one frame, with that frame's session, sequence and times.

    A classifier of whole pictures gives `labels`, a detector gives `detections`; both are sorted, highest first. `model` is the
    model's name and the start of its SHA-256; of a detector with a classifier, both, joined by "+". `demo` is true if the frame
    was drawn, or if the model knows drawn figures only.
    """

    TOPIC = topics.prediction

    camera: Name
    session: Text
    sequence: Count
    session_time: Duration
    captured_at: Seconds
    classified_at: Seconds
    inference_ms: Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)]
    model: Text
    labels: tuple[Label, ...] = ()
    detections: tuple[Detection, ...] = ()
    demo: Flag = False

    @property
    def best(self) -> Label | None:
        """The best label of the picture; see `best_label`."""
        return best_label(self.labels, self.detections)


@dataclass(frozen=True, slots=True)
class Visit(JsonMessage):
    """A visit that has ended; `peak` is the highest probability among its `frames` predictions.

    `demo` is true for the demo's drawn visitors. A visit that is published again with the same `id` and different times replaces
    the earlier one, because the clock was wrong when it was counted.
    """

    TOPIC = topics.visit
    QOS = 1
    RETAINED = False

    id: Text
    camera: Name
    label: Text
    started_at: Seconds
    ended_at: Seconds
    peak: Fraction
    frames: Count
    demo: Flag = False


@dataclass(frozen=True, slots=True)
class Summary(JsonMessage):
    """The visits that began at a camera in one hour, by label; published after the hour.

    `day` and `hour` (``"09"``) are in the site's time zone; `began_at` and `ended_at` are Unix seconds.
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
    """The 8x8 LED matrix as 64 RGB values, row by row from the top left; `label` is empty if the matrix is dark."""

    TOPIC = topics.pixels
    QOS = 0
    RETAINED = True

    name: Name
    label: Annotated[str, Strict(), Field(max_length=256)]
    rgb: Annotated[bytes, Strict(), Field(min_length=192, max_length=192)]


@dataclass(frozen=True, slots=True)
class CurrentLabel(JsonMessage):
    """The label of the current visitor; `label`, `probability` and `since` are None if nobody is there.

    `at` is the time of the frame that changed the label. It is None if the counter no longer knows, as after it stops.
    """

    TOPIC = topics.label

    camera: Name
    label: Text | None
    probability: Fraction | None
    since: Seconds | None
    at: Seconds | None = None
    demo: Flag = False


@dataclass(frozen=True, slots=True)
class DayCounts(JsonMessage):
    """The visits that began on one day, by label and hour: `visits["woman"]["09"]`. Day and hours are in the site's time zone.

    `counted` distinguishes hours without data from hours without visitors. `demo` is true for visits of the demo, which count
    only on days on which the camera used no other model.
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
    """A request, possibly typed by hand. Its version is optional, and the topic sets the camera or asker.

    A retained request is refused, because it would run again at each start.
    """

    __slots__ = ()
    LIMIT = 1024
    RETAINED = False

    @classmethod
    def from_topic(cls, topic: str, payload: bytes | bytearray) -> Self:
        """Returns the request in a payload, with the field from its topic. Raises `InvalidMessage`."""
        return cls._validate({"v": VERSION} | cls._decode_map(payload) | cls.TOPIC.fields_in(topic))


@dataclass(frozen=True, slots=True)
class Command(Request):
    """A command to a camera."""

    TOPIC = topics.command
    QOS = 1

    camera: Name
    do: Literal["pause", "resume", "snapshot"]


@dataclass(frozen=True, slots=True)
class WantedModel(Request):
    """The model that classifiers should serve: the `url` of the export's zip and its `sha256`.

    Without both, a download in progress is cancelled. With `rollback`, the previous model is served again.
    """

    TOPIC = topics.wanted_model
    LIMIT = 8 * 1024
    QOS = 1

    url: Annotated[str, Strict(), Field(min_length=1, max_length=4096)] | None = None
    sha256: Annotated[str, Strict(), Field(max_length=128)] | None = None
    rollback: Flag = False


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
    - Classifier: `model` (name and start of its SHA-256), the `labels` that a visitor can have, the `runtime` that runs it, and
      the outcome of the last model `update`.
    - Counter: `ended`, the cameras whose recording was played once and is completely counted.
    """

    camera: Name | None = None
    model: Text | None = None
    labels: tuple[Text, ...] = ()
    runtime: Text | None = None
    update: ModelUpdate | None = None
    ended: tuple[Name, ...] = ()


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


@dataclass(frozen=True, slots=True)
class Question(Request):
    """A question for the counts of a day, by default today. The answer repeats its `id`.

    Any short text is a valid `day`, so that the answer can explain what is wrong with it.
    """

    TOPIC = topics.question

    asker: Name
    id: RequestId = ""
    day: Annotated[str, Strict(), Field(max_length=64)] | None = None


@dataclass(frozen=True, slots=True)
class CameraDay:
    """The visits that began at one camera on a day, as in `DayCounts`."""

    totals: Totals
    visits: ByHour
    counted: Counted = Field(default_factory=dict)
    demo: Flag = False


@dataclass(frozen=True, slots=True)
class DayReport:
    """The counts of a day by camera, and its last `visits`, newest first.

    A day has 23 or 25 hours when clocks change. `zone` is the IANA name of the site's time zone, such as Europe/Berlin. `demo` is
    true if all cameras with counts have visits of the demo. If it is false, totals over cameras exclude those whose `demo` is
    true.
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
    """The answer to a question with this `asker` and `id`: a report, or None with the reason in `problem`."""

    TOPIC = topics.answer
    LIMIT = 1024 * 1024
    QOS = 1  # unlike a frame, no newer one replaces it
    RETAINED = False

    asker: Name
    id: RequestId
    problem: Annotated[str, Strict(), Field(max_length=1024)]
    report: DayReport | None
