"""Small TensorFlow Lite models of each supported shape, written with the schema of the file format."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import flatbuffers
import numpy as np
import tflite
from numpy.typing import NDArray

Array = NDArray[Any]


class Quantisation(NamedTuple):
    """A quantisation: real value = scale x (stored value - zero)."""

    scale: float
    zero: int


class Network:
    """A chain of operators, from a picture of 1 x side x side x 3 to named outputs."""

    def __init__(
        self, side: int = 16, dtype: str = "float32", quantisation: Quantisation | None = None, picture: str = "picture"
    ) -> None:
        self._builder = flatbuffers.Builder(1024)
        self._side, self._dtype, self._quantisation = side, np.dtype(dtype), quantisation
        self._tensors: list[int] = []
        self._operators: list[int] = []
        self._codes: list[int] = []
        self._buffers = [self._table("Buffer")]  # the schema reserves buffer 0
        self.picture = self._tensor((1, side, side, 3), picture)

    def pool(self, cells: int = 1, name: str = "") -> int:
        """Adds the mean colour of each of cells x cells parts of the picture: 1 x cells x cells x 3. Returns the tensor."""
        step = self._side // cells
        window = {"StrideW": step, "StrideH": step, "FilterWidth": step, "FilterHeight": step}
        options = ("Pool2DOptions", window | {"Padding": tflite.Padding.VALID})
        version = 2 if self._dtype == np.int8 else 1
        return self._operator("AVERAGE_POOL_2D", [self.picture], self._tensor((1, cells, cells, 3), name), options, version)

    def reshape(self, source: int, shape: Sequence[int], name: str = "") -> int:
        """Adds a tensor with the same values in another shape. Returns the tensor."""
        return self._operator("RESHAPE", [source, self._constant(np.array(shape, np.int32))], self._tensor(shape, name))

    def convolve(self, source: int, weights: Array, bias: Array, cells: int = 1, is_half: bool = False) -> int:
        """Adds weights (outputs x inputs) times the channels of each cell, plus a bias. Returns the tensor.

        With `is_half` the weights are stored as float16 and dequantised when the model runs, like those of float16 exports.
        """
        filters = weights[:, np.newaxis, np.newaxis, :]
        if is_half:
            stored = self._constant(filters.astype(np.float16))
            weighed = self._operator("DEQUANTIZE", [stored], self._tensor(filters.shape))
        else:
            weighed = self._constant(filters.astype(np.float32))
        inputs = [source, weighed, self._constant(bias.astype(np.float32))]
        options = ("Conv2DOptions", {"StrideW": 1, "StrideH": 1})
        return self._operator("CONV_2D", inputs, self._tensor((1, cells, cells, len(bias))), options)

    def custom(self, name: str) -> int:
        """Adds an operator of an accelerator with the picture as input. Returns its result."""
        fields = {"CustomCode": self._builder.CreateString(name), "DeprecatedBuiltinCode": 32, "BuiltinCode": 32, "Version": 1}
        self._codes.append(self._table("OperatorCode", **fields))
        result = self._tensor((1, 3))
        ends = {"Inputs": self._numbers([self.picture]), "Outputs": self._numbers([result])}
        self._operators.append(self._table("Operator", OpcodeIndex=len(self._codes) - 1, **ends))
        return result

    def model(self, *outputs: int, metadata: bytes = b"") -> bytes:
        """Returns the model file, with these tensors as outputs, and TensorFlow Lite metadata if there is any."""
        described: dict[str, int] = {}
        if metadata:
            self._buffers.append(self._table("Buffer", Data=self._numbers(list(metadata), np.uint8)))
            name = self._builder.CreateString("TFLITE_METADATA")
            described = {"Metadata": self._vector([self._table("Metadata", Name=name, Buffer=len(self._buffers) - 1)])}
        graph = self._table(
            "SubGraph",
            Tensors=self._vector(self._tensors),
            Inputs=self._numbers([self.picture]),
            Outputs=self._numbers(outputs),
            Operators=self._vector(self._operators),
        )
        model = self._table(
            "Model",
            Version=3,
            OperatorCodes=self._vector(self._codes),
            Subgraphs=self._vector([graph]),
            Buffers=self._vector(self._buffers),
            **described,
        )
        self._builder.Finish(model, b"TFL3")
        return bytes(self._builder.Output())

    def _constant(self, values: Array) -> int:
        """Adds a constant tensor of the values' own type. Returns the tensor."""
        self._buffers.append(self._table("Buffer", Data=self._numbers(list(values.tobytes()), np.uint8)))
        return self._tensor(values.shape, dtype=values.dtype, buffer=len(self._buffers) - 1)

    def _tensor(self, shape: Sequence[int], name: str = "", dtype: np.dtype[Any] | None = None, buffer: int = 0) -> int:
        """Adds a tensor and returns its number. Without `dtype` it has the network's type and quantisation."""
        fields = {"Name": self._builder.CreateString(name or f"tensor{len(self._tensors)}"), "Shape": self._numbers(shape)}
        if dtype is None and self._quantisation is not None:
            scale = self._numbers([self._quantisation.scale], np.float32)
            zero = self._numbers([self._quantisation.zero], np.int64)
            fields["Quantization"] = self._table("QuantizationParameters", Scale=scale, ZeroPoint=zero)
        kind = getattr(tflite.TensorType, (dtype or self._dtype).name.upper())
        self._tensors.append(self._table("Tensor", Type=kind, Buffer=buffer, **fields))
        return len(self._tensors) - 1

    def _operator(
        self, name: str, inputs: Sequence[int], result: int, options: tuple[str, dict[str, int]] | None = None, version: int = 1
    ) -> int:
        """Adds an operator with its options (a table's name and fields). Returns the result."""
        code = getattr(tflite.BuiltinOperator, name)
        self._codes.append(self._table("OperatorCode", DeprecatedBuiltinCode=code, BuiltinCode=code, Version=version))
        fields = {"OpcodeIndex": len(self._codes) - 1, "Inputs": self._numbers(inputs), "Outputs": self._numbers([result])}
        if options is not None:
            kind = getattr(tflite.BuiltinOptions, options[0])
            fields |= {"BuiltinOptionsType": kind, "BuiltinOptions": self._table(options[0], **options[1])}
        self._operators.append(self._table("Operator", **fields))
        return result

    def _table(self, name: str, **fields: int) -> int:
        """Writes a table of the schema, whose vectors and tables must already be written. Returns its offset."""
        getattr(tflite, f"{name}Start")(self._builder)
        for field, value in fields.items():
            getattr(tflite, f"{name}Add{field}")(self._builder, value)
        return int(getattr(tflite, f"{name}End")(self._builder))

    def _numbers(self, values: Sequence[float], dtype: type = np.int32) -> int:
        return int(self._builder.CreateNumpyVector(np.array(values, dtype)))

    def _vector(self, offsets: Sequence[int]) -> int:
        self._builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self._builder.PrependUOffsetTRelative(offset)
        return int(self._builder.EndVector())


