"""Files that a sudden end of power leaves whole: as they were, or as they became."""

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

OWN = ".footfall"
"""What the names of all files begin with that are neither a model nor a link to one."""
CHUNK = 64 * 1024
"""Most bytes of a file in memory at once."""


def write_json(path: Path, value: object) -> None:
    """Writes the file so that it is either the old or the new one, whatever happens meanwhile."""
    new = path.with_name(f"{OWN}-{path.name}.tmp")
    new.write_text(json.dumps(value), "utf-8")
    sync(new)
    new.replace(path)
    sync(path.parent)


def read_json(path: Path) -> dict[str, Any]:
    """The object in the file; an empty one when that is not there, or holds none."""
    try:
        value = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def sha256_of(path: Path) -> str:
    """Of the file as it is on the disk, in hex digits; empty without one."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    except FileNotFoundError:
        return ""
    return digest.hexdigest()


def sync(path: Path) -> None:
    """Writes a file, or the names in a folder, through to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(path: Path) -> None:
    """Deletes a file, a link or a folder, if it is there; of a folder, what can be deleted."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
