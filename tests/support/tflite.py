"""Small TensorFlow Lite models of each shape that is served, written with the file format's own schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import flatbuffers
import numpy as np
import tflite
from numpy.typing import NDArray

Array = NDArray[Any]

TYPES = {
    np.dtype("float32"): tflite.TensorType.FLOAT32,
    np.dtype("float16"): tflite.TensorType.FLOAT16,
    np.dtype("int32"): tflite.TensorType.INT32,
    np.dtype("uint8"): tflite.TensorType.UINT8,
    np.dtype("int8"): tflite.TensorType.INT8,
}


class Quantisation(NamedTuple):
    """Real value = scale x (stored value - zero)."""

    scale: float
    zero: int


class Network:
    """Operators one after the other, from a picture of 1 x side x side x 3 to the outputs that are named."""

    def __init__(self, side: int = 16, dtype: str = "float32", quantisation: Quantisation | None = None) -> None:
        self._builder = flatbuffers.Builder(1024)
        self._buffers: list[int] = []
        self._tensors: list[int] = []
        self._operators: list[int] = []
        self._codes: list[int] = []
        self._outputs: list[int] = []
        self._dtype, self._quantisation = np.dtype(dtype), quantisation
        self._buffer(b"")  # number 0 is nobody's
        self.picture = self.tensor((1, side, side, 3), name="picture")

    def tensor(self, shape: Sequence[int], name: str = "", constant: Array | None = None) -> int:
        """Another tensor's number; a constant has its own type, others that of the network."""
        dtype = self._dtype if constant is None else constant.dtype
        buffer = 0 if constant is None else self._buffer(constant.tobytes())
        text = self._builder.CreateString(name or f"tensor{len(self._tensors)}")
        sizes = self._builder.CreateNumpyVector(np.array(shape, np.int32))
        quantisation = None if constant is not None or self._quantisation is None else self._write_quantisation()
        tflite.TensorStart(self._builder)
        tflite.TensorAddShape(self._builder, sizes)
        tflite.TensorAddType(self._builder, TYPES[dtype])
        tflite.TensorAddBuffer(self._builder, buffer)
        tflite.TensorAddName(self._builder, text)
        if quantisation is not None:
            tflite.TensorAddQuantization(self._builder, quantisation)
        self._tensors.append(tflite.TensorEnd(self._builder))
        return len(self._tensors) - 1

    def pool(self, source: int, cells: int, side: int, name: str = "") -> int:
        """The mean colour of each of cells x cells parts of the picture: 1 x cells x cells x 3."""
        step = side // cells
        result = self.tensor((1, cells, cells, 3), name)
        tflite.Pool2DOptionsStart(self._builder)
        tflite.Pool2DOptionsAddPadding(self._builder, tflite.Padding.VALID)
        for add in (tflite.Pool2DOptionsAddStrideW, tflite.Pool2DOptionsAddStrideH):
            add(self._builder, step)
        for add in (tflite.Pool2DOptionsAddFilterWidth, tflite.Pool2DOptionsAddFilterHeight):
            add(self._builder, step)
        options = tflite.Pool2DOptionsEnd(self._builder)
        kind, version = tflite.BuiltinOptions.Pool2DOptions, 2 if self._dtype == np.int8 else 1
        return self._operator(tflite.BuiltinOperator.AVERAGE_POOL_2D, [source], result, (kind, options), version)

    def reshape(self, source: int, shape: Sequence[int], name: str = "") -> int:
        """The same numbers in another shape."""
        result = self.tensor(shape, name)
        target = self.tensor((len(shape),), constant=np.array(shape, np.int32))
        return self._operator(tflite.BuiltinOperator.RESHAPE, [source, target], result)

    def half(self, values: Array) -> int:
        """A constant that is stored in 16 bits and widened when the model runs, as float16 exports have theirs."""
        stored = self.tensor(values.shape, constant=values.astype(np.float16))
        return self._operator(tflite.BuiltinOperator.DEQUANTIZE, [stored], self.tensor(values.shape))

    def dense(self, source: int, weights: Array, bias: Array, name: str = "", is_half: bool = False) -> int:
        """Weights (outputs x inputs) times the source (1 x inputs), plus a bias."""
        result = self.tensor((1, len(bias)), name)
        weighed = self.half(weights) if is_half else self.tensor(weights.shape, constant=weights.astype(np.float32))
        inputs = [source, weighed, self.tensor(bias.shape, constant=bias.astype(np.float32))]
        tflite.FullyConnectedOptionsStart(self._builder)
        options = tflite.FullyConnectedOptionsEnd(self._builder)
        kind = tflite.BuiltinOptions.FullyConnectedOptions
        return self._operator(tflite.BuiltinOperator.FULLY_CONNECTED, inputs, result, (kind, options))

    def convolve(self, source: int, weights: Array, bias: Array, cells: int) -> int:
        """Weights (outputs x inputs) times the channels of each cell, plus a bias."""
        result = self.tensor((1, cells, cells, len(bias)))
        filters = weights.astype(np.float32)[:, np.newaxis, np.newaxis, :]
        inputs = [source, *(self.tensor(one.shape, constant=one) for one in (filters, bias.astype(np.float32)))]
        tflite.Conv2DOptionsStart(self._builder)
        tflite.Conv2DOptionsAddStrideW(self._builder, 1)
        tflite.Conv2DOptionsAddStrideH(self._builder, 1)
        options = tflite.Conv2DOptionsEnd(self._builder)
        kind = tflite.BuiltinOptions.Conv2DOptions
        return self._operator(tflite.BuiltinOperator.CONV_2D, inputs, result, (kind, options))

    def model(self, *outputs: int) -> bytes:
        """The file, with these tensors as what the model gives."""
        builder = self._builder
        tensors, operators, codes, buffers = map(self._vector, (self._tensors, self._operators, self._codes, self._buffers))
        inputs = builder.CreateNumpyVector(np.array([self.picture], np.int32))
        results = builder.CreateNumpyVector(np.array(outputs, np.int32))
        tflite.SubGraphStart(builder)
        tflite.SubGraphAddTensors(builder, tensors)
        tflite.SubGraphAddInputs(builder, inputs)
        tflite.SubGraphAddOutputs(builder, results)
        tflite.SubGraphAddOperators(builder, operators)
        graphs = self._vector([tflite.SubGraphEnd(builder)])
        tflite.ModelStart(builder)
        tflite.ModelAddVersion(builder, 3)
        tflite.ModelAddOperatorCodes(builder, codes)
        tflite.ModelAddSubgraphs(builder, graphs)
        tflite.ModelAddBuffers(builder, buffers)
        builder.Finish(tflite.ModelEnd(builder), b"TFL3")
        return bytes(builder.Output())

    def _buffer(self, content: bytes) -> int:
        data = self._builder.CreateNumpyVector(np.frombuffer(content, np.uint8)) if content else None
        tflite.BufferStart(self._builder)
        if data is not None:
            tflite.BufferAddData(self._builder, data)
        self._buffers.append(tflite.BufferEnd(self._builder))
        return len(self._buffers) - 1

    def _write_quantisation(self) -> int:
        assert self._quantisation is not None
        scale = self._builder.CreateNumpyVector(np.array([self._quantisation.scale], np.float32))
        zero = self._builder.CreateNumpyVector(np.array([self._quantisation.zero], np.int64))
        tflite.QuantizationParametersStart(self._builder)
        tflite.QuantizationParametersAddScale(self._builder, scale)
        tflite.QuantizationParametersAddZeroPoint(self._builder, zero)
        return int(tflite.QuantizationParametersEnd(self._builder))

    def _operator(
        self, code: int, inputs: Sequence[int], result: int, options: tuple[int, int] | None = None, version: int = 1
    ) -> int:
        tflite.OperatorCodeStart(self._builder)
        tflite.OperatorCodeAddDeprecatedBuiltinCode(self._builder, code)
        tflite.OperatorCodeAddBuiltinCode(self._builder, code)
        tflite.OperatorCodeAddVersion(self._builder, version)
        self._codes.append(tflite.OperatorCodeEnd(self._builder))
        sources = self._builder.CreateNumpyVector(np.array(inputs, np.int32))
        results = self._builder.CreateNumpyVector(np.array([result], np.int32))
        tflite.OperatorStart(self._builder)
        tflite.OperatorAddOpcodeIndex(self._builder, len(self._codes) - 1)
        tflite.OperatorAddInputs(self._builder, sources)
        tflite.OperatorAddOutputs(self._builder, results)
        if options is not None:
            tflite.OperatorAddBuiltinOptionsType(self._builder, options[0])
            tflite.OperatorAddBuiltinOptions(self._builder, options[1])
        self._operators.append(tflite.OperatorEnd(self._builder))
        return result

    def _vector(self, offsets: Sequence[int]) -> int:
        self._builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self._builder.PrependUOffsetTRelative(offset)
        return int(self._builder.EndVector())


