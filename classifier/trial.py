"""The trial of a model in a separate process, which it may crash: python -m classifier.trial tflite < model.tflite"""

import re
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from classifier import backends
from classifier.backends import Array, TensorInfo
from runtime import memory

MAX_MEMORY = 2 << 30
"""Upper bound of the memory of a model, in bytes."""


def main() -> None:
    """Loads the model and runs it twice. Ends with one line on stderr or a signal if that fails."""
    signal.alarm(60)  # ends this process even if its parent was killed
    backend = backends.get_backend(sys.argv[1])
    limit = _limit_memory()
    try:
        loaded = backend.load(sys.stdin.buffer.read(), backends.Options())
        for tensor in _test_tensors(loaded.inputs[0]):
            loaded.run(tensor)
    except MemoryError:
        sys.exit(f"it needs more than {limit >> 20} MiB of memory{', which is what is left' if limit < MAX_MEMORY else ''}")
    except Exception as error:
        sys.exit("; ".join(str(error).split("\n")) or type(error).__name__)


def _test_tensors(picture: TensorInfo) -> Iterator[Array]:
    """Yields a tensor of zeros, and one of random pixels: a model may crash or hang with some pictures only."""
    yield np.zeros(picture.shape, picture.dtype)
    pixels = np.random.default_rng(1).integers(0, 256, picture.shape, np.uint8)
    yield pixels.view(np.int8) if picture.dtype == np.int8 else pixels.astype(picture.dtype)


def _limit_memory() -> int:
    """Limits what the model can allocate to what the machine or container has left, and returns that, in bytes.

    The classifier then has room for the model too: it loads it when this process has ended. Should memory run out nevertheless,
    Linux ends this process first. macOS does not enforce the limit.
    """
    left = memory.available()
    limit, used = MAX_MEMORY if left is None else min(left, MAX_MEMORY), 0
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
        used = int(re.findall(r"VmData:\s+(\d+)", Path("/proc/self/status").read_text())[0]) * 1024
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        limit = max(0, min(limit, hard - used))
    resource.setrlimit(resource.RLIMIT_DATA, (used + limit, hard))
    return limit


if __name__ == "__main__":
    main()
