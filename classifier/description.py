"""The description of a model: how it wants pictures, and what its outputs mean. The user's footfall.toml has the same keys."""

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationError, field_validator

from classifier import InvalidExport, decoders
from classifier.labels import decode_utf8
from classifier.preprocess import Fit
from runtime.explanation import explain
from runtime.logs import one_line

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MAX_DOTS = 256
"""Dots that a line of footfall.toml has at most."""
Finite = Annotated[float, Field(allow_inf_nan=False)]
PositiveNumber = Annotated[Finite, Field(gt=0)]
Role = Literal["boxes", "classes", "scores", "count"]


class Description(BaseModel):
    """How to preprocess pictures and decode outputs. Values that are None are derived from the model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    demo: Annotated[bool, Strict()] = False
    """Whether the model knows drawn figures only. Its predictions, and their visits, are marked as the demo's."""
    kind: str | None = None
    """The name of a module in `classifier.decoders`."""
    colour: Literal["bgr", "rgb"] | None = None
    mean: Finite | tuple[Finite, Finite, Finite] | None = None
    """The model takes (pixel - mean) / scale, with pixels in 0..255. Both are one number, or one for each of its channels."""
    scale: PositiveNumber | tuple[PositiveNumber, PositiveNumber, PositiveNumber] | None = None
    fit: Fit | None = None
    softmax: Annotated[bool, Strict()] | None = None
    """Whether a classifier's outputs are logits of labels that exclude each other, which softmax turns into probabilities."""
    anchors: tuple[tuple[PositiveNumber, PositiveNumber], ...] | None = Field(None, min_length=1)
    """Widths and heights of a YOLO detector's anchor boxes, in cells."""
    outputs: tuple[Role, ...] | None = None
    """Order of an SSD detector's outputs."""

    @field_validator("kind")
    @classmethod
    def _check_kind(cls, kind: str | None) -> str | None:
        if kind is not None and kind not in decoders.names():
            raise ValueError(f"must be one of {', '.join(decoders.names())}")
        return kind

    @field_validator("outputs")
    @classmethod
    def _check_outputs(cls, outputs: tuple[Role, ...] | None) -> tuple[Role, ...] | None:
        if outputs is not None and sorted(outputs) != ["boxes", "classes", "count", "scores"]:
            raise ValueError("must be boxes, classes, scores and count, each once")
        return outputs


def parse_description(toml: bytes | None, path: Path) -> dict[str, Any]:
    """Returns the values in footfall.toml; none if there is no such file. `path` is for messages. Raises `InvalidExport`."""
    text = decode_utf8(toml or b"", path)
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > MAX_DOTS:  # tomllib needs 30 s and 4 GB for a key of 32,000 parts
            raise InvalidExport(f"{path}: line {number}: more than {MAX_DOTS} dots")
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a ValueError for a number of thousands of digits, too
        raise InvalidExport(f"{path}: not valid TOML ({one_line(str(error)[:200])})") from None


def create_description(values: dict[str, Any], path: Path) -> Description:
    """Returns the description with these values. `path` is that of footfall.toml, for messages. Raises `InvalidExport`."""
    try:
        return Description.model_validate(values)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        place = tuple(part for part in detail["loc"] if isinstance(part, int) or part in values)  # not the types of a union
        reason = explain(Description, {**detail, "loc": place})
        problem = f"{one_line('.'.join(map(str, place))[:80])}={shown(detail['input'])}: {reason}"
    raise InvalidExport(f"{path}: {problem}")


def shown(value: object) -> str:
    """Returns the start of a value, for people."""
    try:
        return f"{value!r:.80}"
    except ValueError:  # Python refuses to print it
        return "a number of thousands of digits"
    except RecursionError:
        return "a value of hundreds of levels"
