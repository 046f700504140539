"""What a TensorFlow Lite file says about itself: its tensors, its metadata, and the files that were appended to it as a zip.

Sources of the field numbers: the schemas of TensorFlow Lite (tensorflow/lite/schema/schema.fbs) and of its metadata
(tensorflow_lite_support/metadata/metadata_schema.fbs).
"""

import logging
import re
import struct
import zipfile
from typing import Any

import numpy as np
from flatbuffers import number_types as types

from classifier import InvalidExport
from classifier.backends import TensorInfo
from classifier.exporters import ULTRALYTICS, ZERO_TO_255, takes_pixels
from classifier.filetypes import is_tflite
from classifier.flatbuffer import DamagedTable, Table
from classifier.inspectors import Inspection
from classifier.labels import parse_labels
from classifier.ultralytics import read_metadata
from classifier.zips import BoundedBytes, read_entry
from runtime.logs import one_line

log = logging.getLogger(__name__)

EDGE_TPU_OPERATOR = "edgetpu-custom-op"
EDGE_TPU_DELEGATE = "libedgetpu.so.1"
MAX_FILE_SIZE = 256 * 1024
MAX_FILES = 16
"""Upper bounds of an appended file in bytes, and of their number."""
_DTYPES = {0: "float32", 1: "float16", 2: "int32", 3: "uint8", 4: "int64", 9: "int8"}
"""Names of the types in `TensorType`."""
_MULTIPLY = 18
"""`BuiltinOperator.MUL`."""
_NORMALISATION, _IMAGE, _RGB, _LABEL_FILES = 1, 2, 1, (2, 3)
"""Values of `ProcessUnitOptions`, `ContentProperties`, `ColorSpaceType` and `AssociatedFileType`."""


def inspect(model: bytes) -> Inspection:
    """Implements the function of `classifier.inspectors`."""
    if not is_tflite(model):
        return Inspection()
    try:
        root = Table.root(model)
        graph = root.item(2, 0)
        inputs, outputs = (_tensors(graph, field) if graph else () for field in (1, 2))
        is_edge_tpu = any(code.text(1) == EDGE_TPU_OPERATOR for code in root.tables(1))
        description, label_file = _read_metadata(root)
        if graph and _scales_its_input(root, graph):
            description = ZERO_TO_255 | description
    except DamagedTable:
        return Inspection()
    labels: tuple[str, ...] = ()
    exporter, files = "", _appended_files(model)
    ultralytics = next((name for name, content in files.items() if re.match(rb"\s*\{.*names['\"]:", content, re.DOTALL)), "")
    if ultralytics:
        labels, description = read_metadata(files[ultralytics], f"{ultralytics} inside the model")
        exporter = ULTRALYTICS
    elif name := _label_file(files, label_file):
        labels = parse_labels(files[name], f"{name} inside the model")
    return Inspection(labels, exporter, description, inputs, outputs, EDGE_TPU_DELEGATE if is_edge_tpu else "")


def _tensors(graph: Table, field: int) -> tuple[TensorInfo, ...]:
    """Returns the inputs or outputs of a graph."""
    found = []
    for index in graph.numbers(field)[:64]:
        if tensor := graph.item(0, int(index)):
            quantisation = tensor.table(4)
            scales = quantisation.numbers(2, types.Float32Flags) if quantisation else []
            zeros = quantisation.numbers(3, types.Int64Flags) if quantisation else []
            shape = tuple(int(side) for side in tensor.numbers(0))
            dtype = np.dtype(_DTYPES.get(tensor.number(1, types.Int8Flags), "O"))
            step = (scales[0], int(zeros[0])) if len(scales) == len(zeros) == 1 else (0.0, 0)
            found.append(TensorInfo(tensor.text(3), shape, dtype, *step))
    return tuple(found)


