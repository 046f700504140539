"""``footfall backup FILE``: writes ledger, outbox and the setups of cameras into a zip file, while everything runs or not."""

import argparse
import hashlib
import json
import sqlite3
import tempfile
import zipfile
from contextlib import closing
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

from bus import FootfallError
from footfall.paths import argument_path
from footfall.storage import RETAINED, Storage, find_storage, stopped_broker

FORMAT = 1
"""The number of this format of the zip file. A later Footfall reads earlier formats."""
MANIFEST, RETAINED_FILE = "manifest.json", "retained.json"
LOCK_TIMEOUT = 30.0
"""Seconds to wait for the counter or the bridge to finish a transaction."""


def main(arguments: argparse.Namespace) -> None:
    """Writes the file, and prints what it has. Replaces an existing file once the new one is complete. Raises `FootfallError`."""
    target, storage = argument_path("FILE=", arguments.file), find_storage()
    if not storage.ledger.exists():
        raise FootfallError(f"there is no ledger: {storage.ledger}")
    try:
        with tempfile.TemporaryDirectory(dir=target.absolute().parent, prefix=".footfall-backup-") as name:
            folder = Path(name)
            for source in (storage.ledger, storage.outbox):
                if source.exists():
                    copy_database(source, folder / source.name)
            retained = _retained(storage)
            (folder / RETAINED_FILE).write_text(json.dumps(retained, indent=1), "utf-8")
            visits = _count(folder / storage.ledger.name)
            _pack(folder, visits).replace(target)
    except OSError as error:
        raise FootfallError(f"{error.filename or target}: {error.strerror}") from None
    print(f"{target}: {visits} visits, {sum(topic.endswith('/setup') for topic in retained)} setups of cameras")


def copy_database(source: Path, target: Path) -> None:
    """Copies a SQLite file as of one moment, and checks the copy. Raises `FootfallError`."""
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True, timeout=LOCK_TIMEOUT)) as reader,
            closing(sqlite3.connect(target)) as writer,
        ):
            reader.backup(writer)
            writer.execute("PRAGMA journal_mode = delete")
        check_database(target, source)
    except sqlite3.Error as error:
        raise FootfallError(f"{source}: {error}") from None


def check_database(path: Path, source: Path) -> int:
    """Returns the version of the schema. Raises `FootfallError`, which names `source`, if the file is damaged."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            for (found,) in connection.execute("PRAGMA integrity_check(1)"):
                if found != "ok":
                    raise FootfallError(f"{source}: damaged: {' '.join(found.split())}")
            return int(connection.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.Error as error:
        raise FootfallError(f"{source}: {error}") from None


def digest(path: Path) -> str:
    """Returns the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        found = hashlib.sha256()
        while block := file.read(1 << 20):
            found.update(block)
    return found.hexdigest()


def _retained(storage: Storage) -> dict[str, str]:
    """Returns the retained messages that people set, by topic. Raises `FootfallError`."""
    with storage.connection() if storage.is_running else stopped_broker(storage.broker, keep=False) as connection:
        return {topic: payload.decode("utf-8", "replace") for topic, payload in connection.retained(*RETAINED).items()}


def _count(ledger: Path) -> int:
    with closing(sqlite3.connect(ledger)) as connection:
        return int(connection.execute("SELECT count(*) FROM visit").fetchone()[0])


def _pack(folder: Path, visits: int) -> Path:
    """Packs the files of a folder with a manifest, and returns the path of the zip file. Only its owner can read it."""
    files = sorted(folder.iterdir())
    manifest = {
        "format": FORMAT,
        "footfall": version("footfall"),
        "created_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "visits": visits,
        "sha256": {path.name: digest(path) for path in files},
    }
    packed = folder / "backup.zip"
    packed.touch(mode=0o600)
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST, json.dumps(manifest, indent=1))
        for path in files:
            archive.write(path, path.name)
    return packed
