"""Takes a model out of a zip of which nothing is believed."""

import errno
import io
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bridge.model import InvalidModel
from bridge.model.files import CHUNK, OWN, sync
from bus.logs import one_line

NEEDED = ("model.tflite", "labels.txt")
MOST_FILES = 32
LIMIT = 256 * 1024 * 1024
"""Most bytes of all files of a model."""


def unpack(archive: Path, into: Path) -> None:
    """Writes the files of a zip, all into one folder, and through to the disk. Raises `InvalidModel`."""
    with _told(archive), _Bounded(archive) as file, zipfile.ZipFile(file) as opened:
        left = LIMIT
        for name, entry in _files(opened).items():
            left -= (size := _extract(opened, entry, into / name, left))
            if size != entry.file_size:
                raise InvalidModel(f"{name}: {size} bytes, not the {entry.file_size} that are announced")


class _Bounded(io.FileIO):
    """Reads no more at once than a model's zip needs: `zipfile` reads a directory in one, however long it says that it is."""

    def read(self, size: int | None = -1, /) -> bytes:
        most = 16 * CHUNK
        if size is not None and size > most:
            raise InvalidModel(f"{size} bytes of directory, at most {most} are allowed")
        return super().read(most if size is None or size < 0 else size)


def _extract(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, limit: int) -> int:
    """The number of bytes written."""
    size = 0
    with opened.open(entry) as source, target.open("xb") as file:
        while chunk := source.read(CHUNK):
            size += len(chunk)
            if size > limit:
                raise InvalidModel(f"more than {LIMIT} bytes in all")
            file.write(chunk)
    sync(target)
    return size


def _files(opened: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """What is to be taken out, by the name without its folder."""
    entries = opened.infolist()
    if len(entries) > 2 * MOST_FILES:
        raise InvalidModel(f"{len(entries)} entries, at most {MOST_FILES} files are allowed")
    files: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        name = _base_name(entry)
        if entry.is_dir():
            continue
        if name.casefold() in (other.casefold() for other in files):
            raise InvalidModel(f"{name}: is in it twice")
        files[name] = entry
    if len(files) > MOST_FILES:
        raise InvalidModel(f"{len(files)} files, at most {MOST_FILES} are allowed")
    if missing := [name for name in NEEDED if name not in files]:
        raise InvalidModel(f"{missing[0]} is missing; {' and '.join(NEEDED)} are needed")
    return files


def _base_name(entry: zipfile.ZipInfo) -> str:
    """The name without its folder. Raises `InvalidModel` for what is no plain file, and for whatever would lead elsewhere."""
    path = entry.orig_filename
    parts = path.removesuffix("/").split("/")
    name = parts[-1]
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFDIR if entry.is_dir() else stat.S_IFREG):
        raise InvalidModel(f"{path!r:.80}: a link or device; files are allowed")
    is_elsewhere = {"", ".."} & set(parts) or "\\" in path or (name == "." and not entry.is_dir())
    if is_elsewhere or not path.isprintable() or len(path.encode()) > 200 or name.startswith(OWN):
        raise InvalidModel(f"{path!r:.80}: not a name that is allowed")
    if len(parts) > 2 and not entry.is_dir():
        raise InvalidModel(f"{path!r:.80}: files may be one folder deep")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # others are unpacked without a bound
        raise InvalidModel(f"{path!r:.80}: compression {entry.compress_type}; 0 and 8 are allowed")
    return name


@contextmanager
def _told(archive: Path) -> Iterator[None]:
    """Makes one error of those that a zip can cause, which have no common root."""
    try:
        yield
    except InvalidModel as error:
        raise InvalidModel(f"{archive.name}: {error}") from None
    except OSError as error:
        if error.errno != errno.EINVAL:  # EINVAL: a place before the beginning
            raise
        raise InvalidModel(f"{archive.name}: not a zip that can be read") from None
    except Exception as error:
        reason = one_line(f"{type(error).__name__}: {error}"[:200])
        raise InvalidModel(f"{archive.name}: not a zip that can be read ({reason})") from None
