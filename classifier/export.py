"""A model with its labels, as Custom Vision exports it: read from a folder or zip and checked."""

import codecs
import errno
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from classifier import InvalidExport, backends
from classifier.description import DESCRIPTION_FILE, Description, read_description
from runtime.address import public_address
from runtime.explanation import TEXT_PATTERN
from runtime.logs import one_line

MODEL_FILE = "model.tflite"
"""The usual model file; see `model_files` for all of them."""
LABELS_FILE = "labels.txt"
MANIFEST_FILE = "cvexport.manifest"
METADATA_FILE = "metadata_properties.json"
LIMIT = 256 * 1024 * 1024
"""Bytes of all files of an export; far above what a device can run."""
DIRECTORY_LIMIT = 1024 * 1024
"""Bytes of a zip's directory."""
CHUNK = 4096
"""Bytes read at once: zipfile unpacks LZMA without a bound, up to 28 MB from as many bytes."""
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA)  # bzip2: 3 GB from 4096 bytes
Stamp = tuple[tuple[str, int, int, int], ...]
"""Name, time of change in ns, size and inode of each file."""
DIGITS = 12
"""Hex digits of the model file's SHA-256 in its identity."""
_CLEANED = dict.fromkeys(map(ord, "\u200b\u200e\u200f\u2060\ufeff")) | dict.fromkeys(map(ord, "\u00a0\u2007\u202f"), " ")
"""Characters of no width are dropped, except those that join others (emoji, Persian); no-break spaces become spaces."""


@dataclass(frozen=True, slots=True)
class Export:
    """One model: its file's bytes and its labels, in the order of the model's outputs; `format` names its backend."""

    name: str
    model: bytes
    labels: tuple[str, ...]
    description: Description = field(default_factory=Description)
    format: str = "tflite"

    @property
    def model_file(self) -> str:
        return f"model.{self.format}"

    @property
    def identity(self) -> str:
        """The name and the start of the file's SHA-256, as in predictions."""
        return f"{self.name[:200]}@{hashlib.sha256(self.model).hexdigest()[:DIGITS]}"

    @property
    def fingerprint(self) -> str:
        """A digest of all that makes this export differ from another."""
        content = (self.identity, self.labels, self.description, self.format)
        return hashlib.sha256(repr(content).encode()).hexdigest()


def model_files() -> list[str]:
    """The names that a model file may have: one for each backend."""
    return [f"model.{name}" for name in backends.names()]


def export_files() -> list[str]:
    """The names of all files that are read; everything else in an export is ignored."""
    return [*model_files(), LABELS_FILE, MANIFEST_FILE, METADATA_FILE, DESCRIPTION_FILE]


def read_export(path: Path) -> Export:
    """The export in a folder, or in a zip. Raises `InvalidExport`."""
    shown = Path(public_address(str(path)))  # an address by mistake may hold a token
    try:
        files = _read_zip(path, export_files()) if path.is_file() else _read_folder(path)
        model_file = _find_model(files)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InvalidExport(f"{shown}: {reason}; a folder or zip with {MODEL_FILE} and {LABELS_FILE} is needed") from None
    except InvalidExport as error:
        raise InvalidExport(f"{shown}: {error}") from None
    if MANIFEST_FILE in files:
        _check_manifest(files[MANIFEST_FILE], files[model_file], shown / MANIFEST_FILE)
    resolved = path.resolve()
    name = resolved.name if resolved.is_dir() else resolved.stem
    labels = parse_labels(files[LABELS_FILE], shown / LABELS_FILE)
    description = read_description(files.get(DESCRIPTION_FILE), files.get(METADATA_FILE), shown)
    return Export(name or "model", files[model_file], labels, description, model_file.rpartition(".")[2])


def take_stamp(path: Path) -> Stamp:
    """Distinguishes one state of the files of a folder or zip from another; empty when nothing is there."""
    found = []
    for file in [path / name for name in export_files()] if path.is_dir() else [path]:
        with suppress(OSError):
            state = file.stat()
            found.append((file.name, state.st_mtime_ns, state.st_size, state.st_ino))
    return tuple(found)


def _read_folder(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.iterdir() if path.name in export_files()]
    if (size := sum(path.stat().st_size for path in paths)) > LIMIT:
        raise InvalidExport(f"{size} bytes, at most {LIMIT} in all are allowed")
    return {path.name: path.read_bytes() for path in paths}


def _read_zip(path: Path, names: Collection[str]) -> dict[str, bytes]:
    """The files of these names, in any folder of the zip. Raises `InvalidExport`, and `OSError` when it cannot be read.

    All else in the zip is ignored: what macOS adds, samples, further folders.
    """
    try:
        with _Bounded(path) as file, zipfile.ZipFile(file) as archive:
            return _read_entries(archive, names)
    except InvalidExport:
        raise
    except OSError as error:
        if error.errno != errno.EINVAL:  # EINVAL: a place before the beginning
            raise
        raise InvalidExport("not a zip that can be read") from None
    except Exception as error:  # those of zipfile have no common base class
        raise InvalidExport(f"not a zip that can be read ({one_line(str(error)[:200])})") from None


