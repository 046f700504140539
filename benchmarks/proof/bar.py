"""A bar, and the places where it is seen whether it is reached."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

Read = Callable[[str], float]
"""Finds a figure in a text. Raises `ValueError` if it is not there."""


class Limit(NamedTuple):
    """A number that must be reached, at most or at least."""

    value: float
    unit: str = ""
    is_minimum: bool = False

    def allows(self, value: float) -> bool:
        return value >= self.value if self.is_minimum else value <= self.value

    def show(self, value: float) -> str:
        """Returns a value with the unit."""
        return f"{value:.4g} {self.unit}".strip()

    def __str__(self) -> str:
        return f"{'at least' if self.is_minimum else 'at most'} {self.show(self.value)}"


def at_most(value: float, unit: str = "") -> Limit:
    return Limit(value, unit)


def at_least(value: float, unit: str = "") -> Limit:
    return Limit(value, unit, is_minimum=True)


@dataclass(frozen=True)
class Asserted:
    """By tests, given by their node ids without parameters. Those that assert a time run without the patience of `make test`."""

    tests: tuple[str, ...]
    is_timed: bool = False


def asserted_by(*tests: str, is_timed: bool = False) -> Asserted:
    """By tests, given below the folder `tests`."""
    return Asserted(tuple(f"tests/{one}" for one in tests), is_timed)


@dataclass(frozen=True)
class Printed:
    """By a program: `python -m` with these arguments. A word such as `{people}` is a folder of test data."""

    arguments: str
    read: Read


@dataclass(frozen=True)
class Quoted:
    """By a page, between `<!-- block -->` and `<!-- /block -->`, into which a command writes what it measures."""

    page: str
    block: str
    read: Read
    command: str


@dataclass(frozen=True)
class Elsewhere:
    """By a command that takes too long or needs another machine, and writes no page."""

    command: str


@dataclass(frozen=True)
class Bar:
    """What must be reached: a number, or a text where a test decides."""

    name: str
    limit: Limit | str
    evidence: Asserted | Printed | Quoted | Elsewhere


class Outcome(NamedTuple):
    """What was reached, and `MET`, `IN_PART`, `MISSED` or `NOT_RUN`."""

    reached: str
    verdict: str


MET, IN_PART, MISSED, NOT_RUN = "met", "met in part", "**missed**", "not run"


def judge(limit: Limit, value: float) -> Outcome:
    """Compares a figure with its limit."""
    return Outcome(limit.show(value), MET if limit.allows(value) else MISSED)
