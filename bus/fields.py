"""The types of the fields of messages."""

from typing import Annotated, Literal, Protocol, TypeVar, get_args

from pydantic import AfterValidator, Field, Strict

from runtime.explanation import DAY_PATTERN, HOUR_PATTERN, NAME_PATTERN, TEXT_PATTERN

T = TypeVar("T")
K = TypeVar("K")
Items = Annotated[tuple[T, ...], Field(fail_fast=True)]
"""Any number of items. The first invalid one ends the validation: the errors of all would take 700 ms and 65 MB for 64 KiB."""
Map = Annotated[dict[K, T], Field(fail_fast=True)]
"""A map of any size, validated in the same way."""
Name = Annotated[str, Strict(), Field(pattern=NAME_PATTERN)]
Text = Annotated[str, Strict(), Field(min_length=1, max_length=256, pattern=TEXT_PATTERN)]
_GIVEN = {"allowed": "must be text of 1 to 64 characters, without control characters"}
GivenName = Annotated[str, Strict(), Field(min_length=1, max_length=64, pattern=TEXT_PATTERN, json_schema_extra=_GIVEN)]
"""A name that people gave: of the site, a label, a line, a zone or a rule of alerts."""
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
Totals = Map[Text, Count]
"""Number of visits by label."""
Hour = Annotated[str, Field(pattern=HOUR_PATTERN)]
"""An hour in the site's time zone: ``"09"``."""
ByHour = Map[Text, Map[Hour, Count]]
"""Number of visits by label and hour: ``["woman"]["09"]``. A visit counts in the hour in which it began."""
Counted = Map[Hour, Fraction | None]
"""By hour, the fraction of it in which the camera was counting; None if there is no data."""
Flag = Annotated[bool, Strict()]
RequestId = Annotated[str, Strict(), Field(max_length=64)]
TIME_ZONE_PATTERN = r"^[A-Za-z][A-Za-z0-9_+/-]{0,63}$"
TimeZone = Annotated[str, Strict(), Field(pattern=TIME_ZONE_PATTERN)]
Direction = Literal["in", "out"]
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
Crossings = Map[Text, Map[Direction, ByHour]]
"""Number of crossings by line, direction, label and hour: ``["door"]["in"]["woman"]["09"]``."""
UNDECIDED = "undecided"
"""The label of a visitor whose label the model cannot tell."""


class Named(Protocol):
    """Something with a name."""

    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=Named)


def _check_names(things: tuple[N, ...]) -> tuple[N, ...]:
    names = [one.name for one in things]
    if double := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{double[0]!r} is the name of two; names must differ")
    return things


DIFFERENT_NAMES = AfterValidator(_check_names)
"""Refuses a tuple in which two things have the same name."""
