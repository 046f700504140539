"""Zips from outside, read with bounds on memory and time: whatever they claim, and however well they are compressed."""

import io
import zipfile

from classifier import InvalidExport

MAX_RATIO = 20
"""How many times as large as in its zip a file may be. Deflate reaches 1032; models of real tools stay below 3."""
SMALL_SIZE = 1024 * 1024
"""Bytes up to which the ratio does not matter."""
MAX_DIRECTORY_BYTES = 1024 * 1024
"""Upper bound of a zip's central directory."""
CHUNK_SIZE = 4096
"""Bytes per read."""
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""The methods that zipfile decompresses within bounds: 4096 bytes may become 28 MB with LZMA, and 3 GB with bzip2."""
_OTHER_COMPRESSIONS = {zipfile.ZIP_BZIP2: " (bzip2)", zipfile.ZIP_LZMA: " (LZMA)"}


class BoundedFile(io.FileIO):
    """A file with bounded reads: `zipfile` reads the whole directory at once, at the size that the zip claims."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(_check_read_size(size))


class BoundedBytes(io.BytesIO):
    """Bytes with bounded reads, as `BoundedFile` has them for a file."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(_check_read_size(size))


def _check_read_size(size: int | None) -> int:
    """Returns the size of a read by `zipfile`. Raises `InvalidExport` if it is larger than any directory may be."""
    if size is not None and size > MAX_DIRECTORY_BYTES:
        raise InvalidExport(f"the zip's directory has {size} bytes; at most {MAX_DIRECTORY_BYTES} are allowed")
    return MAX_DIRECTORY_BYTES if size is None or size < 0 else size


def read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str, limit: int) -> bytes:
    """Returns the bytes of a file in a zip. Raises `InvalidExport`, and what `zipfile` raises."""
    check_entry(archive, entry, name, limit)
    content = io.BytesIO()  # unlike a list of chunks, it needs no second copy
    with archive.open(entry) as source:  # returns at most the size in the directory
        while chunk := source.read(CHUNK_SIZE):
            content.write(chunk)
    if content.tell() != entry.file_size:
        raise InvalidExport(f"{name}: {content.tell()} bytes instead of the {entry.file_size} in the zip's directory")
    return content.getvalue()


def check_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str, limit: int) -> None:
    """Raises `InvalidExport` if reading a file in a zip could cost much more than the zip's size, or is impossible."""
    size, packed = entry.file_size, entry.compress_size
    if entry.compress_type not in _COMPRESSIONS:
        method = f"{entry.compress_type}{_OTHER_COMPRESSIONS.get(entry.compress_type, '')}"
        raise InvalidExport(f"{name}: unsupported compression {method}; use 0 (none) or 8 (deflate)")
    if size > limit:
        raise InvalidExport(f"{name}: {size} bytes; at most {limit} are allowed")
    if packed > archive.start_dir:
        raise InvalidExport(f"{name}: {packed} bytes, in a zip of fewer; the zip is damaged")
    if size > max(SMALL_SIZE, MAX_RATIO * packed):
        raise InvalidExport(f"{name}: {packed} bytes in the zip become {size}; at most {MAX_RATIO} times as many are allowed")
