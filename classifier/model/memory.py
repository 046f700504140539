"""What of the models outlives the process, so that a model that was refused is not tried again."""

import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import TypeAdapter, ValidationError

from classifier.model.files import OWN, read_json, write_json

log = logging.getLogger(__name__)

_FILE = f"{OWN}-updates.json"


class Refusal(NamedTuple):
    """The classifier's word that it cannot serve what it was given: since when, in seconds since 1970, and why."""

    since: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class Held:
    """A model that is not installed again, and why; `turn_to` is the one that is still to take its place."""

    sha256: str
    url: str
    state: Literal["refused", "rolled-back"]
    detail: str
    turn_to: str | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """A model that is installed and not known to be served yet; `earlier` is a refusal from before it."""

    folder: str
    sha256: str
    url: str
    earlier: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """Its addresses are as they may be told."""

    held: Held | None = None
    trial: Trial | None = None


_as_memory = TypeAdapter(Memory).validate_python


def read_memory(folder: Path) -> Memory:
    """What was written there; an empty one when that cannot be read."""
    path = folder / _FILE
    try:
        return _as_memory(read_json(path))
    except ValidationError:
        log.warning("%s: not what was written there; begun anew", path)
        return Memory()


def write_memory(folder: Path, memory: Memory) -> None:
    """Keeps it, if it can: what is done with the models does not wait for that."""
    try:
        write_json(folder / _FILE, asdict(memory))
    except OSError as error:
        log.warning("what became of the model cannot be kept: %s", error)
