"""A limit of one measured figure, and the measurements that give figures."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmarks.proof.bar import Limit


class Inputs(NamedTuple):
    """The model and the folder of pictures that frames are made of, where a group does not have others."""

    model: Path
    pictures: Path


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure, and what it must reach."""

    key: str
    """The names of the group and of the figure: `still.share`."""
    text: str
    limit: Limit | None = None
    """None for a peer, which is there to compare with."""
    peer_unit: str = ""
    """The unit of a peer; empty for a ratio."""

    @property
    def unit(self) -> str:
        return self.limit.unit if self.limit else self.peer_unit


@dataclass(frozen=True, slots=True)
class Group:
    """The figures that one measurement gives."""

    name: str
    measure: Callable[[Inputs], dict[str, float]]
    """Returns figures by their names."""
    bars: tuple[Bar, ...]