def classification(weights: Array, bias: Array, side: int = 16, is_half: bool = False) -> bytes:
    """Returns a classifier whose probabilities are linear in the mean colour (0..255): weights (labels x 3)."""
    return boxes({"probabilities": ((1, len(bias)), weights, bias)}, side, is_half)


def named(names: tuple[str, str], scale: float = 255, offset: float = 0, side: int = 16, metadata: bytes = b"") -> bytes:
    """Returns a float classifier that outputs its mean colour times 255 / `scale`, plus `offset`; input and output have names.

    It gives the colour as parts of 1 if it takes (pixel - mean) / `scale`, where `offset` is mean / 255.
    """
    network = Network(side, picture=names[0])
    colour = network.convolve(network.pool(), np.eye(3) * scale / 255, np.full(3, offset))
    return network.model(network.reshape(colour, (1, 3), names[1]), metadata=metadata)


def quantised(dtype: str, quantisation: Quantisation, side: int = 16, picture: str = "picture") -> bytes:
    """Returns a quantised classifier that outputs the mean colour as three probabilities."""
    network = Network(side, dtype, quantisation, picture)
    return network.model(network.reshape(network.pool(), (1, 3)))


def pixels(shape: Sequence[int], side: int, dtype: str = "float32") -> bytes:
    """Returns a model whose output has the values of its input, side x side x 3, in another shape; uint8 and int8 mean 0..1."""
    quantisation = None if dtype == "float32" else Quantisation(1 / 255, int(np.iinfo(dtype).min))
    network = Network(side, dtype, quantisation)
    return network.model(network.reshape(network.pool(side), shape))


def yolo(weights: Array, bias: Array, cells: int = 4, side: int = 16) -> bytes:
    """Returns a YOLO detector with a grid of cells, each linear in its mean colour: weights (5 x (5 + labels) x 3)."""
    network = Network(side)
    return network.model(network.convolve(network.pool(cells), weights, bias, cells))


def boxes(outputs: dict[str, tuple[tuple[int, ...], Array, Array]], side: int = 16, is_half: bool = False) -> bytes:
    """Returns a model with several outputs, each with its shape and linear in the mean colour."""
    network = Network(side)
    colour, results = network.pool(), []
    for name, (shape, weights, bias) in outputs.items():
        results.append(network.reshape(network.convolve(colour, weights, bias, is_half=is_half), shape, name))
    return network.model(*results)
