"""A model with its labels as Custom Vision exports it: reads it from a folder or zip, and checks it."""

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
"""The usual name of the model file; see `model_files` for all names."""
LABELS_FILE = "labels.txt"
MANIFEST_FILE = "cvexport.manifest"
METADATA_FILE = "metadata_properties.json"
MAX_BYTES = 256 * 1024 * 1024
"""Upper bound for all files of an export together; far more than a device can run."""
MAX_DIRECTORY_BYTES = 1024 * 1024
"""Upper bound for a zip's central directory."""
CHUNK_SIZE = 4096
"""Bytes per read. zipfile decompresses LZMA without a bound: up to 28 MB from this many bytes."""
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA)  # not bzip2: 3 GB from 4096 bytes
FileStats = tuple[tuple[str, int, int, int], ...]
"""Name, modification time in ns, size and inode of each file."""
DIGEST_LENGTH = 12
"""Hex digits of the model file's SHA-256 in its identity."""
_CHARACTER_MAP = dict.fromkeys(map(ord, "\u200b\u200e\u200f\u2060\ufeff")) | dict.fromkeys(map(ord, "\u00a0\u2007\u202f"), " ")
"""Removes zero-width characters, except joiners (emoji, Persian); replaces no-break spaces with spaces."""


@dataclass(frozen=True, slots=True)
class Export:
    """A model: the bytes of its file, and its labels in the order of the outputs. `format` is the name of its backend."""

    name: str
    model: bytes
    labels: tuple[str, ...]
    description: Description = field(default_factory=Description)
    format: str = "tflite"
    exporter: str = ""
    """The tool that exported the model, such as ``Custom Vision``; empty if it is unknown."""

    @property
    def model_file(self) -> str:
        return f"model.{self.format}"

    @property
    def identity(self) -> str:
        """The name and the start of the model file's SHA-256, as in predictions."""
        return f"{self.name[:200]}@{hashlib.sha256(self.model).hexdigest()[:DIGEST_LENGTH]}"

    @property
    def fingerprint(self) -> str:
        """A digest of everything that distinguishes this export from another."""
        content = (self.identity, self.labels, self.description, self.format)
        return hashlib.sha256(repr(content).encode()).hexdigest()


def model_files() -> list[str]:
    """Returns the possible names of a model file, one per backend."""
    return [f"model.{name}" for name in backends.names()]


def export_files() -> list[str]:
    """Returns the names of all files that are read. Other files in an export are ignored."""
    return [*model_files(), LABELS_FILE, MANIFEST_FILE, METADATA_FILE, DESCRIPTION_FILE]


def read_export(path: Path) -> Export:
    """Reads and checks the export in a folder or zip. Raises `InvalidExport`."""
    public_path = Path(public_address(str(path)))  # an address given by mistake may contain a token
    try:
        files = _read_zip(path, export_files()) if path.is_file() else _read_folder(path)
        model_file = _find_model(files)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InvalidExport(f"{public_path}: {reason}; a folder or zip with {MODEL_FILE} and {LABELS_FILE} is required") from None
    except InvalidExport as error:
        raise InvalidExport(f"{public_path}: {error}") from None
    if MANIFEST_FILE in files:
        _check_manifest(files[MANIFEST_FILE], files[model_file], public_path / MANIFEST_FILE)
    resolved = path.resolve()
    name = resolved.name if resolved.is_dir() else resolved.stem
    labels = parse_labels(files[LABELS_FILE], public_path / LABELS_FILE)
    description = read_description(files.get(DESCRIPTION_FILE), files.get(METADATA_FILE), public_path)
    exporter = "Custom Vision" if MANIFEST_FILE in files or METADATA_FILE in files else ""
    return Export(name or "model", files[model_file], labels, description, model_file.rpartition(".")[2], exporter)


def stat_files(path: Path) -> FileStats:
    """Returns the metadata of an export's files, to detect changes; empty if there are no files."""
    found = []
    for file in [path / name for name in export_files()] if path.is_dir() else [path]:
        with suppress(OSError):
            state = file.stat()
            found.append((file.name, state.st_mtime_ns, state.st_size, state.st_ino))
    return tuple(found)


def _read_folder(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.iterdir() if path.name in export_files()]
    if (size := sum(path.stat().st_size for path in paths)) > MAX_BYTES:
        raise InvalidExport(f"{size} bytes; at most {MAX_BYTES} in total are allowed")
    return {path.name: path.read_bytes() for path in paths}