def _scales_its_input(root: Table, graph: Table) -> bool:
    """Returns whether the first operator multiplies the picture by about 1/255 or 1/127.5, so that the network takes 0..255.

    Keras' layer Rescaling and its preprocess_input become such an operator if an offset follows. Without an offset, the converter
    moves the factor into the weights, where it cannot be seen.
    """
    first = graph.item(3, 0)
    code = root.item(1, first.number(0, types.Uint32Flags)) if first else None
    if not first or not code or code.number(0, types.Int8Flags) != _MULTIPLY:
        return False
    used, pictures = first.numbers(1), graph.numbers(1)
    factor = graph.item(0, int(used[1])) if len(used) == 2 and used[:1] == pictures else None
    buffer = root.item(4, factor.number(2, types.Uint32Flags)) if factor else None
    content = buffer.content(0) if buffer else b""
    number = struct.unpack("<f", content)[0] if len(content) == 4 else 0.0
    return number != 0 and takes_pixels(1 / number)


def _read_metadata(root: Table) -> tuple[dict[str, Any], str]:
    """Returns the values of a description, and the name of the appended file with the labels, from TensorFlow Lite metadata."""
    number = next((one.number(1, types.Uint32Flags) for one in root.tables(6) if one.text(0) == "TFLITE_METADATA"), 0)
    buffer = root.item(4, number) if number else None
    content = buffer.content(0) if buffer else b""
    graph = Table.root(content).item(3, 0) if content else None
    if graph is None:
        return {}, ""
    picture, values, name = graph.item(2, 0), dict[str, Any](), ""
    if picture is not None:
        kind = picture.table(3)
        properties = kind.table(1) if kind and kind.number(0, types.Uint8Flags) == _IMAGE else None
        if properties and properties.number(0, types.Int8Flags) == _RGB:
            values["colour"] = "rgb"
        for unit in picture.tables(4):
            options = unit.table(1) if unit.number(0, types.Uint8Flags) == _NORMALISATION else None
            if options is not None:
                values |= _normalisation(options.numbers(0, types.Float32Flags), options.numbers(1, types.Float32Flags))
    for output in graph.tables(3):
        for file in output.tables(6):
            if file.number(2, types.Int8Flags) in _LABEL_FILES and not file.text(3):  # not those in other languages
                name = name or file.text(0)
    return values, name


def _normalisation(mean: list[float], deviation: list[float]) -> dict[str, Any]:
    """Returns mean and scale, of one number or three each; nothing if they are damaged."""
    if not (len(mean) in (1, 3) and len(deviation) in (1, 3) and np.isfinite([*mean, *deviation]).all() and min(deviation) > 0):
        return {}
    return {
        "mean": mean[0] if len(mean) == 1 else tuple(mean),
        "scale": deviation[0] if len(deviation) == 1 else tuple(deviation),
    }


def _appended_files(model: bytes) -> dict[str, bytes]:
    """Returns the appended text files by name; none if no zip is appended. Raises `InvalidExport` for one that cannot be read."""
    if b"PK\x05\x06" not in model[-66_000:]:
        return {}
    try:
        with zipfile.ZipFile(BoundedBytes(model)) as archive:
            texts = [one for one in archive.infolist() if one.filename.endswith((".txt", ".json"))]
            entries = [one for one in texts if one.filename.isprintable()][:MAX_FILES]
            return {one.filename: read_entry(archive, one, one.filename, MAX_FILE_SIZE) for one in entries}
    except InvalidExport as error:
        raise InvalidExport(f"files inside the model: {error}") from None
    except Exception as error:  # zipfile's errors have no common base class
        log.info("the files inside the model cannot be read (%s); they are ignored", one_line(str(error)[:200]))
        return {}


def _label_file(files: dict[str, bytes], name: str) -> str:
    """Returns the name of the file with the labels: the one that the metadata names, or else the only one that may be it."""
    if name in files:
        return name
    texts = [one for one in files if one.endswith(".txt")]
    named = [one for one in texts if "label" in one.lower()]
    return next((found[0] for found in (named, texts) if len(found) == 1), "")
