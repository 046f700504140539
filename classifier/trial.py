"""The trial of a model in a separate process, which it may crash: python -m classifier.trial tflite < model.tflite"""

import signal
import sys

import numpy as np

from classifier import backends


def main() -> None:
    """Loads the model and runs it once. Ends with an error or a signal if that fails."""
    signal.alarm(60)  # ends this process even if its parent was killed
    model = backends.get_backend(sys.argv[1]).load(sys.stdin.buffer.read(), backends.Options())
    model.run(np.zeros(model.inputs[0].shape, model.inputs[0].dtype))


if __name__ == "__main__":
    main()
