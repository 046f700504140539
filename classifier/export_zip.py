"""Reads the zip of a Custom Vision export, of which nothing is believed: for the bridge, which fetches it, and the classifier."""

import errno
import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runtime.errors import FootfallError
from runtime.logs import one_line

MODEL_FILE = "model.tflite"
LABELS_FILE = "labels.txt"
MANIFEST_FILE = "cvexport.manifest"
METADATA_FILE = "metadata_properties.json"
DESCRIPTION_FILE = "footfall.toml"
FILES = (MODEL_FILE, LABELS_FILE, MANIFEST_FILE, METADATA_FILE, DESCRIPTION_FILE)
"""The files of an export."""
NEEDED = (MODEL_FILE, LABELS_FILE)
_WANTED = f"{' and '.join(NEEDED)} are needed, in a folder or a zip"
LIMIT = 256 * 1024 * 1024
"""Most bytes of all files of an export; far above what a device can run."""
DIRECTORY_LIMIT = 1024 * 1024
"""Most bytes of a zip's directory."""
CHUNK = 4096
"""Bytes read at once: zipfile unpacks LZMA without a bound, up to 28 MB from as many bytes."""
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA)  # bzip2: 3 GB from 4096 bytes


class InvalidZip(FootfallError):
    """A file that is no zip, or a zip that holds no export."""


def read_zip(path: Path) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Name and content of each of `FILES` in a zip, in whatever folder they are; each content is to be read before the next.

    All else in the zip is ignored: what macOS adds, samples, further folders. Raises `InvalidZip`, and `OSError` where the file
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
    """Reads no more at once than an export's zip needs: `zipfile` reads a directory in one, however long it says that it is."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > DIRECTORY_LIMIT:
            raise InvalidZip(f"{size} bytes of directory, at most {DIRECTORY_LIMIT} are allowed")
        return super().read(DIRECTORY_LIMIT if size is None or size < 0 else size)


def _files(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The entries that are read, by the name without its folder, which PowerShell 5 ends with a backslash."""
    files: dict[str, zipfile.ZipInfo] = {}
    for entry in archive.infolist():
        name = re.split(r"[/\\]", entry.orig_filename)[-1]
        if name not in FILES:
            continue
        if name in files:
            raise InvalidZip(f"{name} is in it twice; one export is needed")
        if entry.compress_type not in _COMPRESSIONS:
            raise InvalidZip(f"{name}: compression {entry.compress_type}; 0 (none), 8 (deflate) and 14 (LZMA) are read")
        files[name] = entry
    if missing := [name for name in NEEDED if name not in files]:
        raise InvalidZip(f"{missing[0]} is missing; {_WANTED}")
    return files


def _content(archive: zipfile.ZipFile, name: str, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """No more than the directory announces, which `zipfile` sees to; raises `InvalidZip` for less."""
    size = 0
    with _one_error(), archive.open(entry) as source:
        while chunk := source.read(CHUNK):
            size += len(chunk)
            yield chunk
        if size != entry.file_size:
            raise InvalidZip(f"{name}: {size} bytes, not the {entry.file_size} that are announced")


@contextmanager
def _one_error() -> Iterator[None]:
    """Makes one error of those that a zip can cause, which have no common root."""
    try:
        yield
    except InvalidZip:
        raise
    except OSError as error:
        if error.errno != errno.EINVAL:  # EINVAL: a place before the beginning
            raise
        raise InvalidZip(f"not a zip that can be read; {_WANTED}") from None
    except Exception as error:
        reason = one_line(str(error)[:200])
        raise InvalidZip(f"not a zip that can be read ({reason}); {_WANTED}") from None
