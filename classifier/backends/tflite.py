"""The backend for TensorFlow Lite. Uses tflite-runtime where it is available, otherwise its successor ai-edge-litert."""

import ctypes
from importlib.metadata import version
from typing import Any

import numpy as np

from classifier.backends import Array, Options, TensorInfo
from runtime.errors import InvalidSetting

try:
    from tflite_runtime.interpreter import Interpreter, OpResolverType, load_delegate
except ImportError:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType, load_delegate

__all__ = ["Interpreter", "describe", "load"]

LIBRARY: str = Interpreter.__module__.partition(".")[0]
"""The package in use."""
ENTRY_POINT = "tflite_plugin_create_delegate"
"""The function that the library of a TensorFlow Lite external delegate exports."""


class Model:
    """A TensorFlow Lite model. Implements `classifier.backends.LoadedModel`."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
        self.inputs = [_tensor_info(one) for one in inputs]
        self.outputs = [_tensor_info(one) for one in outputs]
        self._input: int = inputs[0]["index"]
        self._outputs: list[int] = [one["index"] for one in outputs]

    def run(self, tensor: Array) -> list[Array]:
        self._interpreter.set_tensor(self._input, tensor)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]


def load(model: bytes, options: Options) -> Model:
    """Implements `classifier.backends.Backend.load`."""
    interpreter = Interpreter(
        model_content=model,
        num_threads=options.threads,
        experimental_delegates=[_load_delegate(options.delegate)] if options.delegate else [],
        experimental_op_resolver_type=(
            OpResolverType.AUTO if options.xnnpack else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        ),
    )
    interpreter.allocate_tensors()
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    if not inputs or not outputs:
        found = f"it has {len(inputs)} inputs and {len(outputs)} outputs"
        raise ValueError(f"{found}; it must have one input, and an output")
    return Model(interpreter)


def describe(options: Options) -> str:
    """Returns text such as "tflite_runtime 2.14.0, XNNPACK, 1 thread"."""
    delegate = options.delegate or ("XNNPACK" if options.xnnpack else "no delegate")
    threads = f"{options.threads} thread{'s' * (options.threads != 1)}"
    return f"{LIBRARY} {version(LIBRARY.replace('_', '-'))}, {delegate}, {threads}"


def _tensor_info(detail: dict[str, Any]) -> TensorInfo:
    shape = tuple(int(side) for side in detail["shape"])
    return TensorInfo(detail["name"], shape, np.dtype(detail["dtype"]), *detail["quantization"])


def _load_delegate(library: str) -> object:
    try:
        getattr(ctypes.CDLL(library), ENTRY_POINT)  # checked first: TensorFlow Lite would log tracebacks
        return load_delegate(library)
    except AttributeError:
        raise InvalidSetting(f"DELEGATE={library!r}: not a TensorFlow Lite delegate: it does not export {ENTRY_POINT}") from None
    except (OSError, ValueError) as error:
        reason = str(error).replace("\n", " ")[:200] or "is the accelerator connected?"
        raise InvalidSetting(f"DELEGATE={library!r}: cannot be loaded: {reason}") from None
