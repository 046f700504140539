"""The one place that knows TensorFlow Lite: tflite-runtime where it exists, its successor elsewhere."""

import ctypes
from dataclasses import dataclass
from importlib.metadata import version

from bus import InvalidSetting

try:
    from tflite_runtime.interpreter import Interpreter, OpResolverType, load_delegate
except ImportError:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType, load_delegate

__all__ = ["NAME", "Interpreter", "Runtime"]

NAME: str = Interpreter.__module__.partition(".")[0]
"""Which of the two it is."""
ENTRY = "tflite_plugin_create_delegate"
"""What a delegate's library has to offer (TensorFlow Lite, external delegates)."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """How models are run: by how many threads, with XNNPACK or not, and by which delegate library, if any."""

    threads: int = 1
    xnnpack: bool = True
    delegate: str | None = None

    def load(self, model: bytes) -> Interpreter:
        """An interpreter of its own. Raises `InvalidSetting` for the delegate, ValueError or RuntimeError for the model."""
        return Interpreter(
            model_content=model,
            num_threads=self.threads,
            experimental_delegates=[_delegate(self.delegate)] if self.delegate else [],
            experimental_op_resolver_type=(
                OpResolverType.AUTO if self.xnnpack else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
            ),
        )

    def __str__(self) -> str:
        """For people: "tflite_runtime 2.14.0, XNNPACK, 1 thread"."""
        accelerated = self.delegate or ("XNNPACK" if self.xnnpack else "no delegate")
        return f"{NAME} {version(NAME.replace('_', '-'))}, {accelerated}, {self.threads} thread{'s' * (self.threads != 1)}"


def _delegate(library: str) -> object:
    try:
        getattr(ctypes.CDLL(library), ENTRY)  # looked at first, as TensorFlow Lite would litter the log with tracebacks
        return load_delegate(library)
    except AttributeError:
        raise InvalidSetting(f"DELEGATE={library!r}: not a TensorFlow Lite delegate, it has no {ENTRY}") from None
    except (OSError, ValueError) as error:
        reason = str(error).replace("\n", " ")[:200] or "is its accelerator connected?"
        raise InvalidSetting(f"DELEGATE={library!r}: cannot be loaded: {reason}") from None
