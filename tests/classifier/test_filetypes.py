"""Tests of what is said about files that are not served: by their content, whatever their name."""

import io
import struct
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import InvalidExport
from classifier.export import read_export
from classifier.filetypes import describe
from tests.classifier.model_server import make_zip, write_files


def field(number: int, content: bytes | int) -> bytes:
    """Returns a field of a protocol buffer, with less than 128 bytes."""
    if isinstance(content, int):
        return bytes([number << 3, content])
    return (number << 3 | 2).to_bytes(1, "little") + bytes([len(content)]) + content


def core_ml(version: int = 4) -> bytes:
    """Returns the start of a Core ML model: version, description, and a neural network (field 500)."""
    return field(1, version) + field(2, field(1, field(1, b"image"))) + b"\xa2\x1f\x00"


GRAPH = field(1, field(1, b"Placeholder") + field(2, b"Placeholder")) * 3 + field(4, field(1, 22))
SAVED_MODEL = field(1, 1) + field(2, field(1, field(2, b"serve")) + b"\x12\x00")
ONNX = field(1, 8) + field(2, b"pytorch") + field(3, b"2.1") + field(7, field(2, b"main_graph")) + field(8, field(2, 17))
HDF5 = b"\x89HDF\r\n\x1a\n" + bytes(100)


def tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("model.tflite"))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "an empty file"),
        (b"<!DOCTYPE html>\n<title>Sign in</title>", "an HTML page, perhaps of a sign-in; download the file again"),
        (b"\xef\xbb\xbf \n<HTML>", "an HTML page"),
        (b'<?xml version="1.0"?>\n<html xmlns="http://www.w3.org/1999/xhtml">', "an HTML page"),
        (GRAPH, "a frozen TensorFlow graph; export TensorFlow Lite"),
        (SAVED_MODEL, "a TensorFlow SavedModel; export TensorFlow Lite"),
        (ONNX, "an ONNX model; "),
        (ONNX[:20], "an ONNX model; "),
        (core_ml(), "a Core ML model; export TensorFlow Lite"),
        (core_ml(1), "a Core ML model"),
        (HDF5, "a Keras HDF5 model; export TensorFlow Lite"),
        (b"\x80\x02\x8a\nl\xfc\x9cF\xf9", "a PyTorch model"),
        (make_zip({"config.json": b"{}", "metadata.json": b"{}", "model.weights.h5": HDF5}), "a Keras model"),
        (make_zip({"best/data.pkl": b"\x80\x02}", "best/version": b"3"}), "a PyTorch model"),
        (make_zip({"m/saved_model.pb": SAVED_MODEL, "m/variables/variables.index": b"x"}), "a TensorFlow SavedModel"),
        (make_zip({"model.json": b"{}", "weights.bin": b"x", "metadata.json": b"{}"}), "a TensorFlow.js model"),
        (make_zip({"model.pb": GRAPH, "labels.txt": b"a", "cvexport.manifest": b"{}"}), "a frozen TensorFlow graph"),
        (make_zip({"Data/com.apple.CoreML/model.mlmodel": core_ml(), "Manifest.json": b"{}"}), "a Core ML model"),
        (make_zip({"keras_model.h5": HDF5, "labels.txt": b"0 a"}), "a Keras HDF5 model"),
        (b'{"format": "layers-model", "modelTopology": {}}', "a TensorFlow.js model"),
        (b"Rar!\x1a\x07\x01\x00", "a RAR archive; pack the files as a zip"),
        (b"7z\xbc\xaf\x27\x1c\x00\x04", "a 7z archive"),
        (b"\x1f\x8b\x08\x00", "a gzip archive"),
        (tar(), "a tar archive"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        (b"\xff\xd8\xff\xe0", "a JPEG picture"),
    ],
)
def test_what_is_refused_says_what_it_is(tmp_path: Path, content: bytes, reason: str) -> None:
    """The content of a file tells what it is: as MODEL, under a model's name in a folder or zip, or beside other files."""
    (tmp_path / "doors.zip").write_bytes(content)
    places = [tmp_path / "doors.zip", write_files(tmp_path / "named", {"model.tflite": content, "labels.txt": b"a"})]
    if content.startswith(b"PK"):
        places[1:] = []
    for place in places:
        with pytest.raises(InvalidExport, match=rf"{place}.*this is {reason}") as caught:
            read_export(place)
        assert str(caught.value).isprintable()


def test_a_folder_of_another_format(tmp_path: Path) -> None:
    """A folder is described like a zip, by all its files."""
    folder = write_files(tmp_path / "saved", {"saved_model.pb": SAVED_MODEL, "keras_metadata.pb": b"x", "labels.txt": b"a"})
    with pytest.raises(InvalidExport, match=r"saved: this is a TensorFlow SavedModel; export TensorFlow Lite instead"):
        read_export(folder)


def test_a_zip_in_another_place(tmp_path: Path) -> None:
    """A zip under a model's name, in a folder or in another zip is named as such."""
    inner = make_zip({"model.tflite": b"x", "labels.txt": b"a"})
    for files in ({"model.tflite": inner, "labels.txt": b"a"}, {"export.zip": inner}):
        (tmp_path / "doors.zip").write_bytes(make_zip(files))
        for path in (write_files(tmp_path / f"doors-{len(files)}", files), tmp_path / "doors.zip"):
            with pytest.raises(InvalidExport, match=r"this is a zip archive; unpack it"):
                read_export(path)


def test_a_model_under_another_name(tmp_path: Path) -> None:
    """A TensorFlow Lite model with an unknown suffix is named as such; as MODEL itself it is read."""
    model = struct.pack("<I", 28) + b"TFL3" + bytes(40)
    folder = write_files(tmp_path / "doors", {"network.bin": model, "labels.txt": b"a"})
    with pytest.raises(InvalidExport, match=r"a TensorFlow Lite model; its name must end in \.tflite"):
        read_export(folder)
    assert read_export(folder / "network.bin").labels == ("a",)


@given(
    st.binary(max_size=300)
    | st.tuples(st.sampled_from([GRAPH, ONNX, SAVED_MODEL, core_ml()]), st.binary(max_size=9)).map(b"".join)
)
def test_any_file(head: bytes) -> None:
    """Any bytes have a description or none."""
    assert describe(head).isprintable()
