"""Runs TensorFlow Lite files: by tflite-runtime where it exists, by its successor elsewhere."""

import ctypes
from importlib.metadata import version
from typing import Any

import numpy as np

from classifier.backends import Array, Options, Tensor
from runtime.errors import InvalidSetting

try:
    from tflite_runtime.interpreter import Interpreter, OpResolverType, load_delegate
except ImportError:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType, load_delegate

__all__ = ["Interpreter", "describe", "load"]

DRIVER: str = Interpreter.__module__.partition(".")[0]
"""Which of the two it is."""
ENTRY = "tflite_plugin_create_delegate"
"""What a delegate's library exports (TensorFlow Lite, external delegates)."""


class Model:
    """As `classifier.backends.LoadedModel`."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
        self.inputs = [_tensor(one) for one in inputs]
        self.outputs = [_tensor(one) for one in outputs]
        self._input: int = inputs[0]["index"]
        self._outputs: list[int] = [one["index"] for one in outputs]

    def run(self, tensor: Array) -> list[Array]:
        self._interpreter.set_tensor(self._input, tensor)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]


def load(model: bytes, options: Options) -> Model:
    """As `classifier.backends.Backend.load`."""
    interpreter = Interpreter(
        model_content=model,
        num_threads=options.threads,
        experimental_delegates=[_delegate(options.delegate)] if options.delegate else [],
        experimental_op_resolver_type=(
            OpResolverType.AUTO if options.xnnpack else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        ),
    )
    interpreter.allocate_tensors()
    return Model(interpreter)


def describe(options: Options) -> str:
    """As "tflite_runtime 2.14.0, XNNPACK, 1 thread"."""
    accelerated = options.delegate or ("XNNPACK" if options.xnnpack else "no delegate")
    threads = f"{options.threads} thread{'s' * (options.threads != 1)}"
    return f"{DRIVER} {version(DRIVER.replace('_', '-'))}, {accelerated}, {threads}"


def _tensor(detail: dict[str, Any]) -> Tensor:
    shape = tuple(int(side) for side in detail["shape"])
    return Tensor(detail["name"], shape, np.dtype(detail["dtype"]), *detail["quantization"])


def _delegate(library: str) -> object:
    try:
        getattr(ctypes.CDLL(library), ENTRY)  # checked first, as TensorFlow Lite would fill the log with tracebacks
        return load_delegate(library)
    except AttributeError:
        raise InvalidSetting(f"DELEGATE={library!r}: not a TensorFlow Lite delegate, it has no {ENTRY}") from None
    except (OSError, ValueError) as error:
        reason = str(error).replace("\n", " ")[:200] or "is its accelerator connected?"
        raise InvalidSetting(f"DELEGATE={library!r}: cannot be loaded: {reason}") from None
