"""Exports of models: the zip, the files beside a model, and what a model file says about itself."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from classifier import InvalidExport, export
from classifier.export import read_export
from classifier.files import MAX_SIZES, ExportFiles
from classifier.inspectors import Inspection
from tests.classifier.model_server import export_files, make_zip
from tests.fuzz.target import FULL_RUN, Parse, Target, plain
from tests.support.broker import ROOT
from tests.support.mutation import PIECES

MEMORY = Path("/dev/shm")
FILES = export_files("abc")
LINES = "\n".join(f"{number} label {number}" for number in range(12)).encode()
ULTRALYTICS = b"author: Ultralytics\ntask: classify\nnames:\n  0: a\n  1: b\n  2: c\nimgsz: [16, 16]\n"
TOML = b"""kind = "yolo"\ncolour = 'rgb'\nmean = [1, 2, 3]\nscale = 2.0\nfit = "letterbox"\nsoftmax = true
anchors = [[1, 2], [0.5, 0.25]]\noutputs = ["boxes", "classes", "scores", "count"]\ndemo = false\n"""
TOML_PIECES = (
    *PIECES,
    b"mean = ",
    b"[[",
    b"]]",
    b'"""',
    b"inf",
    b"2026-01-01T00:00:00Z",
    b"a.b.c = 1\n",
    b"[a]\n",
    b"{a = 1}",
    b"1e400",
)
YAML_PIECES = (*PIECES, b"names:\n", b"  0: ", b"'", b"\\x", b"\\u{", b"f'{1}'", b"b'a'", b"(" * 100, b"{1: 'a'}", b"- ")
MANIFEST = {"DomainType": "Classification", "ModelFileSHA1": "0" * 40, "Version": "1.0"}
POSTPROCESSING = {f"CustomVision.Postprocess.Yolo.{key}": "[0.5, 1]" for key in ("Biases", "NmsThreshold")}


def texts(name: str) -> Sequence[bytes]:
    """Returns contents of the file with this name."""
    return {
        "labels.txt": [
            b"a\nb\nc\n",
            LINES,
            "\ufeffä\r\nb\r\n\u200bc".encode(),
            "a\nb".encode("utf-16"),
            b"a\0\n\0b\0",
            b"???\n???\na",
        ],
        "labels.json": [b'["a", "b", "c"]', b'{"0": "a", "1": "b"}'],
        "cvexport.manifest": [json.dumps(MANIFEST).encode(), b"[]", b"{}"],
        "metadata_properties.json": [json.dumps(POSTPROCESSING).encode(), b"[]"],
        "tflite_metadata.json": [json.dumps({"batchSize": 1, "inferenceType": "QUANTIZED_UINT8"}).encode()],
        "metadata.yaml": [ULTRALYTICS, b"description: Ultralytics\nnames: ['a', 'b']\n"],
        "footfall.toml": [TOML, b"", *(line + b"\n" for line in TOML.split(b"\n"))],
    }[name]


def zips() -> Sequence[bytes]:
    """Returns zips of exports, and of other things."""
    demo = {path.name: path.read_bytes() for path in (ROOT / "demo" / "model").iterdir() if path.stat().st_size < 4096}
    others = {name: texts(name)[0] for name in ("labels.json", "metadata.yaml", "footfall.toml", "cvexport.manifest")}
    wholes = [FILES, {f"model/{name}": content for name, content in FILES.items()}, FILES | others, FILES | demo]
    foreign = [{"saved_model.pb": b"\x08\1\x12\0"}, {"a.pt": b"\x80\2}"}, {"._model.tflite": b""}, {}]
    return [make_zip(files, method) for files in (*wholes, *foreign) for method in (0, 8)] + [b"PK\5\6" + bytes(18), b"<html>"]


@contextmanager
def file_in_memory(name: str) -> Iterator[Path]:
    """Gives the path of a file in a folder in memory, where that exists."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        yield Path(folder) / name


@contextmanager
def opened_zip() -> Iterator[Parse]:
    """Gives a function that reads a zip, as `classifier.manager` does."""
    with file_in_memory("export.zip") as path:

        def parse(data: bytes) -> None:
            path.write_bytes(data)
            read_export(path)

        yield parse


def read_text(name: str, data: bytes) -> None:
    """Reads an export of a model and this file, whose size was checked, without a disk."""
    if len(data) > MAX_SIZES[name]:
        raise InvalidExport("too large")
    labels = {} if name.startswith("labels") else {"labels.txt": FILES["labels.txt"]}
    files = ExportFiles("model.tflite", FILES["model.tflite"], "tflite", labels | {name: data})
    export._create_export("shop", files, Inspection(), Path("shop"))


def of_file(name: str, pieces: Sequence[bytes] = PIECES, inputs: int = FULL_RUN) -> Target:
    """Returns the target of a file of an export."""
    return Target(f"export.{name}", partial(texts, name), plain(partial(read_text, name)), pieces=pieces, inputs=inputs)


ZIP_PIECES = (
    *PIECES,
    b"PK\x03\x04",
    b"PK\6\6",
    b"PK\6\7",
    b"model.tflite",
    b"../",
    b"\\",
    b"\x08\0",
    b"\x0c\0",
    b"\x0e\0",
    b"\1\0\x20\0",
)
TARGETS = [
    Target("export.zip", zips, opened_zip, pieces=ZIP_PIECES),
    of_file("labels.txt", inputs=FULL_RUN // 2),
    of_file("labels.json", inputs=FULL_RUN // 2),
    of_file("cvexport.manifest"),
    of_file("metadata_properties.json", inputs=FULL_RUN // 3),
    of_file("tflite_metadata.json", inputs=FULL_RUN // 3),
    of_file("metadata.yaml", YAML_PIECES, FULL_RUN // 3),
    of_file("footfall.toml", TOML_PIECES),
]
