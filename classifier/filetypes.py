"""What a file is, judging by its content: formats of models that are not served, and files that are no model at all."""

import re
from collections.abc import Callable, Sequence
from itertools import islice

from classifier.protobuf import Reader, Truncated, Value

MAX_FILES = 200
"""Upper bound of files whose content is looked at."""
MAX_FIELDS = 100
"""Upper bound of fields of a protocol buffer that are looked at."""
EXPORT_TFLITE = "export TensorFlow Lite instead"
_TFLITE = b"TFL3"
"""Bytes 4 to 7 of a TensorFlow Lite file: the file identifier in its schema."""
_MAGIC = (
    (0, b"\x89HDF\r\n\x1a\n", f"a Keras HDF5 model; {EXPORT_TFLITE}"),
    (0, b"Rar!\x1a\x07", "a RAR archive; pack the files as a zip"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive; pack the files as a zip"),
    (0, b"\x1f\x8b", "a gzip archive; pack the files as a zip"),
    (257, b"ustar", "a tar archive; pack the files as a zip"),
    (0, b"PK\x03\x04", "a zip archive; unpack it"),
    (4, _TFLITE, "a TensorFlow Lite model; its name must end in .tflite"),
    (0, b"%PDF", "a PDF document"),
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"\x89PNG", "a PNG picture"),
    (0, b"version https://git-lfs", "a Git LFS pointer; fetch the file itself with git lfs pull"),
)
"""Position and bytes that identify a format, and its description."""
_ENTRIES = (
    (r"saved_model\.pb", f"a TensorFlow SavedModel; {EXPORT_TFLITE}"),
    (r"model\.weights\.h5|keras_metadata\.pb", f"a Keras model; {EXPORT_TFLITE}"),
    (r"data\.pkl|.*\.pt", f"a PyTorch model; {EXPORT_TFLITE} or ONNX"),
    (r".*\.mlmodel", f"a Core ML model; {EXPORT_TFLITE}"),
    (r".*-shard\d+of\d+(\.bin)?|weights\.bin", f"a TensorFlow.js model; {EXPORT_TFLITE}"),
)
"""Patterns of names in archives and folders, and what they show."""


def is_tflite(content: bytes) -> bool:
    """Returns whether a file that begins so is a TensorFlow Lite model."""
    return content[4:8] == _TFLITE


def describe_any(names: Sequence[str], read_head: Callable[[str], bytes]) -> str:
    """Returns a description of what a folder or archive with these files is, and what helps; empty if it is unknown."""
    for pattern, description in _ENTRIES:
        if any(re.fullmatch(pattern, name) for name in names):
            return description
    found = (describe(read_head(name)) for name in names[:MAX_FILES] if not name.endswith((".txt", ".json", ".md", ".html")))
    return next(filter(None, found), "")


def describe(head: bytes) -> str:
    """Returns a description of the format of a file that begins with `head`, and what helps; empty if it is unknown."""
    for position, magic, description in _MAGIC:
        if head[position : position + len(magic)] == magic:
            return description
    if not head:
        return "an empty file"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:2048].lower()
    if text.startswith((b"<!doctype html", b"<html", b"<head")) or (text.startswith(b"<") and b"<html" in text):
        return "an HTML page, perhaps of a sign-in; download the file again"
    if text.startswith(b"{") and (b'"modeltopology"' in text or b'"weightsmanifest"' in text):
        return f"a TensorFlow.js model; {EXPORT_TFLITE}"
    if re.match(rb"\x80[\x02-\x05][cX}\x8a\x95(]", head):
        return f"a PyTorch model or another Python pickle; {EXPORT_TFLITE} or ONNX"
    return _describe_protobuf(head)


def _describe_protobuf(head: bytes) -> str:
    """Tells ONNX, Core ML, SavedModel and GraphDef apart by the numbers of their top-level fields.

    Sources: onnx.proto (1 ir_version, 7 graph, 8 opset_import), Core ML's Model.proto (1 specificationVersion, 2 description,
    200 and above the type), saved_model.proto (1 schema version, 2 meta graphs), graph.proto (1 node, which has 1 name, 2 op).
    """
    fields = _read_fields(memoryview(head))
    if not fields or fields[0][0] != 1:
        return ""
    numbers, first = {number for number, _ in fields}, fields[0][1]
    if isinstance(first, memoryview):
        names = [(number, isinstance(value, memoryview)) for number, value in _read_fields(first)[:2]]
        return f"a frozen TensorFlow graph; {EXPORT_TFLITE}" if names == [(1, True), (2, True)] else ""
    if any(200 <= number <= 3000 for number in numbers):
        return f"a Core ML model; {EXPORT_TFLITE}"
    if numbers & {7, 8} or (first != 1 and 2 in numbers and len(fields) > 2):
        return "an ONNX model; its name must end in .onnx"
    return f"a TensorFlow SavedModel; {EXPORT_TFLITE}" if numbers == {1, 2} and first == 1 else ""


def _read_fields(head: memoryview) -> list[tuple[int, Value]]:
    """Returns the first fields of a protocol buffer, the last one perhaps cut off; none if it is no protocol buffer."""
    found: list[tuple[int, Value]] = []
    try:
        for field in islice(Reader().fields(head), MAX_FIELDS):
            found += [field]
    except Truncated:
        pass
    except ValueError:
        return []
    return found
