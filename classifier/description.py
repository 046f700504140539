"""The description of a model, read from Custom Vision's metadata and from the user's footfall.toml."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationError, field_validator

from classifier import InvalidExport, decoders
from classifier.preprocess import Fit
from runtime.explanation import explain

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

DESCRIPTION_FILE = "footfall.toml"

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


def read_description(toml: bytes | None, metadata: bytes | None, path: Path) -> Description:
    """Returns the description; footfall.toml overrides the metadata. `path` is for messages. Raises `InvalidExport`."""
    values = _read_metadata(metadata) if metadata is not None else {}
    try:
        values |= tomllib.loads(toml.decode("utf-8-sig")) if toml is not None else {}
        return Description.model_validate(values)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        problem = f"{'.'.join(map(str, detail['loc']))}={detail['input']!r:.80}: {explain(Description, detail)}"
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        problem = f"not valid TOML ({error})"
    raise InvalidExport(f"{path / DESCRIPTION_FILE}: {problem}")


def _read_metadata(metadata: bytes) -> dict[str, Any]:
    """Returns the colour order and the anchors, if present. The model itself has everything else in the metadata."""
    try:
        properties = json.loads(metadata)
        colour = {"Rgb8": "rgb", "Bgr8": "bgr"}.get(properties.get("Image.BitmapPixelFormat"))
        biases = json.loads(properties.get("CustomVision.Postprocess.Yolo.Biases") or "null")
    except (ValueError, RecursionError, AttributeError, TypeError):  # the model can be served without
        return {}
    values: dict[str, Any] = {"colour": colour} if colour else {}
    if isinstance(biases, list) and biases and len(biases) % 2 == 0 and all(isinstance(one, int | float) for one in biases):
        values["anchors"] = tuple(zip(biases[::2], biases[1::2], strict=True))
    return values
