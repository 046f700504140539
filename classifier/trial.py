"""Loads the model on standard input and runs it once, in a process that may well crash of it: python -m classifier.trial"""

import signal
import sys

signal.signal(signal.SIGINT, signal.SIG_DFL)  # NumPy's import would make another error of KeyboardInterrupt

import numpy as np  # noqa: E402

from classifier.runtime import Interpreter  # noqa: E402


def main() -> None:
    """Ends by an error, or a signal, where the model is none."""
    interpreter = Interpreter(model_content=sys.stdin.buffer.read(), num_threads=1)
    interpreter.allocate_tensors()
    for tensor in interpreter.get_input_details():
        interpreter.set_tensor(tensor["index"], np.zeros(tensor["shape"], tensor["dtype"]))
    interpreter.invoke()


if __name__ == "__main__":
    main()
