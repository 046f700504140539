"""What is counted at a camera, and when it alerts: lines, zones, a mask, the visitor classes and the rules of alerts."""

from math import hypot
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field
from pydantic.dataclasses import dataclass

from bus import topics
from bus.alerts import AlertRules
from bus.fields import DIFFERENT_NAMES, Fraction, GivenName, Items, Name, Text
from bus.polygon import MAX_CORNERS, MIN_CORNERS, Point, polygon_problem
from bus.requests import Request

MIN_LENGTH = 0.01
"""Minimum length of a line, in parts of the picture."""
MAX_PLACES = 16
"""Maximum number of lines, of zones and of masked polygons."""
_PART = {"allowed": "must be a part of the picture, a number from 0 to 1"}
Part = Annotated[Fraction, Field(json_schema_extra=_PART)]
"""A part of the picture's width or height."""


def _checked_polygon(corners: tuple[Point, ...]) -> tuple[Point, ...]:
    if problem := polygon_problem(corners):
        raise ValueError(problem)
    return corners


Corner = tuple[Part, Part]
"""Parts of the picture's width and height, from the top left."""
_BOUNDS = {"minItems": MIN_CORNERS, "maxItems": MAX_CORNERS}
Polygon = Annotated[Items[Corner], AfterValidator(_checked_polygon), Field(json_schema_extra=_BOUNDS)]


@dataclass(frozen=True, slots=True)
class Line:
    """A line with an arrow. Its ends are called ``from`` and ``to`` in messages.

    Who walks from its left to its right, looking along the arrow, goes in. A line drawn from left to right has its right below.
    """

    WIRE_NAMES: ClassVar = {"start": "from", "end": "to"}

    name: GivenName
    """The line's name."""
    start: Annotated[Corner, Field(validation_alias="from")]
    """Where the arrow begins: x and y in 0..1 of the picture, from the top left."""
    end: Annotated[Corner, Field(validation_alias="to")]
    """Where the arrow ends."""

    def __post_init__(self) -> None:
        length = hypot(self.end[0] - self.start[0], self.end[1] - self.start[1])
        if length < MIN_LENGTH:
            raise ValueError(f"line {self.name!r} is {length:.3g} long; {MIN_LENGTH} of the picture is the minimum")


@dataclass(frozen=True, slots=True)
class Zone:
    """A polygon with a name. It must not cross itself."""

    name: GivenName
    """The zone's name."""
    polygon: Polygon
    """3 to 32 corners: x and y in 0..1 of the picture, from the top left."""


Lines = Annotated[Items[Line], Field(max_length=MAX_PLACES), DIFFERENT_NAMES]
Zones = Annotated[Items[Zone], Field(max_length=MAX_PLACES), DIFFERENT_NAMES]


@dataclass(frozen=True, slots=True)
class Setup(Request):
    """What is counted at a camera. The settings apply to each part that is missing."""

    TOPIC = topics.setup
    LIMIT = 64 * 1024
    QOS = 1
    RETAINED = True

    camera: Name
    """The camera; the topic says it."""
    lines: Lines | None = None
    """At most 16 lines; null: as the setting LINES says."""
    zones: Zones | None = None
    """At most 16 zones; null: as the setting ZONES says."""
    mask: Annotated[Items[Polygon], Field(max_length=MAX_PLACES)] = ()
    """Polygons in which the picture is black, before it leaves the camera's module."""
    visitors: Annotated[Items[Text], Field(min_length=1, max_length=64)] | None = None
    """The classes that make a visitor; null: as the setting VISITORS says."""
    alerts: AlertRules | None = None
    """At most 16 rules of alerts; null: as the setting ALERTS says."""
