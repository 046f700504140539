"""``footfall restore FILE``: puts a backup in the place of the data. The suite must be stopped. The earlier files are kept."""

import argparse
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import ExitStack, closing
from errno import EINVAL
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import Field, Strict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from bridge import database as bridge_database
from bus import FootfallError
from bus.decoding import decode_json
from classifier.zips import BoundedFile, check_entry, read_entry
from counter import database as counter_database
from counter.schema import VERSION as LEDGER_VERSION
from footfall.backup import FORMAT, MANIFEST, RETAINED_FILE, check_database, digest
from footfall.paths import argument_path
from footfall.state import INSTALLED, lock, state_dir
from footfall.storage import Storage, adopt, find_storage, stopped_broker
from runtime.database import append_suffix
from runtime.explanation import TEXT_PATTERN, first_problem
from runtime.logs import one_line

VERSIONS = {counter_database.FILE: LEDGER_VERSION, bridge_database.FILE: bridge_database.VERSION}
"""The newest schema that this version reads, by file. It migrates earlier ones."""
SQLITE_SUFFIXES = ("", "-wal", "-shm")
MAX_MANIFEST, MAX_RETAINED, MAX_DATABASE = 64 * 1024, 4 << 20, 64 << 30
"""Maximum size in bytes of the manifest, of the setups that people made, and of a database."""
_DAMAGED = "not a backup of Footfall, or damaged"
_ZIP_ERRORS = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError)
"""What `zipfile` raises for a damaged or encrypted zip."""
KEPT = ".replaced"
"""Suffix of the files that were in use before the restore. Those of the last restore are kept."""
T = TypeVar("T")


@dataclass(frozen=True)
class Manifest:
    """The description of a backup."""

    format: Annotated[int, Strict(), Field(ge=1)]
    """The number of the zip file's format."""
    created_at: Annotated[str, Strict(), Field(max_length=64, pattern=TEXT_PATTERN)]
    """The time of the backup, by ISO 8601."""
    visits: Annotated[int, Strict(), Field(ge=0)]
    """Number of visits in the ledger."""
    sha256: dict[str, str]
    """The SHA-256 of each file, in hexadecimal digits."""


def main(arguments: argparse.Namespace) -> None:
    """Checks the backup completely, then replaces the data. Raises `FootfallError`; nothing has changed if the check failed."""
    source, storage = argument_path("FILE=", arguments.file), find_storage()
    try:
        with ExitStack() as stack:
            _lock(storage, stack)
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=storage.ledger.parent, prefix=".restore-")))
            manifest = unpack(source, folder)
            retained = read_retained(folder)
            kept = [_replace(folder / path.name, path) for path in (storage.ledger, storage.outbox)]
            if retained:
                _publish(storage, retained)
    except (OSError, shutil.Error) as error:
        raise FootfallError(
            f"{getattr(error, 'filename', None) or source}: {getattr(error, 'strerror', None) or error}"
        ) from None
    print(f"{manifest.visits} visits of {manifest.created_at} are in {storage.ledger}. Now start the suite.")
    for path in filter(None, kept):
        print(f"The earlier file is kept: {path}")


