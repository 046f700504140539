"""What the camera and the model say: frames, predictions, and the picture on the LED matrix."""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

from pydantic import Field, Strict
from pydantic.dataclasses import dataclass

from bus import topics
from bus.fields import Count, Duration, Flag, Fraction, Items, Name, PixelCount, Seconds, Text
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

    VISITORS and BACKGROUND_LABELS decide which labels are visitors.
    """

    name: Text
    """The label."""
    probability: Fraction
    """Its probability."""
    visitor: Flag = True
    """False if the label means that no visitor is there, as "nobody" or a detector's "chair"."""


@dataclass(frozen=True, slots=True)
class Detection:
    """A thing that a detector found."""

    box: Box
    """Left, top, width and height, in 0..1 of the picture."""
    confidence: Fraction
    """The probability that something is there."""
    labels: Items[Label] = ()
    """The detector's class, or what the classifier behind it says of the crop, highest first. Empty if it cannot tell."""

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
    """One picture of a camera."""

    TOPIC = topics.frame
    LIMIT = 2 * 1024 * 1024
    QOS = 0

    camera: Name
    """The camera."""
    session: Text
    """New at each start of capture."""
    sequence: Count
    """Counts the frames of a session, from 0."""
    session_time: Duration
    """Seconds since the session's first picture, by a clock that nobody sets."""
    captured_at: Seconds
    """Time of capture, by the wall clock."""
    width: PixelCount
    """Width of the picture in pixels."""
    height: PixelCount
    """Height of the picture in pixels."""
    jpeg: Annotated[bytes, Strict(), Field(min_length=1)]
    """The picture as JPEG; it may be the camera's own, with its EXIF data."""
    demo: Flag = False
    """Whether it is a drawn scene."""
    held: Duration = 0.0
    """Seconds, from the frame before on, in which frames were held back because nothing moved.

    Until then the picture was as in the frame before.
    """


@dataclass(frozen=True, slots=True)
class Prediction(Message):
    """The model's output for one frame: `labels` of a classifier of whole pictures, or `detections` of a detector."""

    TOPIC = topics.prediction
    SAVED_LATE = True

    camera: Name
    """The camera."""
    session: Text
    """Session of the frame."""
    sequence: Count
    """Number of the frame."""
    session_time: Duration
    """Session time of the frame."""
    captured_at: Seconds
    """Time of the frame."""
    classified_at: Seconds
    """Time of the prediction."""
    inference_ms: Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)]
    """How long the model took, in milliseconds."""
    model: Text
    """The model's name and the start of its SHA-256; of a detector with a classifier, both, joined by "+"."""
    labels: Items[Label] = ()
    """Of a classifier of whole pictures: its labels, highest probability first."""
    detections: Items[Detection] = ()
    """Of a detector: what it found, highest confidence first."""
    demo: Flag = False
    """Whether the frame was drawn, or the model knows drawn figures only."""
    aspect: Annotated[float, Strict(), Field(gt=0, le=100, allow_inf_nan=False)] = 4 / 3
    """The frame's width divided by its height."""
    held: Duration = 0.0
    """As in the frame."""

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
    """The 8x8 LED matrix."""

    TOPIC = topics.pixels
    QOS = 0
    RETAINED = True

    name: Name
    """The display."""
    label: Annotated[str, Strict(), Field(max_length=256)]
    """The label; empty if the matrix is dark."""
    rgb: Annotated[bytes, Strict(), Field(min_length=192, max_length=192)]
    """192 bytes: red, green and blue of 64 pixels, row by row from the top left."""
