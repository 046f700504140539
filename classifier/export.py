"""A model with its labels and its description, as the tools for training export it: reads it, and checks it."""

import hashlib
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from classifier import InvalidExport, UnreadableExport
from classifier.description import Description, create_description, parse_description, shown
from classifier.exporters import RANGE_HINTS, ULTRALYTICS, needs_range, recognise
from classifier.files import (
    DESCRIPTION_FILE,
    HEAD_SIZE,
    LABEL_FILES,
    LABELS_FILE,
    MANIFEST_FILE,
    MODEL_FILE,
    ULTRALYTICS_FILE,
    ExportFiles,
    read_files,
)
from classifier.filetypes import describe, is_tflite
from classifier.inspectors import Inspection, inspect
from classifier.labels import parse_json, parse_labels, without_numbers
from classifier.ultralytics import read_yaml
from runtime.address import public_address
from runtime.logs import one_line

DIGEST_LENGTH = 12
"""Hex digits of the model file's SHA-256 in its identity."""


@dataclass(frozen=True, slots=True)
class Export:
    """A model: the bytes of its file, and its labels in the order of the outputs. `format` is the name of its backend."""

    name: str
    model: bytes
    labels: tuple[str, ...]
    """Empty if the export has none."""
    description: Description = field(default_factory=Description)
    format: str = "tflite"
    exporter: str = ""
    """The tool that exported the model, such as ``Custom Vision``; empty if it is unknown."""
    accelerator: str = ""
    """The delegate without which the model cannot run, such as ``libedgetpu.so.1``; empty if it needs none."""

    @property
    def identity(self) -> str:
        """The name and the start of the model file's SHA-256, as in predictions."""
        return f"{self.name[:200]}@{hashlib.sha256(self.model).hexdigest()[:DIGEST_LENGTH]}"

    @property
    def fingerprint(self) -> str:
        """A digest of everything that distinguishes this export from another."""
        content = (self.identity, self.labels, self.description, self.format, self.exporter)
        return hashlib.sha256(repr(content).encode()).hexdigest()


def read_export(path: Path) -> Export:
    """Reads and checks the export in a folder or zip, or a model file with its neighbours.

    Raises `InvalidExport`, and `UnreadableExport` if a later attempt may succeed.
    """
    public_path = Path(public_address(str(path)))  # an address given by mistake may contain a token
    try:
        files = read_files(path)
        if files.format == "tflite" and not is_tflite(files.model):
            kind = describe(files.model[:HEAD_SIZE]) or "not a TensorFlow Lite model"
            raise InvalidExport(f"{files.model_file}: this is {kind}")
        inspection = inspect(files.format, files.model)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        needed = f"a folder or zip with {MODEL_FILE} and {LABELS_FILE}, or a model file, is required"
        raise UnreadableExport(f"{public_path}: {reason}; {needed}") from None
    except MemoryError:
        raise UnreadableExport(f"{public_path}: not enough memory to read it") from None
    except InvalidExport as error:
        raise InvalidExport(f"{public_path}: {error}") from None
    resolved = path.resolve()
    name = resolved.name if resolved.is_dir() else resolved.stem
    folder = public_path if files.model_file != path.name else public_path.parent
    return _create_export(one_line(name) or "model", files, inspection, folder)


def _create_export(name: str, files: ExportFiles, inspection: Inspection, folder: Path) -> Export:
    """Returns the export that the files contain. `folder` is for messages. Raises `InvalidExport`."""
    if MANIFEST_FILE in files.others:
        _check_manifest(files, folder / MANIFEST_FILE)
    if b"Ultralytics" in files.others.get(ULTRALYTICS_FILE, b"") and not inspection.exporter:
        found, values = read_yaml(files.others[ULTRALYTICS_FILE], folder / ULTRALYTICS_FILE)
        inspection = replace(inspection, labels=inspection.labels or found, exporter=ULTRALYTICS, description=values)
    lines = _read_labels(files, folder) or inspection.labels
    labels = without_numbers(lines)
    exporter, values = recognise(files, inspection, labels != lines)
    given = parse_description(files.others.get(DESCRIPTION_FILE), folder / DESCRIPTION_FILE)
    description = create_description(values | given, folder / DESCRIPTION_FILE)
    if needs_range(exporter, values, inspection) and not given.keys() & {"colour", "mean", "scale"}:
        problem = f"a model of {exporter}, which does not say what numbers it takes for pixels"
        hint = f"write into {DESCRIPTION_FILE} beside it: {RANGE_HINTS[exporter]}"
        raise InvalidExport(f"{folder}: {files.model_file}: {problem}; {hint}")
    return Export(name, files.model, labels, description, files.format, exporter, inspection.accelerator)


def _read_labels(files: ExportFiles, folder: Path) -> tuple[str, ...]:
    """Returns the labels beside the model; none if there is no such file."""
    for file in LABEL_FILES:
        if file in files.others:
            parse = parse_json if file.endswith(".json") else parse_labels
            return parse(files.others[file], folder / file)
    return ()


def _check_manifest(files: ExportFiles, path: Path) -> None:
    """Checks Custom Vision's manifest. Raises `InvalidExport`."""
    try:
        manifest: Any = json.loads(files.others[MANIFEST_FILE])
    except (ValueError, RecursionError):
        raise InvalidExport(f"{path}: not JSON") from None
    if not isinstance(manifest, dict):
        raise InvalidExport(f"{path}: not a JSON object")
    expected = manifest.get("ModelFileSHA1")
    found = hashlib.sha1(files.model, usedforsecurity=False).hexdigest()
    if isinstance(expected, str) and expected and expected.lower() != found:
        given = one_line(expected[:40])
        raise InvalidExport(f"{path}: ModelFileSHA1 is {given}, but the model's SHA-1 is {found}; export the model again")
    domain = manifest.get("DomainType")
    if domain not in (None, "Classification", "ObjectDetection"):
        raise InvalidExport(f"{path}: DomainType is {shown(domain)}; must be Classification or ObjectDetection")
