"""Reads files from a zip, without trusting anything in it."""

import errno
import io
import re
import zipfile
from collections.abc import Collection
from pathlib import Path

from classifier import InvalidExport
from runtime.logs import one_line

LIMIT = 256 * 1024 * 1024
"""Bytes of all files of an export; far above what a device can run."""
DIRECTORY_LIMIT = 1024 * 1024
"""Bytes of a zip's directory."""
CHUNK = 4096
"""Bytes read at once: zipfile unpacks LZMA without a bound, up to 28 MB from as many bytes."""
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA)  # bzip2: 3 GB from 4096 bytes


def read_zip(path: Path, names: Collection[str]) -> dict[str, bytes]:
    """The files of these names, in any folder of the zip. Raises `InvalidExport`, and `OSError` when it cannot be read.

    All else in the zip is ignored: what macOS adds, samples, further folders.
    """
    try:
        with _Bounded(path) as file, zipfile.ZipFile(file) as archive:
            return _read_files(archive, names)
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


def _read_files(archive: zipfile.ZipFile, names: Collection[str]) -> dict[str, bytes]:
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
