"""What a model file does not say about itself: from Custom Vision's metadata, and from the user's footfall.toml beside it."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationError, field_validator

from classifier import InvalidExport, decoders
from runtime.explanation import explain

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

DESCRIPTION_FILE = "footfall.toml"

Number = Annotated[float, Field(allow_inf_nan=False)]
Role = Literal["boxes", "classes", "scores", "count"]


class Description(BaseModel):
    """How pictures go into a model and how its outputs are read; a value that is None follows from the model itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    demo: Annotated[bool, Strict()] = False
    """Whether the model knows drawn figures only; its predictions, and their visits, are marked as the demo's."""
    kind: str | None = None
    """One of `classifier.decoders`."""
    colour: Literal["bgr", "rgb"] | None = None
    mean: Number | None = None
    """With `scale`: the model takes (pixel - mean) / scale, of pixels 0..255."""
    scale: Annotated[Number, Field(gt=0)] | None = None
    anchors: tuple[tuple[Annotated[Number, Field(gt=0)], Annotated[Number, Field(gt=0)]], ...] | None = Field(None, min_length=1)
    """Widths and heights of a YOLO detector's anchor boxes, in cells."""
    outputs: tuple[Role, ...] | None = None
    """The outputs of an SSD detector, in the model's order."""

    @field_validator("kind")
    @classmethod
    def _known(cls, kind: str | None) -> str | None:
        if kind is not None and kind not in decoders.names():
            raise ValueError(f"must be one of {', '.join(decoders.names())}")
        return kind

    @field_validator("outputs")
    @classmethod
    def _complete(cls, outputs: tuple[Role, ...] | None) -> tuple[Role, ...] | None:
        if outputs is not None and sorted(outputs) != ["boxes", "classes", "count", "scores"]:
            raise ValueError("boxes, classes, scores and count are needed, each once")
        return outputs


def read_description(toml: bytes | None, metadata: bytes | None, path: Path) -> Description:
    """The user's footfall.toml overrides the metadata; `path` is for messages. Raises `InvalidExport`."""
    values = _read_metadata(metadata) if metadata is not None else {}
    try:
        values |= tomllib.loads(toml.decode("utf-8-sig")) if toml is not None else {}
        return Description.model_validate(values)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        problem = f"{'.'.join(map(str, detail['loc']))}={detail['input']!r:.80}: {explain(Description, detail)}"
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        problem = f"not TOML ({error})"
    raise InvalidExport(f"{path / DESCRIPTION_FILE}: {problem}")


def _read_metadata(metadata: bytes) -> dict[str, Any]:
    """Colour order and anchors, where Custom Vision gives them; all else that it gives follows from the model."""
    try:
        properties = json.loads(metadata)
        colour = {"Rgb8": "rgb", "Bgr8": "bgr"}.get(properties.get("Image.BitmapPixelFormat"))
        biases = json.loads(properties.get("CustomVision.Postprocess.Yolo.Biases") or "null")
    except (ValueError, RecursionError, AttributeError, TypeError):  # not needed to serve the model
        return {}
    values: dict[str, Any] = {"colour": colour} if colour else {}
    if isinstance(biases, list) and biases and len(biases) % 2 == 0 and all(isinstance(one, int | float) for one in biases):
        values["anchors"] = tuple(zip(biases[::2], biases[1::2], strict=True))
    return values