def _read_zip(path: Path, names: Collection[str]) -> dict[str, bytes]:
    """Returns the files with these names from any folder of a zip. Raises `InvalidExport`, and `OSError` if it cannot be read.

    Ignores other files, such as samples and those that macOS adds.
    """
    try:
        with _BoundedFile(path) as file, zipfile.ZipFile(file) as archive:
            return _read_entries(archive, names)
    except InvalidExport:
        raise
    except OSError as error:
        if error.errno != errno.EINVAL:  # EINVAL: a position before the start of the file
            raise
        raise InvalidExport("not a valid zip file") from None
    except Exception as error:  # zipfile's errors have no common base class
        raise InvalidExport(f"not a valid zip file ({one_line(str(error)[:200])})") from None


class _BoundedFile(io.FileIO):
    """A file with bounded reads: `zipfile` reads the whole directory at once, at the size that the zip claims."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > MAX_DIRECTORY_BYTES:
            raise InvalidExport(f"the zip's directory has {size} bytes; at most {MAX_DIRECTORY_BYTES} are allowed")
        return super().read(MAX_DIRECTORY_BYTES if size is None or size < 0 else size)


def _read_entries(archive: zipfile.ZipFile, names: Collection[str]) -> dict[str, bytes]:
    """Returns the files by name, without the folder. PowerShell 5 separates folders with backslashes."""
    files: dict[str, bytes] = {}
    remaining = MAX_BYTES
    for entry in archive.infolist():
        name = re.split(r"[/\\]", entry.orig_filename)[-1]
        if name not in names:
            continue
        if name in files:
            raise InvalidExport(f"{name} occurs twice; a zip must have one export")
        if entry.compress_type not in _COMPRESSIONS:
            raise InvalidExport(f"{name}: unsupported compression {entry.compress_type}; use 0 (none), 8 (deflate) or 14 (LZMA)")
        if entry.file_size > remaining:
            raise InvalidExport(f"{name}: {entry.file_size} bytes; at most {MAX_BYTES} in total are allowed")
        remaining -= entry.file_size
        with archive.open(entry) as source:  # returns at most the size in the directory
            files[name] = b"".join(iter(lambda: source.read(CHUNK_SIZE), b""))
        if len(files[name]) != entry.file_size:
            raise InvalidExport(f"{name}: {len(files[name])} bytes instead of the {entry.file_size} in the zip's directory")
    return files


def _find_model(files: Collection[str]) -> str:
    """Returns the name of the model file. Raises `InvalidExport` unless there are exactly one model and its labels."""
    models = sorted(name for name in files if name in model_files())
    if len(models) > 1:
        raise InvalidExport(f"found {' and '.join(models)}; there must be exactly one model")
    if not models or LABELS_FILE not in files:
        missing = LABELS_FILE if models else MODEL_FILE
        needed = f"a folder or zip must have {' or '.join(model_files())}, and {LABELS_FILE}"
        raise InvalidExport(f"{missing} is missing; {needed}")
    return models[0]


def parse_labels(text: bytes, path: Path = Path(LABELS_FILE)) -> tuple[str, ...]:
    """Returns the labels in a text of one label per line, in UTF-8 or UTF-16. Raises `InvalidExport`.

    Accepts the line ends of any system. Ignores blank lines at the end, white space around labels, and invisible characters.
    """
    content = _decode(text, path).replace("\r\n", "\n").replace("\r", "\n").translate(_CHARACTER_MAP)
    labels = tuple(line.strip() for line in content.rstrip().split("\n"))
    for number, label in enumerate(labels, 1):
        if not 0 < len(label) <= 256:
            raise InvalidExport(f"{path}: line {number}: {len(label)} characters; a label must have 1 to 256")
        if not re.search(TEXT_PATTERN, label):
            raise InvalidExport(f"{path}: line {number}: {label!r:.80}: a label must not contain control characters")
        if label in labels[: number - 1]:
            raise InvalidExport(f"{path}: line {number}: {label!r:.80} occurs twice")
    return labels


def _decode(text: bytes, path: Path) -> str:
    """Decodes UTF-16 if it has a byte order mark or a 0 among its first two bytes, and UTF-8 otherwise."""
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
        raise InvalidExport(f"{path}: ModelFileSHA1 is {expected[:40]}, but the model's SHA-1 is {found}; export the model again")
    domain = manifest.get("DomainType")
    if domain not in (None, "Classification", "ObjectDetection"):
        raise InvalidExport(f"{path}: DomainType is {domain!r:.40}; must be Classification or ObjectDetection")
