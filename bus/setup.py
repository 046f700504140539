"""What is counted at a camera: lines, zones, a mask and the visitor classes."""

from math import hypot
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, Strict
from pydantic.dataclasses import dataclass

from bus import topics
from bus.fields import Fraction, Name, Text
from bus.polygon import Point, polygon_problem
from bus.requests import Request
from runtime.explanation import TEXT_PATTERN

MIN_LENGTH = 0.01
"""Minimum length of a line, in parts of the picture."""
MAX_PLACES = 16
"""Maximum number of lines, of zones and of masked polygons."""
_NAME = {"allowed": "must be text of 1 to 64 characters, without control characters"}
_PART = {"allowed": "must be a part of the picture, a number from 0 to 1"}
PlaceName = Annotated[str, Strict(), Field(min_length=1, max_length=64, pattern=TEXT_PATTERN, json_schema_extra=_NAME)]
Part = Annotated[Fraction, Field(json_schema_extra=_PART)]
"""A part of the picture's width or height."""


def _checked_polygon(corners: tuple[Point, ...]) -> tuple[Point, ...]:
    if problem := polygon_problem(corners):
        raise ValueError(problem)
    return corners


Corner = tuple[Part, Part]
"""Parts of the picture's width and height, from the top left."""
Polygon = Annotated[tuple[Corner, ...], AfterValidator(_checked_polygon)]


@dataclass(frozen=True, slots=True)
class Line:
    """A line with an arrow; `start` and `end` are parts of the picture, and are called ``from`` and ``to`` in messages.

    Who walks from its left to its right, looking along the arrow, goes in. A line drawn from left to right has its right below.
    """

    WIRE_NAMES: ClassVar = {"start": "from", "end": "to"}

    name: PlaceName
    start: Annotated[Corner, Field(validation_alias="from")]
    end: Annotated[Corner, Field(validation_alias="to")]

    def __post_init__(self) -> None:
        length = hypot(self.end[0] - self.start[0], self.end[1] - self.start[1])
        if length < MIN_LENGTH:
            raise ValueError(f"line {self.name!r} is {length:.3g} long; {MIN_LENGTH} of the picture is the minimum")


@dataclass(frozen=True, slots=True)
class Zone:
    """A polygon with a name. It must not cross itself."""

    name: PlaceName
    polygon: Polygon


def _check_names(places: tuple[Line | Zone, ...]) -> tuple[Line | Zone, ...]:
    names = [one.name for one in places]
    if double := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{double[0]!r} is the name of two; names must differ")
    return places


Lines = Annotated[tuple[Line, ...], Field(max_length=MAX_PLACES), AfterValidator(_check_names)]
Zones = Annotated[tuple[Zone, ...], Field(max_length=MAX_PLACES), AfterValidator(_check_names)]


@dataclass(frozen=True, slots=True)
class Setup(Request):
    """What is counted at a camera. What is None is as the settings LINES, ZONES and VISITORS say.

    The picture is black inside the polygons of `mask`, before it leaves the camera's module. `visitors` are the classes that
    make a visitor.
    """

    TOPIC = topics.setup
    LIMIT = 64 * 1024
    QOS = 1
    RETAINED = True

    camera: Name
    lines: Lines | None = None
    zones: Zones | None = None
    mask: Annotated[tuple[Polygon, ...], Field(max_length=MAX_PLACES)] = ()
    visitors: Annotated[tuple[Text, ...], Field(min_length=1, max_length=64)] | None = None
