"""Exports that were made to harm: none takes long or much memory, and each is refused in one line."""

import random
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from classifier import InvalidExport
from classifier.export import read_export
from tests.classifier.model_server import export_files, make_zip
from tests.support.wait import limit

MAX_SECONDS, MAX_BYTES = 2.0, 110_000_000
FILES = export_files("abc")
MODEL = FILES["model.tflite"]


def varint(number: int) -> bytes:
    return bytes([number & 127 | 128]) + varint(number >> 7) if number > 127 else bytes([number])


def field(number: int, content: bytes) -> bytes:
    """Returns a field of a protocol buffer."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def onnx(graph: bytes) -> dict[str, bytes]:
    """Returns the files of an ONNX model with this in its graph, and an output."""
    return {"model.onnx": field(7, graph + field(12, field(1, b"out")))}


def ultralytics(names: bytes) -> dict[str, bytes]:
    """Returns the files of an ONNX model whose metadata have these names of labels."""
    files = onnx(b"")
    return {"model.onnx": field(14, field(1, b"names") + field(2, names)) + field(14, field(1, b"stride")) + files["model.onnx"]}


COSTLY: dict[str, Callable[[], dict[str, bytes]]] = {
    "labels of 64 MB": lambda: FILES | {"labels.txt": b"a\n" * 32_000_000},
    "as many labels as fit": lambda: FILES | {"labels.txt": "\n".join(map(str, range(10_000, 50_000))).encode()},
    "JSON of many lists": lambda: FILES | {"labels.json": b"[" + b"[]," * 80_000 + b"[]]"},
    "a long key": lambda: FILES | {"footfall.toml": b"a." * 8_000 + b"a = 1"},
    "many long keys": lambda: FILES | {"footfall.toml": b"\n".join(b"a." * 250 + b"%d = 1" % one for one in range(30))},
    "an f-string": lambda: ultralytics(b"f'" + b"{1}" * 16_000 + b"'"),
    "many sets": lambda: ultralytics(b"{" + b"[]," * 16_000 + b"}"),
    "many inputs of a node": lambda: onnx(field(1, field(1, b"") * 200_000)),
    "many inputs": lambda: onnx(field(11, b"") * 200_000),
    "many weights": lambda: onnx(b"".join(field(5, field(8, b"%d" % one)) for one in range(100_000))),
    "a model of 55 MB in 3 MB": lambda: FILES | {"model.tflite": MODEL + random.Random(1).randbytes(3 << 20) + bytes(52 << 20)},
    "a model of 64 MB in 65 kB": lambda: FILES | {"model.tflite": bytes(64 << 20)},
}


@pytest.mark.parametrize("name", COSTLY)
def test_what_costs_most(tmp_path: Path, name: str) -> None:
    """Any zip of at most 4 MiB is read or refused within 2 s and 110 MB, beyond the programs themselves."""
    path = tmp_path / "export.zip"
    path.write_bytes(make_zip(COSTLY[name]()))
    assert path.stat().st_size <= 4 << 20
    began = time.process_time()
    read(path)
    assert time.process_time() - began < limit(MAX_SECONDS)
    tracemalloc.start()
    try:
        read(path)
        assert tracemalloc.get_traced_memory()[1] < MAX_BYTES
    finally:
        tracemalloc.stop()


def read(path: Path) -> None:
    """Reads an export, which may be refused in one line that can be sent and printed."""
    try:
        read_export(path)
    except InvalidExport as error:
        assert str(error).isprintable()
        assert str(error).encode()
        assert len(str(error)) < 1000
