"""What an ONNX file says about itself: its tensors, its metadata, and the tool that exported it.

Sources:

- ONNX, docs/MetadataProps.md: ``Image.BitmapPixelFormat`` and ``Image.NominalPixelRange``.
- Custom Vision: the samples for ONNX in github.com/Azure-Samples/customvision-export-samples.
- Azure Machine Learning: the page "Make predictions with ONNX on computer vision models from AutoML".
- Ultralytics: `classifier.ultralytics`.
"""

from typing import Any

import numpy as np

from classifier.backends import TensorInfo
from classifier.exporters import (
    AZURE_ML,
    CUSTOM_VISION,
    IMAGENET,
    KERAS,
    MINUS_ONE_TO_ONE,
    OTHER_ONNX,
    PYTORCH,
    ULTRALYTICS,
    ZERO_TO_255,
    ZERO_TO_ONE,
    takes_pixels,
)
from classifier.inspectors import Inspection
from classifier.labels import check_labels
from classifier.onnx_file import OnnxFile, OnnxTensor, read_onnx_file
from classifier.ultralytics import interpret, parse_literal

WHERE = "metadata inside the model"
COLOURS = {"rgb8": "rgb", "bgr8": "bgr"}
RANGES = {"nominalrange_0_255": ZERO_TO_255, "normalized_0_1": ZERO_TO_ONE, "normalized_1_1": MINUS_ONE_TO_ONE}
"""Mean and scale for values of ``Image.NominalPixelRange``."""
PRODUCERS = {"pytorch": PYTORCH, "tf2onnx": KERAS, "keras2onnx": KERAS}
"""The tool whose models a program writes."""
OLD_CUSTOM_VISION = ("loss", "model_outputs0")
"""Outputs of Custom Vision's domains without [S1]."""
S1_CUSTOM_VISION = ("model_output", "detected_boxes")
"""Outputs of Custom Vision's domains with [S1]."""


def inspect(model: bytes) -> Inspection:
    """Implements the function of `classifier.inspectors`."""
    try:
        file = read_onnx_file(model)
    except ValueError:
        return Inspection()
    labels, exporter, description = _recognise(file)
    labels = labels or check_labels(file.class_labels, "labels inside the model", "label")
    return Inspection(
        labels, exporter, description, tuple(map(_tensor_info, file.inputs)), tuple(map(_tensor_info, file.outputs))
    )


def _recognise(file: OnnxFile) -> tuple[tuple[str, ...], str, dict[str, Any]]:
    """Returns the labels in the metadata, the tool, and the values of a description. Raises `InvalidExport`."""
    inputs, outputs = [one.name for one in file.inputs], [one.name for one in file.outputs]
    pixels = _pixel_values(file.metadata)
    if file.metadata.get("author") == ULTRALYTICS or {"names", "stride"} <= file.metadata.keys():
        labels, values = interpret(file.metadata | {"names": parse_literal(file.metadata.get("names", ""))}, WHERE)
        return labels, ULTRALYTICS, values
    if inputs == ["data"] and set(outputs) & {*OLD_CUSTOM_VISION, *S1_CUSTOM_VISION}:
        is_old = not pixels and set(outputs) & set(OLD_CUSTOM_VISION)
        # Where the metadata say nothing, the samples take RGB from 0 to 1. The first exports had no metadata, and Windows ML's
        # default, BGR from 0 to 255.
        default = {"colour": "bgr", **ZERO_TO_255} if is_old else {"colour": "rgb", **ZERO_TO_ONE}
        return (), CUSTOM_VISION, default | pixels
    if (inputs, outputs) == (["input1"], ["output1"]):  # logits
        return (), AZURE_ML, {"colour": "rgb", "fit": "centre", "softmax": True, **IMAGENET}
    if inputs == ["input"] and {name.removesuffix("_0") for name in outputs} - {"masks"} == {"boxes", "labels", "scores"}:
        return (), AZURE_ML, {"kind": "rcnn", "colour": "rgb", "fit": "whole", **IMAGENET}
    tool = PRODUCERS.get(file.producer, OTHER_ONNX)
    if takes_pixels(file.divisor):
        pixels = ZERO_TO_255 | pixels
    return (), tool, {**({} if tool == OTHER_ONNX else {"colour": "rgb"}), **pixels}


def _pixel_values(metadata: dict[str, str]) -> dict[str, Any]:
    """Returns the colour order and the range of the input, as far as the metadata have them."""
    colour = COLOURS.get(metadata.get("Image.BitmapPixelFormat", "").lower())
    values: dict[str, Any] = {"colour": colour} if colour else {}
    return values | RANGES.get(metadata.get("Image.NominalPixelRange", "").lower(), {})


def _tensor_info(tensor: OnnxTensor) -> TensorInfo:
    """Returns the information on a tensor. If the file leaves the number of pictures open, it is 1."""
    shape = (tensor.shape[0] or 1, *tensor.shape[1:]) if tensor.shape else ()
    return TensorInfo(tensor.name, shape, np.dtype((tensor.dtype or "object").replace("float16", "float32")))
