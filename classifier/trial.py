"""The trial of a model in a separate process, which it may crash: python -m classifier.trial tflite < model.tflite"""

import resource
import signal
import sys

import numpy as np

from classifier import backends

MAX_MEMORY = 2 << 30
"""Upper bound for the memory of the trial, in bytes. Linux counts all that is allocated; macOS does not enforce it."""


def main() -> None:
    """Loads the model and runs it once. Ends with one line on stderr or a signal if that fails."""
    signal.alarm(60)  # ends this process even if its parent was killed
    model = sys.stdin.buffer.read()
    _limit_memory()
    try:
        loaded = backends.get_backend(sys.argv[1]).load(model, backends.Options())
        loaded.run(np.zeros(loaded.inputs[0].shape, loaded.inputs[0].dtype))
    except MemoryError:
        sys.exit(f"it needs more than {MAX_MEMORY >> 30} GiB of memory")
    except Exception as error:
        sys.exit("; ".join(str(error).split("\n")) or type(error).__name__)


def _limit_memory() -> None:
    """Sets the limit, unless there is a lower one already."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = MAX_MEMORY if hard == resource.RLIM_INFINITY else min(hard, MAX_MEMORY)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


if __name__ == "__main__":
    main()
