"""``footfall restore FILE``: puts a backup in the place of the data. The suite must be stopped. The earlier files are kept."""

import argparse
import json
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from bridge import database as bridge_database
from bus import FootfallError
from counter import database as counter_database
from counter.schema import VERSION as LEDGER_VERSION
from footfall.backup import FORMAT, MANIFEST, RETAINED_FILE, check_database, digest
from footfall.paths import argument_path
from footfall.state import INSTALLED, lock, state_dir
from footfall.storage import Storage, adopt, find_storage, stopped_broker
from runtime.database import append_suffix

VERSIONS = {counter_database.FILE: LEDGER_VERSION, bridge_database.FILE: bridge_database.VERSION}
"""The newest schema that this version reads, by file. It migrates earlier ones."""
SQLITE_SUFFIXES = ("", "-wal", "-shm")
KEPT = ".replaced"
"""Suffix of the files that were in use before the restore. Those of the last restore are kept."""


def main(arguments: argparse.Namespace) -> None:
    """Checks the backup completely, then replaces the data. Raises `FootfallError`; nothing has changed if the check failed."""
    source, storage = argument_path("FILE=", arguments.file), find_storage()
    try:
        with ExitStack() as stack:
            _lock(storage, stack)
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=storage.ledger.parent, prefix=".restore-")))
            manifest = unpack(source, folder)
            retained = json.loads((folder / RETAINED_FILE).read_text("utf-8"))
            kept = [_replace(folder / path.name, path) for path in (storage.ledger, storage.outbox)]
            if retained:
                _publish(storage, retained)
    except (OSError, shutil.Error) as error:
        raise FootfallError(
            f"{getattr(error, 'filename', None) or source}: {getattr(error, 'strerror', None) or error}"
        ) from None
    print(f"{manifest['visits']} visits of {manifest['created_at']} are in {storage.ledger}. Now start the suite.")
    for path in filter(None, kept):
        print(f"The earlier file is kept: {path}")


def unpack(source: Path, folder: Path) -> Mapping[str, Any]:
    """Unpacks a backup into a folder and checks it. Returns its manifest. Raises `FootfallError`."""
    try:
        with zipfile.ZipFile(source) as archive:
            manifest = json.loads(archive.read(MANIFEST))
            number, sums = int(manifest["format"]), dict(manifest["sha256"])
            if number > FORMAT:
                raise FootfallError(f"{source}: of a newer Footfall (format {number}, this one reads up to {FORMAT})")
            if not {counter_database.FILE, RETAINED_FILE} <= set(sums) <= {*VERSIONS, RETAINED_FILE}:
                raise FootfallError(f"{source}: must have {', '.join([*VERSIONS, RETAINED_FILE])}, but has {', '.join(sums)}")
            for name in sums:
                archive.extract(name, folder)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, KeyError, TypeError, ValueError, EOFError) as error:
        raise FootfallError(f"{source}: not a backup of Footfall, or damaged: {error}") from None
    for name, expected in sums.items():
        if digest(folder / name) != expected:
            raise FootfallError(f"{source}: damaged: {name} has another SHA-256 than the backup says")
        if name in VERSIONS and (found := check_database(folder / name, source)) > VERSIONS[name]:
            raise FootfallError(
                f"{source}: {name} is of a newer Footfall (version {found}, this one reads up to {VERSIONS[name]})"
            )
    return dict(manifest)


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
