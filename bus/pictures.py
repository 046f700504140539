"""What the camera and the model say: frames, predictions, and the picture on the LED matrix."""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

from pydantic import Field, Strict
from pydantic.dataclasses import dataclass

from bus import topics
from bus.fields import Count, Duration, Flag, Fraction, Name, PixelCount, Seconds, Text
from bus.message import Message


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
    true for a drawn scene. `held` is the number of seconds, from the frame before on, in which capture held frames back because
    nothing moved: until then the picture was as in the frame before.
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
    held: Duration = 0.0


@dataclass(frozen=True, slots=True)
class Prediction(Message):
    """The model's output for one frame, with that frame's session, sequence, times and `held`.

    A classifier of whole pictures gives `labels`, a detector gives `detections`; both are sorted, highest first. `model` is the
    model's name and the start of its SHA-256; of a detector with a classifier, both, joined by "+". `demo` is true if the frame
    was drawn, or if the model knows drawn figures only. `aspect` is the frame's width divided by its height.
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
    aspect: Annotated[float, Strict(), Field(gt=0, le=100, allow_inf_nan=False)] = 4 / 3
    held: Duration = 0.0

    @property
    def origin(self) -> str:
        """Session and sequence number of the frame."""
        return f"{self.session} {self.sequence}"

    @property
    def best(self) -> Label | None:
        """The best label of the picture; see `best_label`."""
        return best_label(self.labels, self.detections)


@dataclass(frozen=True, slots=True)
class Pixels(Message):
    """The 8x8 LED matrix as 64 RGB values, row by row from the top left; `label` is empty if the matrix is dark."""

    TOPIC = topics.pixels
    QOS = 0
    RETAINED = True

    name: Name
    label: Annotated[str, Strict(), Field(max_length=256)]
    rgb: Annotated[bytes, Strict(), Field(min_length=192, max_length=192)]
