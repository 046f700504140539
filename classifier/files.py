"""The files of an export, in a folder, in a zip, or beside a model file. Reads them with bounds on time and memory."""

import errno
import os
import re
import zipfile
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from classifier import InvalidExport, backends
from classifier.filetypes import describe, describe_any, is_tflite
from classifier.zips import BoundedFile, read_entry
from runtime.logs import one_line

MODEL_FILE = "model.tflite"
"""The usual name of the model file. Any other name with the suffix of a backend is read too."""
LABELS_FILE = "labels.txt"
VERTEX_LABELS = "dict.txt"
LABEL_FILES = (LABELS_FILE, VERTEX_LABELS, "labelmap.txt", "labels.json")
"""Names of the files of labels. The first one that exists is read."""
DESCRIPTION_FILE = "footfall.toml"
MANIFEST_FILE = "cvexport.manifest"
METADATA_FILE = "metadata_properties.json"
"""Custom Vision's metadata."""
ULTRALYTICS_FILE = "metadata.yaml"
VERTEX_FILE = "tflite_metadata.json"
MAX_BYTES = 256 * 1024 * 1024
"""Upper bound of a model; far more than a device can run."""
MAX_SIZES = {
    **dict.fromkeys((*LABEL_FILES, ULTRALYTICS_FILE), 256 * 1024),
    **dict.fromkeys((MANIFEST_FILE, METADATA_FILE, VERTEX_FILE), 64 * 1024),
    DESCRIPTION_FILE: 16 * 1024,
}
"""Upper bounds in bytes of the other files."""
HEAD_SIZE = 4096
"""Bytes of a file that show its type."""
_SUFFIXES = {"lite": "tflite"}
"""Other suffixes of model files, and their backends."""
FileStats = tuple[tuple[str, int, int, int], ...]
"""Name, modification time in ns, size and inode of each file."""


@dataclass(frozen=True, slots=True)
class ExportFiles:
    """The name and the bytes of the model file, the name of its backend, and the other files that were found."""

    model_file: str
    model: bytes
    format: str
    others: dict[str, bytes] = field(default_factory=dict)


def model_suffixes() -> dict[str, str]:
    """Returns the suffixes of model files, and the name of the backend of each."""
    return {name: name for name in backends.names()} | _SUFFIXES


def _model_format(name: str, suffixes: dict[str, str]) -> str:
    """Returns the name of the backend that runs a file with this name; empty if none does."""
    is_name = "." in name[1:] and not name.startswith("._") and name.isprintable()
    return suffixes.get(name.rpartition(".")[2].lower(), "") if is_name else ""


def read_files(path: Path) -> ExportFiles:
    """Reads an export in a folder, a zip, or a model file with its neighbours. Raises `InvalidExport` and `OSError`."""
    if not path.is_file():
        return _Folder(path).read_all()
    with path.open("rb") as file:
        head = file.read(HEAD_SIZE)
    if _model_format(path.name, model_suffixes()) or is_tflite(head):
        return _Folder(path.parent, path.name).read_all()
    if not head.startswith(b"PK") and (kind := describe(head)):
        raise InvalidExport(f"this is {kind}")
    return _open_zip(path)


def stat_files(path: Path) -> FileStats:
    """Returns the metadata of an export's files, to detect changes; empty if there are no files."""
    found, paths, suffixes = [], [path], model_suffixes()
    with suppress(OSError):
        if path.is_dir():
            paths = [one for one in path.iterdir() if one.name in MAX_SIZES or _model_format(one.name, suffixes)]
        elif _model_format(path.name, suffixes):
            paths += [path.with_name(name) for name in MAX_SIZES]
    for file in sorted(paths):
        with suppress(OSError):
            state = file.stat()
            found.append((file.name, state.st_mtime_ns, state.st_size, state.st_ino))
    return tuple(found)


