"""Model files: what the classifier reads from them, and the trial in another process that runs them."""

import io
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import numpy as np

from classifier import InvalidExport, backends, trial
from classifier.inspectors import inspect
from tests.fuzz.target import Parse, Target, plain
from tests.support import onnx, tflite
from tests.support.broker import ROOT
from tests.support.mutation import PIECES

DATA = ROOT / "tests" / "classifier" / "data"
MAX_SEED = 64 * 1024
"""Bytes."""
BACKENDS = {"tflite": "tflite_runtime.interpreter", "onnx": "onnxruntime"}


def models(kind: str) -> Sequence[bytes]:
    """Returns small models of a backend."""
    found = [path.read_bytes() for path in sorted(DATA.glob(f"*.{kind}")) if path.stat().st_size <= MAX_SEED]
    if kind == "tflite":
        grey = tflite.Quantisation(1 / 255, 0)
        made = [tflite.classification(np.eye(3) / 255, np.zeros(3)), tflite.quantised("uint8", grey), tflite.pixels((1, 768), 16)]
    else:
        network = onnx.Network()
        network.output(network.colour(), "probabilities", (1, 3))
        made = [network.model()]
    return [*made, *found]


def read(kind: str, data: bytes) -> None:
    """Reads what a model file says about itself, as the classifier's own process does."""
    inspect(kind, data)


@contextmanager
def opened_trial(kind: str) -> Iterator[Parse]:
    """Gives a function that tries a model in a fork of this process, in which the backend's library is loaded already."""
    backends.get_backend(kind)
    __import__(BACKENDS[kind])
    yield partial(run_trial, kind)


def run_trial(kind: str, data: bytes) -> None:
    """Runs `classifier.trial`. A signal, or one line on standard error, refuses the model."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        os.dup2(writing, 2)
        _run_in_child(kind, data)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        printed = file.read(1 << 20)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        raise InvalidExport(signal.strsignal(-code) or "a signal")
    if code:
        line = printed.decode(errors="replace").strip().rpartition("\n")[2]
        assert line, "the trial failed without a reason"
        assert "Traceback" not in printed.decode(errors="replace"), printed
        raise InvalidExport(line[:60])


def _run_in_child(kind: str, data: bytes) -> None:
    """Never returns."""
    code = 1
    try:
        sys.stdin, sys.argv = io.TextIOWrapper(io.BytesIO(data)), ["trial", kind]
        sys.stderr = os.fdopen(2, "w", closefd=False)
        trial.main()
        code = 0
    except SystemExit as end:
        sys.stderr.write(f"{end.code}\n")
        code = int(end.code != 0)
    finally:
        sys.stderr.flush()
        os._exit(code)


NUMBERS = (
    b"\0\0\0\0",
    b"\1\0\0\0",
    b"\xff\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\0\0\0\x80",
    b"\x10\0",
    b"\xff" * 9 + b"\1",
    b"\x7a\x7f",
    b"\0\0\xc0\x7f",
)
TARGETS = [
    Target("model.tflite", partial(models, "tflite"), plain(partial(read, "tflite")), pieces=(*NUMBERS, *PIECES)),
    Target("model.onnx", partial(models, "onnx"), plain(partial(read, "onnx")), pieces=(*NUMBERS, *PIECES)),
    Target("model.tflite.trial", partial(models, "tflite"), partial(opened_trial, "tflite"), pieces=NUMBERS, inputs=10_000),
    Target("model.onnx.trial", partial(models, "onnx"), partial(opened_trial, "onnx"), pieces=NUMBERS, inputs=10_000),
]
