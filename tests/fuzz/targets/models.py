"""Model files: what the classifier reads from them, and how it tries and runs them."""

import io
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any
from unittest.mock import patch

import numpy as np

from classifier import trial
from classifier.export import Export
from classifier.inspectors import inspect
from classifier.model import Model
from tests.classifier import test_hostile_exports as hostile
from tests.fuzz.target import FULL_RUN, Parse, Target, plain
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
        made = [network.model(), network.model({"names": "{0: 'a', 1: 'b', 2: 'c'}", "stride": "32", "imgsz": "[16, 16]"})]
        made += [hostile.ultralytics(names)["model.onnx"] for names in (b"['a', 'b']", b"{0: 'a', 1: b'b'}", b"f'{1}'")]
    return [*made, *found]


def read(kind: str, data: bytes) -> None:
    """Reads what a model file says about itself, as the classifier's own process does."""
    inspect(kind, data)


@contextmanager
def opened_model(kind: str) -> Iterator[Parse]:
    """Gives a function that tries and loads a model, as the classifier does. The trial runs in a fork, which is fast."""
    __import__(BACKENDS[kind])
    with patch.object(subprocess, "run", run_forked):
        yield lambda data: Model(Export("model", data, ("a", "b", "c"), format=kind))


def run_forked(command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Runs `classifier.trial` in a fork of this process, in which the backend's library is loaded already."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        os.dup2(writing, 1)
        os.dup2(writing, 2)
        _run_in_child(command[-1], options["input"])
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        printed = file.read()
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert b"Traceback" not in printed or code < 0, printed.decode(errors="replace")
    return subprocess.CompletedProcess(command, code, b"", printed)


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
    *(
        Target(
            f"model.{kind}", partial(models, kind), plain(partial(read, kind)), pieces=(*NUMBERS, *PIECES), inputs=FULL_RUN // 2
        )
        for kind in BACKENDS
    ),
    *(
        Target(
            f"model.{kind}.run",
            partial(models, kind),
            partial(opened_model, kind),
            pieces=NUMBERS,
            inputs=10_000,
            memory=trial.MAX_MEMORY,  # of the other process, which ends there
        )
        for kind in BACKENDS
    ),
]
