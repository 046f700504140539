"""Small ONNX models of each supported shape, written with the schema of the file format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Array = NDArray[Any]
TYPES = {"float32": TensorProto.FLOAT, "float16": TensorProto.FLOAT16, "uint8": TensorProto.UINT8, "int64": TensorProto.INT64}


class Network:
    """A graph from one picture to named outputs. Each method adds an operator and returns the name of its result."""

    def __init__(self, shape: Sequence[int | str | None] = (1, 3, 16, 16), name: str = "picture", dtype: str = "float32") -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []
        self._input = helper.make_tensor_value_info(name, TYPES[dtype], list(shape))
        self._outputs: list[onnx.ValueInfoProto] = []
        self._metadata: dict[str, str] = {}
        self.picture = name

    def add(self, kind: str, *inputs: str | Array, domain: str = "", name: str = "", **attributes: Any) -> str:
        """Adds an operator; arrays among its inputs become constants."""
        names = [one if isinstance(one, str) else self._constant(one) for one in inputs]
        result = name or f"{kind}{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, names, [result], domain=domain, **attributes))
        return result

    def colour(self) -> str:
        """Adds the mean of each channel of a picture with channels first, as 1 x 3 in float32."""
        return self.add("Flatten", self.add("GlobalAveragePool", self.add("Cast", self.picture, to=TensorProto.FLOAT)))

    def output(self, source: str, name: str, shape: Sequence[int | str | None], dtype: str = "float32") -> None:
        """Makes an output of a result."""
        self.add("Cast", source, name=name, to=TYPES[dtype])
        self._outputs.append(helper.make_tensor_value_info(name, TYPES[dtype], list(shape)))

    def zip_map(self, source: str, labels: Sequence[str], name: str = "loss") -> None:
        """Makes outputs of probabilities, as Custom Vision does: the best label, and the probability of each label."""
        best = self.add("ArgMax", source, axis=1, keepdims=0)
        keys = {"keys_int64s": list(range(len(labels))), "values_strings": labels}
        self.add("LabelEncoder", best, domain="ai.onnx.ml", name="classLabel", default_string="", **keys)
        self.add("ZipMap", source, domain="ai.onnx.ml", name=name, classlabels_strings=labels)
        mapping = helper.make_map_type_proto(TensorProto.STRING, helper.make_tensor_type_proto(TensorProto.FLOAT, []))
        self._outputs += [
            helper.make_tensor_value_info("classLabel", TensorProto.STRING, [1]),
            helper.make_value_info(name, helper.make_sequence_type_proto(mapping)),
        ]

    def model(self, metadata: Mapping[str, str] | None = None, producer: str = "pytorch") -> bytes:
        """Returns the model file."""
        graph = helper.make_graph(self._nodes, "graph", [self._input], self._outputs, self._weights)
        versions = [helper.make_opsetid("", 13), helper.make_opsetid("ai.onnx.ml", 2)]
        model = helper.make_model(graph, producer_name=producer, opset_imports=versions, ir_version=8)
        helper.set_model_props(model, dict(metadata or {}))
        return bytes(model.SerializeToString())

    def _constant(self, values: Array) -> str:
        name = f"constant{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(values, name))
        return name


def linear(
    outputs: Mapping[str, tuple[Sequence[int], Array, Array]],
    shape: Sequence[int | str | None] = (1, 3, 16, 16),
    name: str = "picture",
    metadata: Mapping[str, str] | None = None,
    dtypes: Mapping[str, str] | None = None,
) -> bytes:
    """Returns a model with outputs that are linear in the mean colour of the picture: by name, its shape, weights and bias.

    The weights of an output with n elements are n x 3, the bias has n elements.
    """
    network = Network(shape, name)
    colour = network.colour()
    for key, (size, weights, bias) in outputs.items():
        values = network.add("Gemm", colour, weights.T.astype(np.float32), bias.astype(np.float32))
        network.output(network.add("Reshape", values, np.array(size, np.int64)), key, size, (dtypes or {}).get(key, "float32"))
    return network.model(metadata)