def unpack(source: Path, folder: Path) -> Manifest:
    """Unpacks a backup into a folder and checks it. Returns its manifest. Raises `FootfallError`."""
    try:
        with BoundedFile(source) as file, zipfile.ZipFile(file) as archive:
            manifest = _read_manifest(archive)
            if manifest.format > FORMAT:
                raise FootfallError(f"of a newer Footfall (format {manifest.format}, this one reads up to {FORMAT})")
            sums = manifest.sha256
            if not {counter_database.FILE, RETAINED_FILE} <= set(sums) <= {*VERSIONS, RETAINED_FILE}:
                raise FootfallError(f"must have {', '.join([*VERSIONS, RETAINED_FILE])}, but has {', '.join(sums)}")
            for name in sums:
                check_entry(archive, archive.getinfo(name), name, MAX_RETAINED if name == RETAINED_FILE else MAX_DATABASE)
                archive.extract(name, folder)
        for name, expected in sums.items():
            if digest(folder / name) != expected:
                raise FootfallError(f"damaged: {name} has another SHA-256 than the backup says")
        read_retained(folder)
    except FootfallError as error:
        raise FootfallError(f"{source}: {_shown(error)}") from None
    except OSError as error:
        if error.errno != EINVAL:  # of a seek to before the file
            raise
        raise FootfallError(f"{source}: {_DAMAGED}: an offset is wrong") from None
    except (*_ZIP_ERRORS, ValueError, KeyError) as error:
        raise FootfallError(f"{source}: {_DAMAGED}: {_shown(error)}") from None
    for name in sums.keys() & VERSIONS:
        if (found := check_database(folder / name, source)) > VERSIONS[name]:
            raise FootfallError(
                f"{source}: {name} is of a newer Footfall (version {found}, this one reads up to {VERSIONS[name]})"
            )
    return manifest


def read_retained(folder: Path) -> Mapping[str, str]:
    """Returns the retained messages of an unpacked backup, by topic. Raises `ValueError`."""
    return _validated(dict[str, str], (folder / RETAINED_FILE).read_bytes(), RETAINED_FILE)


def _read_manifest(archive: zipfile.ZipFile) -> Manifest:
    return _validated(Manifest, read_entry(archive, archive.getinfo(MANIFEST), MANIFEST, MAX_MANIFEST), MANIFEST)


def _validated(kind: type[T], content: bytes, name: str) -> T:
    """Returns the value in JSON. Raises `ValueError` in one line."""
    adapter = TypeAdapter(kind)
    try:
        return adapter.validate_python(decode_json(content))
    except ValidationError as error:
        raise ValueError(f"{name}: {first_problem(kind, error, 'it')}") from None


def _shown(error: Exception) -> str:
    """Returns the text of an error in one line. The libraries' own may contain long names from the file."""
    return f"{one_line(str(error.args[0] if isinstance(error, KeyError) else error)):.300}"


def _lock(storage: Storage, stack: ExitStack) -> None:
    """Locks the data until the stack is closed. Raises `FootfallError` if the suite runs."""
    root = state_dir()
    root.mkdir(parents=True, exist_ok=True)
    is_service = root == INSTALLED
    how = "sudo systemctl stop footfall.target" if is_service else "Ctrl-C in its terminal"
    running = FootfallError(f"the suite is running; stop it first: {how}")
    if storage.is_running or (not is_service and lock(root, exclusive=True) is None):
        raise running
    for kind, path in ((counter_database.Database, storage.ledger), (bridge_database.Database, storage.outbox)):
        try:
            stack.enter_context(closing(kind(path.parent)))
        except FootfallError as error:
            raise FootfallError(f"{running} ({error})") from None
        adopt(path.with_suffix(".lock"), path.parent)


def _replace(new: Path, path: Path) -> Path | None:
    """Puts a file in the place of another one, which is kept. Returns the latter's new path, or None if there was none."""
    kept = append_suffix(path, KEPT)
    had_file = path.exists()
    for suffix in SQLITE_SUFFIXES:
        append_suffix(kept, suffix).unlink(missing_ok=True)
        if (part := append_suffix(path, suffix)).exists():
            part.replace(append_suffix(kept, suffix))
    if new.exists():
        copy = append_suffix(path, ".restored")
        shutil.copyfile(new, copy)
        copy.chmod(0o600)
        adopt(copy, path.parent)
        copy.replace(path)
    return kept if had_file else None


def _publish(storage: Storage, retained: Mapping[str, str]) -> None:
    """Gives the setups to the stopped broker, which sends them to the modules when it starts."""
    with stopped_broker(storage.broker, keep=True) as connection:
        for topic, payload in retained.items():
            connection.publish(topic, payload.encode(), retain=True)
