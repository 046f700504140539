"""Loads the model on standard input and runs it once, in a process that may crash of it: python -m classifier.trial tflite"""

import signal
import sys

import numpy as np

from classifier import backends


def main() -> None:
    """Ends by an error, or a signal, when the model cannot be run."""
    signal.alarm(60)  # so that it ends, too, when the process that waits for it has been killed
    model = backends.get_backend(sys.argv[1]).load(sys.stdin.buffer.read(), backends.Options())
    model.run(np.zeros(model.inputs[0].shape, model.inputs[0].dtype))


if __name__ == "__main__":
    main()
