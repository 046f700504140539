"""Measures the inferences a second of the bare model: python -m benchmarks.bare MODEL SECONDS"""

import sys
import time
from pathlib import Path

import numpy as np

from classifier.backends.tflite import Interpreter
from classifier.export import read_export


def main(model: Path, seconds: float) -> float:
    """Calls invoke() on random input, with one thread. Returns the calls a second."""
    interpreter = Interpreter(model_content=read_export(model).model, num_threads=1)
    interpreter.allocate_tensors()
    tensor = interpreter.get_input_details()[0]
    noise = np.random.default_rng(1).uniform(0, 255, tensor["shape"]).astype(np.float32)
    interpreter.set_tensor(tensor["index"], noise)
    for _ in range(20):
        interpreter.invoke()
    begin, number = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        interpreter.invoke()
        number += 1
    return number / (time.perf_counter() - begin)


if __name__ == "__main__":
    print(main(Path(sys.argv[1]), float(sys.argv[2])))
