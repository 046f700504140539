"""The contents of an ONNX file that say what the model is: names, metadata and class labels. Works without onnxruntime.

ONNX files are protocol buffers; the field numbers below are those of onnx.proto (github.com/onnx/onnx). Weights are skipped.
"""

import struct
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from classifier.protobuf import Reader, Value

DTYPES = {1: "float32", 2: "uint8", 3: "int8", 6: "int32", 7: "int64", 10: "float16", 11: "float64"}
"""Names of the types of elements in TensorProto.DataType."""
MAX_FIRST_NODES = 8
"""Operators in which the division of the picture is looked for."""
_EXTERNAL = 1
"""TensorProto.DataLocation of weights in another file."""


class OnnxTensor(NamedTuple):
    """An input or output. Dimensions that the file leaves open are 0. `dtype` is empty if it is not a tensor of numbers."""

    name: str
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class OnnxFile:
    """What an ONNX file says about its model."""

    producer: str = ""
    """The program that wrote the file, such as ``pytorch`` or ``tf2onnx``."""
    metadata: dict[str, str] = field(default_factory=dict)
    inputs: tuple[OnnxTensor, ...] = ()
    outputs: tuple[OnnxTensor, ...] = ()
    class_labels: tuple[str, ...] = ()
    """The labels of a ZipMap, the operator that returns a probability for each label, in the order of its input."""
    has_external_weights: bool = False
    """Whether weights are in another file."""
    divisor: float = 0.0
    """The number by which the first operators divide the picture, such as 255; 0 if they do not."""


def read_onnx_file(model: bytes) -> OnnxFile:
    """Reads the contents of an ONNX file. Raises `ValueError`."""
    try:
        return _read_model(Reader(), memoryview(model))
    except ValueError as error:
        raise ValueError(f"not an ONNX model, or a damaged one: {error}") from None


def _read_model(reader: Reader, model: memoryview) -> OnnxFile:
    producer, metadata, graph = "", dict[str, str](), OnnxFile()
    for number, value in reader.fields(model):
        if number == 2:
            producer = _text(value)
        elif number == 7:
            graph = _read_graph(reader, _message(value))
        elif number == 14:
            entry = dict(reader.fields(_message(value)))
            metadata[_text(entry.get(1, b""))] = _text(entry.get(2, b""))
    if not graph.outputs:
        raise ValueError("it has no outputs")
    return replace(graph, producer=producer, metadata=metadata)


class _Node(NamedTuple):
    kind: str
    inputs: list[str]
    output: str


def _read_graph(reader: Reader, graph: memoryview) -> OnnxFile:
    tensors: dict[int, list[OnnxTensor]] = {11: [], 12: []}
    weights: dict[str, float] = {}
    nodes: list[_Node] = []
    labels, is_external = tuple[str, ...](), False
    for number, value in reader.fields(graph):
        if number == 1:
            fields = list(reader.fields(_message(value)))
            nodes += [_read_node(fields)] if len(nodes) < MAX_FIRST_NODES else []
            labels = labels or _zip_map_labels(reader, fields)
        elif number == 5:
            weight = dict(reader.fields(_message(value)))
            weights[_text(weight.get(8, b""))] = _read_number(weight.get(9))
            is_external = is_external or weight.get(14) == _EXTERNAL
        elif number in tensors:
            tensors[number].append(_read_tensor(reader, _message(value)))
    inputs = tuple(one for one in tensors[11] if one.name not in weights)  # old files list their weights as inputs, too
    divisor = _find_divisor(nodes, weights, {one.name for one in inputs})
    return OnnxFile("", {}, inputs, tuple(tensors[12]), labels, is_external, divisor)


def _read_node(fields: list[tuple[int, Value]]) -> _Node:
    names = [_text(value) for number, value in fields if number == 1]
    texts = {number: _text(value) for number, value in reversed(fields) if number in (2, 4)}
    return _Node(texts.get(4, ""), names, texts.get(2, ""))


def _read_number(raw: Value | None) -> float:
    """Returns the value of a constant that is one float32; 0 for any other."""
    return float(struct.unpack("<f", raw)[0]) if isinstance(raw, memoryview) and len(raw) == 4 else 0.0


def _find_divisor(nodes: list[_Node], constants: dict[str, float], pictures: set[str]) -> float:
    """Returns the number by which the first operator that changes the picture's values divides them; 0 if it does not."""
    for node in nodes:
        used = [name for name in node.inputs if name in pictures]
        if used and node.kind in ("Cast", "Identity", "Transpose"):
            pictures = pictures | {node.output}
        elif used:
            number = constants.get(node.inputs[-1], 0.0) if len(node.inputs) == 2 else 0.0
            return number if node.kind == "Div" else 1 / number if node.kind == "Mul" and number else 0.0
    return 0.0


def _zip_map_labels(reader: Reader, fields: list[tuple[int, Value]]) -> tuple[str, ...]:
    """Returns the attribute classlabels_strings of a node, if it is a ZipMap."""
    if not any(number == 4 and _is_text(value, b"ZipMap") for number, value in fields):
        return ()
    for number, value in fields:
        if number == 5:
            attribute = list(reader.fields(_message(value)))
            if any(key == 1 and _is_text(name, b"classlabels_strings") for key, name in attribute):
                return tuple(_text(label) for key, label in attribute if key == 9)
    return ()


def _read_tensor(reader: Reader, info: memoryview) -> OnnxTensor:
    fields = dict(reader.fields(info))
    kind = dict(reader.fields(_message(fields.get(2, b"")))).get(1, b"")
    tensor = dict(reader.fields(_message(kind)))
    shape = []
    for number, value in reader.fields(_message(tensor.get(2, b""))):
        if number == 1:
            side = dict(reader.fields(_message(value))).get(1, 0)
            shape.append(side if isinstance(side, int) and side < 2**31 else 0)
    element = tensor.get(1, 0)
    return OnnxTensor(_text(fields.get(1, b"")), DTYPES.get(element, "") if isinstance(element, int) else "", tuple(shape))


def _message(value: int | bytes | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError("it is no protocol buffer")
    return memoryview(value)


def _is_text(value: Value, text: bytes) -> bool:
    return isinstance(value, memoryview) and value == text


def _text(value: int | bytes | memoryview) -> str:
    return bytes(_message(value)).decode(errors="replace")
