"""Reads the zip of an export, without trusting anything in it."""

import errno
import io
import re
import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from classifier import backends
from runtime.errors import FootfallError
from runtime.logs import one_line

MODEL_FILE = "model.tflite"
"""The usual model file; see `model_files` for all of them."""
LABELS_FILE = "labels.txt"
MANIFEST_FILE = "cvexport.manifest"
METADATA_FILE = "metadata_properties.json"
DESCRIPTION_FILE = "footfall.toml"
LIMIT = 256 * 1024 * 1024
"""Bytes of all files of an export; far above what a device can run."""
DIRECTORY_LIMIT = 1024 * 1024
"""Bytes of a zip's directory."""
CHUNK = 4096
"""Bytes read at once: zipfile unpacks LZMA without a bound, up to 28 MB from as many bytes."""
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA)  # bzip2: 3 GB from 4096 bytes


def model_files() -> list[str]:
    """The names that a model file may have: one for each backend."""
    return [f"model.{name}" for name in backends.names()]


def export_files() -> set[str]:
    """The names of all files that are read; everything else in an export is ignored."""
    return {*model_files(), LABELS_FILE, MANIFEST_FILE, METADATA_FILE, DESCRIPTION_FILE}


def check_complete(names: Collection[str]) -> str:
    """The problem with an export of these files: one model and its labels are needed. Empty when there is none."""
    models = sorted(name for name in names if name in model_files())
    needed = f"{' or '.join(model_files())} and {LABELS_FILE} are needed, in a folder or a zip"
    if len(models) > 1:
        return f"{' and '.join(models)} are there; one of them is needed"
    if not models:
        return f"{model_files()[0]} is missing; {needed}"
    return "" if LABELS_FILE in names else f"{LABELS_FILE} is missing; {needed}"


class InvalidZip(FootfallError):
    """The file is not a zip, or the zip is not an export."""


def read_zip(path: Path) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Name and content of each of `export_files` in a zip, in any folder; read each content before the next.

    All else in the zip is ignored: what macOS adds, samples, further folders. Raises `InvalidZip`, and `OSError` when the file
    cannot be read.
    """
    with _one_error(), _Bounded(path) as file, zipfile.ZipFile(file) as archive:
        left = LIMIT
        for name, entry in _files(archive).items():
            if entry.file_size > left:
                raise InvalidZip(f"{name}: {entry.file_size} bytes; at most {LIMIT} in all are allowed")
            left -= entry.file_size
            yield name, _content(archive, name, entry)


class _Bounded(io.FileIO):
    """Bounds the size of a read: `zipfile` reads a directory at once, however long the zip says it is."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > DIRECTORY_LIMIT:
            raise InvalidZip(f"{size} bytes of directory, at most {DIRECTORY_LIMIT} are allowed")
        return super().read(DIRECTORY_LIMIT if size is None or size < 0 else size)


def _files(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The entries that are read, by name without the folder, which PowerShell 5 ends with a backslash."""
    files: dict[str, zipfile.ZipInfo] = {}
    known = export_files()
    for entry in archive.infolist():
        name = re.split(r"[/\\]", entry.orig_filename)[-1]
        if name not in known:
            continue
        if name in files:
            raise InvalidZip(f"{name} is in it twice; one export is needed")
        if entry.compress_type not in _COMPRESSIONS:
            raise InvalidZip(f"{name}: compression {entry.compress_type}; 0 (none), 8 (deflate) and 14 (LZMA) are read")
        files[name] = entry
    if problem := check_complete(files):
        raise InvalidZip(problem)
    return files


def _content(archive: zipfile.ZipFile, name: str, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """No more bytes than the directory announces, as `zipfile` ensures; raises `InvalidZip` for less."""
    size = 0
    with _one_error(), archive.open(entry) as source:
        while chunk := source.read(CHUNK):
            size += len(chunk)
            yield chunk
        if size != entry.file_size:
            raise InvalidZip(f"{name}: {size} bytes, not the {entry.file_size} that are announced")


@contextmanager
def _one_error() -> Iterator[None]:
    """Turns all errors that a zip can cause, which have no common base class, into `InvalidZip`."""
    try:
        yield
    except InvalidZip:
        raise
    except OSError as error:
        if error.errno != errno.EINVAL:  # EINVAL: a place before the beginning
            raise
        raise InvalidZip("not a zip that can be read") from None
    except Exception as error:
        reason = one_line(str(error)[:200])
        raise InvalidZip(f"not a zip that can be read ({reason})") from None
