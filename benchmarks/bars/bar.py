"""A limit of one measured figure, and the measurements that give figures."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple


class Inputs(NamedTuple):
    """The model and the folder of pictures that frames are made of, where a group does not have others."""

    model: Path
    pictures: Path


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure that must be at most a limit; or, with `is_least`, at least."""

    key: str
    """The names of the group and of the figure: `still.share`."""
    text: str
    limit: float | None = None
    """None for a peer, which is there to compare with."""
    unit: str = ""
    """Of figure and limit; empty for a ratio."""
    is_least: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """The figures that one measurement gives."""

    name: str
    measure: Callable[[Inputs], dict[str, float]]
    """Returns figures by their names."""
    bars: tuple[Bar, ...]