class _Source(ABC):
    """A place with files. `names` are without folders; those that are not part of an export only serve the error message."""

    names: Sequence[str]
    hint = ""
    """What to do about several models."""

    @abstractmethod
    def read(self, name: str, limit: int) -> bytes:
        """Returns a file's bytes. Raises `InvalidExport` if there are more than `limit`."""

    @abstractmethod
    def head(self, name: str) -> bytes:
        """Returns a file's first bytes, at most `HEAD_SIZE`; none if it cannot be read."""

    def read_all(self) -> ExportFiles:
        """Reads the model and the other files of the export."""
        suffixes = model_suffixes()
        model = self._find_model(sorted({name for name in self.names if _model_format(name, suffixes)}))
        for name, number in Counter(self.names).items():
            if number > 1 and (name == model or name in MAX_SIZES):
                raise InvalidExport(f"{name} occurs twice; a zip must have one export")
        others = {name: self.read(name, limit) for name, limit in MAX_SIZES.items() if name in self.names}
        return ExportFiles(model, self.read(model, MAX_BYTES), _model_format(model, suffixes) or "tflite", others)

    def _find_model(self, models: Sequence[str]) -> str:
        """Returns the only one of the model files. Raises `InvalidExport` if there is none, or several."""
        if len(models) > 1:
            raise InvalidExport(f"found {' and '.join(models)}; there must be exactly one model{self.hint}")
        if models:
            return models[0]
        if kind := describe_any(self.names, self.head):
            raise InvalidExport(f"this is {kind}")
        needed = " or ".join(f"*.{name}" for name in backends.names())
        raise InvalidExport(f"{MODEL_FILE} is missing; a model is one file {needed}")


class _Folder(_Source):
    """A folder; with `model`, only this model file in it and what belongs to it."""

    hint = "; MODEL may name one of them"

    def __init__(self, folder: Path, model: str = "") -> None:
        self._folder, self._model = folder, model
        self.names = [*MAX_SIZES, model] if model else sorted(path.name for path in folder.iterdir())
        self.names = [name for name in self.names if (folder / name).is_file()]

    def _find_model(self, models: Sequence[str]) -> str:
        return self._model or super()._find_model(models)

    def read(self, name: str, limit: int) -> bytes:
        with (self._folder / name).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            content = file.read(limit + 1) if size <= limit else b""
        if max(size, len(content)) > limit:  # the file may grow meanwhile
            raise InvalidExport(f"{name}: {size} bytes; at most {limit} are allowed")
        return content

    def head(self, name: str) -> bytes:
        with suppress(OSError), (self._folder / name).open("rb") as file:
            return file.read(HEAD_SIZE)
        return b""


class _Zip(_Source):
    """A zip. PowerShell 5 separates folders with backslashes. macOS adds a file with the prefix ``._`` to each file."""

    hint = "; unpack the zip, and set MODEL to one of them"

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        entries = [(re.split(r"[/\\]", entry.orig_filename)[-1], entry) for entry in archive.infolist()]
        self.names = [name for name, _ in entries if name and not name.startswith("._")]
        self._entries = dict(reversed(entries))  # the first of each name

    def read(self, name: str, limit: int) -> bytes:
        return read_entry(self._archive, self._entries[name], name, limit)

    def head(self, name: str) -> bytes:
        with suppress(Exception), self._archive.open(self._entries[name]) as source:
            return source.read(HEAD_SIZE)
        return b""


def _open_zip(path: Path) -> ExportFiles:
    """Reads the export in a zip. Raises `InvalidExport`, and `OSError` if it cannot be read."""
    try:
        with BoundedFile(path) as file, zipfile.ZipFile(file) as archive:
            return _Zip(archive).read_all()
    except InvalidExport:
        raise
    except OSError as error:
        if error.errno != errno.EINVAL:  # EINVAL: a position before the start of the file
            raise
        raise InvalidExport("not a valid zip file") from None
    except Exception as error:  # zipfile's errors have no common base class
        raise InvalidExport(f"not a valid zip file ({one_line(str(error)[:200])})") from None
