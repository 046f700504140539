"""Loads the model on standard input and runs it once, in a process that may crash of it: python -m classifier.trial tflite"""

import signal
import sys

signal.signal(signal.SIGINT, signal.SIG_DFL)  # NumPy's import would make another error of KeyboardInterrupt

import numpy as np  # noqa: E402

from classifier import backends  # noqa: E402


def main() -> None:
    """Ends by an error, or a signal, when the model cannot be run."""
    model = backends.get_backend(sys.argv[1]).load(sys.stdin.buffer.read(), backends.Options())
    model.run(np.zeros(model.inputs[0].shape, model.inputs[0].dtype))


if __name__ == "__main__":
    main()