class _Bounded(io.FileIO):
    """Bounds the size of a read: `zipfile` reads a directory at once, however long the zip says it is."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > DIRECTORY_LIMIT:
            raise InvalidExport(f"{size} bytes of directory, at most {DIRECTORY_LIMIT} are allowed")
        return super().read(DIRECTORY_LIMIT if size is None or size < 0 else size)


def _read_entries(archive: zipfile.ZipFile, names: Collection[str]) -> dict[str, bytes]:
    """By name without the folder, which PowerShell 5 ends with a backslash."""
    files: dict[str, bytes] = {}
    left = LIMIT
    for entry in archive.infolist():
        name = re.split(r"[/\\]", entry.orig_filename)[-1]
        if name not in names:
            continue
        if name in files:
            raise InvalidExport(f"{name} is in it twice; one export is needed")
        if entry.compress_type not in _COMPRESSIONS:
            raise InvalidExport(f"{name}: compression {entry.compress_type}; 0 (none), 8 (deflate) and 14 (LZMA) are read")
        if entry.file_size > left:
            raise InvalidExport(f"{name}: {entry.file_size} bytes; at most {LIMIT} in all are allowed")
        left -= entry.file_size
        with archive.open(entry) as source:  # gives no more bytes than the directory announces
            files[name] = b"".join(iter(lambda: source.read(CHUNK), b""))
        if len(files[name]) != entry.file_size:
            raise InvalidExport(f"{name}: {len(files[name])} bytes, not the {entry.file_size} that are announced")
    return files


def _find_model(files: Collection[str]) -> str:
    """The name of the model file: one model and its labels are needed."""
    models = sorted(name for name in files if name in model_files())
    if len(models) > 1:
        raise InvalidExport(f"{' and '.join(models)} are there; one of them is needed")
    if not models or LABELS_FILE not in files:
        missing = LABELS_FILE if models else MODEL_FILE
        needed = f"{' or '.join(model_files())} and {LABELS_FILE} are needed, in a folder or a zip"
        raise InvalidExport(f"{missing} is missing; {needed}")
    return models[0]


def parse_labels(text: bytes, path: Path = Path(LABELS_FILE)) -> tuple[str, ...]:
    """One label a line, in UTF-8 or UTF-16. Raises `InvalidExport`.

    Line ends of any system, blank lines at the end, white space around a label and invisible characters do not matter.
    """
    content = _decode(text, path).replace("\r\n", "\n").replace("\r", "\n").translate(_CLEANED)
    labels = tuple(line.strip() for line in content.rstrip().split("\n"))
    for number, label in enumerate(labels, 1):
        if not 0 < len(label) <= 256:
            raise InvalidExport(f"{path}: line {number}: {len(label)} characters, a label has 1 to 256")
        if not re.search(TEXT_PATTERN, label):
            raise InvalidExport(f"{path}: line {number}: {label!r:.80}: a label has no control characters")
        if label in labels[: number - 1]:
            raise InvalidExport(f"{path}: line {number}: {label!r:.80} is there twice")
    return labels


def _decode(text: bytes, path: Path) -> str:
    """As UTF-16 where its byte order mark says so, or every other byte of the first line is 0; else as UTF-8."""
    if text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    else:
        encoding = "utf-16-le" if text[1:2] == b"\0" else "utf-16-be" if text[:1] == b"\0" else "utf-8-sig"
    try:
        return text.decode(encoding)
    except UnicodeDecodeError as error:
        line = text[: error.start].count(b"\n") + 1
        raise InvalidExport(f"{path}: line {line}: not UTF-8 or UTF-16; save the file as UTF-8") from None


def _check_manifest(text: bytes, model: bytes, path: Path) -> None:
    try:
        manifest: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidExport(f"{path}: not JSON") from None
    if not isinstance(manifest, dict):
        raise InvalidExport(f"{path}: not a JSON object")
    expected = manifest.get("ModelFileSHA1")
    found = hashlib.sha1(model, usedforsecurity=False).hexdigest()
    if isinstance(expected, str) and expected and expected.lower() != found:
        raise InvalidExport(f"{path}: ModelFileSHA1 is {expected[:40]}, the model's is {found}; fetch the export again")
    domain = manifest.get("DomainType")
    if domain not in (None, "Classification", "ObjectDetection"):
        raise InvalidExport(f"{path}: DomainType is {domain!r:.40}; Classification and ObjectDetection are served")
