"""The tools that export models: recognises them, and knows how their models want pictures."""

import json
import re
from typing import Any

import numpy as np

from classifier.backends import TensorInfo
from classifier.files import MANIFEST_FILE, METADATA_FILE, VERTEX_FILE, VERTEX_LABELS, ExportFiles
from classifier.inspectors import Inspection

CUSTOM_VISION = "Custom Vision"
VERTEX = "Vertex AI AutoML Edge"
EDGE_IMPULSE = "Edge Impulse"
TEACHABLE_MACHINE = "Teachable Machine"
KERAS = "TensorFlow (Keras)"
OBJECT_DETECTION = "TensorFlow Object Detection API"
AZURE_ML = "Azure Machine Learning AutoML"
PYTORCH = "PyTorch"
ULTRALYTICS = "Ultralytics"
OTHER_ONNX = "an unknown tool"
CUSTOM_VISION_TENSORS = (["Placeholder", "loss"], ["Placeholder", "model_outputs"])
"""Names of the input and the output of Custom Vision's compact models."""
TEACHABLE_MACHINE_SIDE = 224
"""Side in px of the input of Teachable Machine's image models."""
ZERO_TO_255: dict[str, Any] = {"mean": 0.0, "scale": 1.0}
ZERO_TO_ONE: dict[str, Any] = {"mean": 0.0, "scale": 255.0}
MINUS_ONE_TO_ONE: dict[str, Any] = {"mean": 127.5, "scale": 127.5}
RANGE_HINT = (
    "'mean = 0' and 'scale = 255' for a network trained with 0..1, 'mean = 127.5' and 'scale = 127.5' for -1..1,"
    " or 'scale = 1' if it has a Rescaling layer or takes 0..255"
)
"""The lines of footfall.toml that say which numbers a network takes."""
IMAGENET: dict[str, Any] = {"mean": (123.675, 116.28, 103.53), "scale": (58.395, 57.12, 57.375)}
"""Mean and standard deviation of ImageNet's pixels: 255 times (0.485, 0.456, 0.406) and (0.229, 0.224, 0.225)."""
IMAGENET_HINT = ", 'mean = [123.675, 116.28, 103.53]' and 'scale = [58.395, 57.12, 57.375]' for ImageNet's mean and deviation"
RANGE_HINTS = {KERAS: RANGE_HINT, PYTORCH: RANGE_HINT + IMAGENET_HINT, OTHER_ONNX: RANGE_HINT + IMAGENET_HINT}
"""By tool whose files do not say which numbers a network takes, the lines of footfall.toml that do."""


def recognise(files: ExportFiles, inspection: Inspection, are_numbered: bool) -> tuple[str, dict[str, Any]]:
    """Returns the tool that exported a model, and its values of a description. Both are empty if it is unknown.

    `are_numbered` says whether the lines of the labels had numbers.
    """
    exporter = _recognise(files, inspection, are_numbered)
    is_float = bool(inspection.inputs) and inspection.inputs[0].dtype == np.float32
    values = {
        TEACHABLE_MACHINE: {"colour": "rgb", "fit": "square", **MINUS_ONE_TO_ONE},
        EDGE_IMPULSE: {"colour": "rgb", "fit": "square", **ZERO_TO_ONE},
        KERAS: {"colour": "rgb"},
        OBJECT_DETECTION: MINUS_ONE_TO_ONE,
    }.get(exporter, {})
    values = values | inspection.description
    if inspection.inputs and not is_float:  # the range of whole numbers follows from their quantisation
        values = {key: value for key, value in values.items() if key not in ZERO_TO_ONE} | _range_of(inspection.inputs[0])
    return exporter, values | _custom_vision_values(files.others.get(METADATA_FILE))


def takes_pixels(divisor: float) -> bool:
    """Returns whether a network that divides its input by this number, such as 127.5 or 255, takes pixels from 0 to 255."""
    return 120 < divisor < 260


def needs_range(exporter: str, values: dict[str, Any], inspection: Inspection) -> bool:
    """Returns whether nothing tells which numbers a float network takes, so that a guess would be wrong too often."""
    inputs = inspection.inputs
    if exporter not in RANGE_HINTS or "scale" in values or not inputs or inputs[0].dtype != np.float32:
        return False
    shapes = [output.shape for output in inspection.outputs]
    is_classifier = len(shapes) == 1 and np.prod(shapes[0][:-1]) == 1
    return is_classifier or (len(shapes) == 4 and max(map(len, shapes)) <= 3)


def _recognise(files: ExportFiles, inspection: Inspection, are_numbered: bool) -> str:
    """Returns the first tool whose marks the export has; empty if it has none."""
    others, names = files.others, [one.name for one in (*inspection.inputs, *inspection.outputs)]
    is_one_output = len(inspection.outputs) == 1
    is_square = [one.picture_size for one in inspection.inputs] == [(TEACHABLE_MACHINE_SIDE,) * 2]
    has_name = files.model_file == "model_unquant.tflite"
    marks = (
        (CUSTOM_VISION, not others.keys().isdisjoint({MANIFEST_FILE, METADATA_FILE}) or names in CUSTOM_VISION_TENSORS),
        (inspection.exporter, inspection.exporter),
        (VERTEX, not others.keys().isdisjoint({VERTEX_LABELS, VERTEX_FILE}) or names == ["image", "scores"]),
        (EDGE_IMPULSE, re.search(r"tensorflow-lite-(int8-quantized|float32)-model", files.model_file)),
        (TEACHABLE_MACHINE, are_numbered and is_one_output and (is_square or has_name)),
        (OBJECT_DETECTION, names[:1] == ["normalized_input_image_tensor"]),
        (KERAS, any(re.match(r"serving_default_|(Stateful)?PartitionedCall|Identity(_\d+)?$", name) for name in names)),
    )
    return next((exporter for exporter, is_marked in marks if is_marked), "")


def _range_of(tensor: TensorInfo) -> dict[str, Any]:
    """Returns the range that an int8 input was quantised for; nothing for another input, which takes pixels as they are.

    The network was trained with 0..1, -1..1 or 0..255. The real values that the input can represent show with which.
    """
    if tensor.dtype != np.int8 or not tensor.scale:
        return {}
    lowest, highest = ((level - tensor.zero_point) * tensor.scale for level in (-128, 127))
    if highest > 64:
        return ZERO_TO_255 if lowest > -8 and highest < 280 else {}
    if highest > 1.6 or highest < 0.4:
        return {}
    return MINUS_ONE_TO_ONE if lowest < -0.2 else ZERO_TO_ONE


def _custom_vision_values(metadata: bytes | None) -> dict[str, Any]:
    """Returns the colour order and the anchors, if present. The model itself has everything else in the metadata."""
    try:
        properties = json.loads(metadata or b"{}")
        colour = {"Rgb8": "rgb", "Bgr8": "bgr"}.get(properties.get("Image.BitmapPixelFormat"))
        biases = json.loads(properties.get("CustomVision.Postprocess.Yolo.Biases") or "null")
    except (ValueError, RecursionError, AttributeError, TypeError):  # the model can be served without
        return {}
    values: dict[str, Any] = {"colour": colour} if colour else {}
    if isinstance(biases, list) and biases and len(biases) % 2 == 0 and all(isinstance(one, int | float) for one in biases):
        values["anchors"] = tuple(zip(biases[::2], biases[1::2], strict=True))
    return values
