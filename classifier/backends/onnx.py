"""The backend for ONNX, with onnxruntime on the CPU. The library is an extra; there is none for 32-bit ARM."""

import logging
import os
import re
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from classifier.backends import Array, Options, TensorInfo
from classifier.onnx_file import OnnxFile, read_onnx_file
from classifier.ultralytics import parse_literal
from runtime.logs import one_line

log = logging.getLogger(__name__)

TYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float32",  # converted: half-precision files keep the interface of full precision
    "tensor(double)": "float64",
    "tensor(uint8)": "uint8",
    "tensor(int8)": "int8",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
}
STRINGS = "tensor(string)"
FATAL = 4
"""The log level of onnxruntime at which it writes nothing to stderr: errors are raised as well."""
RCNN_SIZE = (600, 800)
"""Height and width (px) for Azure ML's Faster R-CNN and RetinaNet, which take any. These are the values of Microsoft's page "Make
predictions with ONNX on computer vision models from AutoML"."""


class Model:
    """An ONNX model. Implements `classifier.backends.LoadedModel`."""

    def __init__(self, session: Any, file: OnnxFile) -> None:
        (picture,) = session.get_inputs()
        self._session, self._labels = session, file.class_labels
        self._type = np.float16 if picture.type == "tensor(float16)" else None
        self._outputs = [one.name for one in session.get_outputs() if one.type != STRINGS]
        if not self._outputs:
            raise ValueError("it has no output of numbers")
        shape = _input_shape(picture.shape, _open_size(file))
        self.inputs = [TensorInfo(picture.name, shape, np.dtype(TYPES.get(picture.type, "object")))]
        # A file may leave the shapes of its outputs open, or have wrong ones.
        found = self.run(np.zeros(shape, self.inputs[0].dtype))
        self.outputs = [TensorInfo(name, one.shape, one.dtype) for name, one in zip(self._outputs, found, strict=True)]

    def run(self, tensor: Array) -> list[Array]:
        values = tensor if self._type is None else tensor.astype(self._type)
        try:
            found = self._session.run(self._outputs, {self.inputs[0].name: values})
        except Exception as error:  # onnxruntime's errors have no common base class
            raise _translate(error, RuntimeError) from None
        return [_to_array(one, self._labels) for one in found]


def load(model: bytes, options: Options) -> Model:
    """Implements `classifier.backends.Backend.load`."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # from 1.29 on, it would otherwise send data to Microsoft; read when it is imported
    try:
        import onnxruntime  # noqa: PLC0415  # an extra
    except ImportError:
        raise ValueError(f"an ONNX model, but onnxruntime is not installed: {_remedy()}") from None
    file = read_onnx_file(model)
    if file.has_external_weights:
        raise ValueError("its weights are in another file; export the model with all its weights inside")
    onnxruntime.set_default_logger_severity(FATAL)
    onnxruntime.disable_telemetry_events()
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = FATAL
    settings.intra_op_num_threads = options.threads
    settings.inter_op_num_threads = 1
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads must not use the CPU
    if options.delegate:
        log.warning("DELEGATE=%r does not apply to ONNX models; onnxruntime uses the CPU", options.delegate)
    try:
        session = onnxruntime.InferenceSession(model, settings, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors have no common base class
        raise _translate(error, ValueError) from None
    inputs = [one.name for one in session.get_inputs()]
    if len(inputs) != 1:
        raise ValueError(f"it has {len(inputs)} inputs ({', '.join(inputs)[:100]}); it must have one, for the picture")
    return Model(session, file)


def describe(options: Options) -> str:
    """Returns text such as "onnxruntime 1.28.0, CPU, 1 thread"."""
    return f"onnxruntime {version('onnxruntime')}, CPU, {options.threads} thread{'s' * (options.threads != 1)}"


def _remedy() -> str:
    if sys.maxsize < 2**32:
        return "there is none for 32-bit ARM; export the model as TensorFlow Lite"
    return "install the extra onnx (make onnx; for an image: --build-arg ONNX=yes), or export the model as TensorFlow Lite"


def _open_size(file: OnnxFile) -> tuple[int, int] | None:
    """Returns the height and width (px) for an input that takes any, if the exporter has them."""
    if {"boxes", "labels", "scores"} <= {one.name.removesuffix("_0") for one in file.outputs}:
        return RCNN_SIZE
    try:
        height, width = parse_literal(file.metadata.get("imgsz", ""))  # Ultralytics
        return int(height), int(width)
    except (TypeError, ValueError, OverflowError):
        return None


def _input_shape(declared: Sequence[int | str | None], size: tuple[int, int] | None) -> tuple[int, ...]:
    """Returns the shape of the input for one picture. Dimensions that the file leaves open are names or None."""
    shape = [one if isinstance(one, int) and one > 0 else 0 for one in declared]
    if len(shape) != 4:
        return tuple(one or 1 for one in shape)  # refused by `classifier.model`
    shape[0] = shape[0] or 1
    if all(shape):
        return tuple(shape)
    if size is None or not all(0 < side <= 4096 for side in size):
        found = " x ".join(str(one) for one in declared)
        raise ValueError(f"its input is {found}, so height and width are open; export the model with a fixed size")
    return (1, *size, 3) if shape[3] == 3 else (1, 3, *size)


def _to_array(value: Any, labels: Sequence[str]) -> Array:
    """Returns an output as an array. That of a ZipMap is one mapping from labels to probabilities for each picture."""
    if isinstance(value, list):
        order = labels or sorted(value[0])
        return np.array([[one[label] for label in order] for one in value], np.float32)
    array = np.asarray(value)
    return array.astype(np.float32) if array.dtype == np.float16 else array


def _translate(error: Exception, kind: type[Exception]) -> Exception:
    """Returns an error for one of onnxruntime's, whose messages begin with "[ONNXRuntimeError] : 7 : INVALID_PROTOBUF : "."""
    reason = one_line(re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", str(error))[:200])
    return MemoryError(reason) if re.search("allocate memory|bad.alloc", str(error)) else kind(reason)
