"""What a Custom Vision export holds, read from its folder or zip and checked."""

import hashlib
import json
import re
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bus.messages import DEMO_PREFIX
from bus.topics import TEXT_PATTERN
from classifier import InvalidExport
from classifier.description import DESCRIPTION_FILE, METADATA_FILE, Description, read_description

MODEL_FILE = "model.tflite"
LABELS_FILE = "labels.txt"
MANIFEST_FILE = "cvexport.manifest"
FILES = (MODEL_FILE, LABELS_FILE, MANIFEST_FILE, METADATA_FILE, DESCRIPTION_FILE)
LIMIT = 256 * 1024 * 1024
"""Most bytes of one file of an export; far above what a device can run."""
DIGITS = 12
"""How much of the model file's SHA-256 tells one model from another in predictions."""


@dataclass(frozen=True, slots=True)
class Export:
    """One model: the TensorFlow Lite file's bytes and its labels, in the order of the model's outputs."""

    name: str
    model: bytes
    labels: tuple[str, ...]
    description: Description = field(default_factory=Description)

    @property
    def identity(self) -> str:
        """The name and the start of the file's SHA-256, as in predictions; only the demo's begins with `DEMO_PREFIX`."""
        name = self.name.removeprefix(DEMO_PREFIX) or "model"
        prefix = DEMO_PREFIX if self.description.demo else ""
        return f"{prefix}{name[:200]}@{hashlib.sha256(self.model).hexdigest()[:DIGITS]}"


def read_export(path: Path) -> Export:
    """The export in a folder, or in the zip as it was downloaded. Raises `InvalidExport`."""
    try:
        files = _zipped(path) if path.is_file() else _unzipped(path)
    except (OSError, EOFError, RuntimeError, zlib.error, zipfile.BadZipFile) as error:
        raise InvalidExport(f"{path}: {_reason(error)}; a folder or zip with {MODEL_FILE} and {LABELS_FILE} is needed") from None
    for needed in (MODEL_FILE, LABELS_FILE):
        if needed not in files:
            raise InvalidExport(f"{path}: {needed} is missing; {MODEL_FILE} and {LABELS_FILE} are needed")
    if MANIFEST_FILE in files:
        _check_manifest(files[MANIFEST_FILE], files[MODEL_FILE], path / MANIFEST_FILE)
    resolved = path.resolve()
    name = resolved.name if resolved.is_dir() else resolved.stem
    labels = parse_labels(files[LABELS_FILE], path / LABELS_FILE)
    description = read_description(files.get(DESCRIPTION_FILE), files.get(METADATA_FILE), path)
    return Export(name or "model", files[MODEL_FILE], labels, description)


def parse_labels(text: bytes, path: Path = Path(LABELS_FILE)) -> tuple[str, ...]:
    """One label a line; line ends of any system, a byte order mark and empty lines at the end do not matter."""
    try:
        lines = text.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").split("\n")
    except UnicodeDecodeError:
        raise InvalidExport(f"{path}: not UTF-8") from None
    labels = tuple(line.strip() for line in lines)
    for number, label in enumerate(labels, 1):
        if not 0 < len(label) <= 256:
            raise InvalidExport(f"{path}: line {number}: {len(label)} characters, a label has 1 to 256")
        if not re.search(TEXT_PATTERN, label):
            raise InvalidExport(f"{path}: line {number}: {label!r:.80}: a label has no control characters")
    if len(set(labels)) != len(labels):
        raise InvalidExport(f"{path}: a label stands there twice")
    return labels


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
        raise InvalidExport(f"{path}: ModelFileSHA1 is {expected[:40]}, that of {MODEL_FILE} is {found}; fetch the export again")
    domain = manifest.get("DomainType")
    if domain not in (None, "Classification", "ObjectDetection"):
        raise InvalidExport(f"{path}: DomainType is {domain!r:.40}; Classification and ObjectDetection are served")


def _unzipped(folder: Path) -> dict[str, bytes]:
    return {path.name: _bounded(path, path.stat().st_size) for path in folder.iterdir() if path.name in FILES}


def _bounded(path: Path, size: int) -> bytes:
    if size > LIMIT:
        raise InvalidExport(f"{path}: {size} bytes, at most {LIMIT} are allowed")
    return path.read_bytes()


def _zipped(path: Path) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            name = Path(entry.filename).name
            if name not in FILES:
                continue
            if entry.file_size > LIMIT:  # zipfile reads no more than this announces
                raise InvalidExport(f"{path}: {entry.filename}: {entry.file_size} bytes, at most {LIMIT} are allowed")
            if name in files:
                raise InvalidExport(f"{path}: {name} is in it twice; one export is needed")
            files[name] = archive.read(entry)
    return files


def _reason(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else f"not a zip that can be read ({error})"