def classification(weights: Array, bias: Array, side: int = 16, is_half: bool = False) -> bytes:
    """Probabilities as linear in the picture's mean colour: weights (labels x 3) for 0..255."""
    network = Network(side)
    colour = network.reshape(network.pool(network.picture, 1, side), (1, 3))
    return network.model(network.dense(colour, weights, bias, is_half=is_half))


def quantised(dtype: str, quantisation: Quantisation, side: int = 16) -> bytes:
    """The picture's mean colour as three probabilities, all in whole numbers."""
    network = Network(side, dtype, quantisation)
    return network.model(network.reshape(network.pool(network.picture, 1, side), (1, 3)))


def yolo(weights: Array, bias: Array, cells: int = 4, side: int = 16) -> bytes:
    """A grid of cells, each linear in its part's mean colour: weights (5 x (5 + labels) x 3)."""
    network = Network(side)
    return network.model(network.convolve(network.pool(network.picture, cells, side), weights, bias, cells))


def boxes(outputs: dict[str, tuple[tuple[int, ...], Array, Array]], side: int = 16) -> bytes:
    """Several outputs, each of a shape and linear in the picture's mean colour."""
    network = Network(side)
    colour = network.reshape(network.pool(network.picture, 1, side), (1, 3))
    results = [
        network.reshape(network.dense(colour, weights, bias), shape, name) for name, (shape, weights, bias) in outputs.items()
    ]
    return network.model(*results)
