"""The trial of a model in a separate process, which it may crash: python -m classifier.trial tflite < model.tflite"""

import resource
import signal
import sys
from collections.abc import Iterator

import numpy as np

from classifier import backends
from classifier.backends import Array, TensorInfo

MAX_MEMORY = 2 << 30
"""Upper bound for the memory of the trial, in bytes. Linux counts all that is allocated; macOS does not enforce it."""


def main() -> None:
    """Loads the model and runs it twice. Ends with one line on stderr or a signal if that fails."""
    signal.alarm(60)  # ends this process even if its parent was killed
    model = sys.stdin.buffer.read()
    _limit_memory()
    try:
        loaded = backends.get_backend(sys.argv[1]).load(model, backends.Options())
        for tensor in _test_tensors(loaded.inputs[0]):
            loaded.run(tensor)
    except MemoryError:
        sys.exit(f"it needs more than {MAX_MEMORY >> 30} GiB of memory")
    except Exception as error:
        sys.exit("; ".join(str(error).split("\n")) or type(error).__name__)


def _test_tensors(picture: TensorInfo) -> Iterator[Array]:
    """Yields a tensor of zeros, and one of random pixels: a model may crash or hang with some pictures only."""
    yield np.zeros(picture.shape, picture.dtype)
    pixels = np.random.default_rng(1).integers(0, 256, picture.shape, np.uint8)
    yield pixels.view(np.int8) if picture.dtype == np.int8 else pixels.astype(picture.dtype)


def _limit_memory() -> None:
    """Sets the limit, unless there is a lower one already."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = MAX_MEMORY if hard == resource.RLIM_INFINITY else min(hard, MAX_MEMORY)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


if __name__ == "__main__":
    main()
