"""What a model file cannot say of itself: from Custom Vision's metadata, and from the user's footfall.toml beside it."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationError

from classifier import InvalidExport
from classifier.export_zip import DESCRIPTION_FILE
from runtime.explanation import explain

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Kind = Literal["classification", "yolo", "detection", "ssd"]
Number = Annotated[float, Field(allow_inf_nan=False)]
Role = Literal["boxes", "classes", "scores", "count"]


class Description(BaseModel):
    """How pictures go into a model and how its outputs are read; what is None follows from the model itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    demo: Annotated[bool, Strict()] = False
    """Whether the model knows drawn figures only; its predictions, and the visits made of them, are marked as the demo's."""
    kind: Kind | None = None
    colour: Literal["bgr", "rgb"] | None = None
    mean: Number | None = None
    """With `scale`: the model takes (pixel - mean) / scale, of pixels 0..255."""
    scale: Annotated[Number, Field(gt=0)] | None = None
    anchors: tuple[tuple[Annotated[Number, Field(gt=0)], Annotated[Number, Field(gt=0)]], ...] | None = Field(None, min_length=1)
    """Widths and heights of a YOLO detector's anchor boxes, in cells."""
    outputs: tuple[Role, ...] | None = None
    """What an SSD detector's outputs are, in the model's order."""


def read_description(toml: bytes | None, metadata: bytes | None, path: Path) -> Description:
    """The user's word before the metadata's; `path` is for messages. Raises `InvalidExport`."""
    told = _of_metadata(metadata) if metadata is not None else {}
    try:
        told |= tomllib.loads(toml.decode("utf-8-sig")) if toml is not None else {}
        description = Description.model_validate(told)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        place = ".".join(map(str, detail["loc"]))
        raise InvalidExport(
            f"{path / DESCRIPTION_FILE}: {place}={detail['input']!r:.80}: {explain(Description, detail)}"
        ) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise InvalidExport(f"{path / DESCRIPTION_FILE}: not TOML ({error})") from None
    if description.outputs is not None and sorted(description.outputs) != ["boxes", "classes", "count", "scores"]:
        raise InvalidExport(f"{path / DESCRIPTION_FILE}: outputs: boxes, classes, scores and count are needed, each once")
    return description


def _of_metadata(metadata: bytes) -> dict[str, Any]:
    """Colour order and anchors, where Custom Vision tells them; everything else it tells follows from the model."""
    try:
        properties = json.loads(metadata)
        colour = {"Rgb8": "rgb", "Bgr8": "bgr"}.get(properties.get("Image.BitmapPixelFormat"))
        biases = json.loads(properties.get("CustomVision.Postprocess.Yolo.Biases") or "null")
    except (ValueError, RecursionError, AttributeError, TypeError):  # not needed to serve the model
        return {}
    told: dict[str, Any] = {"colour": colour} if colour else {}
    if isinstance(biases, list) and biases and len(biases) % 2 == 0 and all(isinstance(one, int | float) for one in biases):
        told["anchors"] = tuple(zip(biases[::2], biases[1::2], strict=True))
    return told
