"""``footfall reset``: deletes the data of ``footfall run``, including all visits. Asks first, and refuses during a run."""

import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path

from footfall.state import DEMO, INSTALLED, LOCK, lock, saved_folders, state_dir
from runtime.errors import FootfallError


def main() -> int:
    """Returns the exit code: 0 if no data is left, 1 if the user refused. Raises `FootfallError`."""
    root = state_dir()
    if root == INSTALLED:
        raise FootfallError(f"{root} is the data of the services; to remove these: footfall uninstall")
    folders = list(saved_folders(root))
    if not folders:
        print(f"There is no data in {root}.")
        return 0
    try:
        if lock(root, exclusive=True) is None:
            raise FootfallError(f"a run uses {root}; stop it first with Ctrl-C in its terminal")
        if not _is_confirmed(folders):
            print("Nothing was deleted.")
            return 1
        _delete(folders, root)
    except OSError as error:
        raise FootfallError(f"{error.filename or root}: {error.strerror}") from None
    print("Deleted.")
    return 0


def _is_confirmed(folders: list[Path]) -> bool:
    """Returns whether the user confirms, or YES=1. Raises `FootfallError` without a terminal."""
    print("This deletes all visits counted so far, and the broker's state:")
    for folder in folders:
        print(f"  {folder}", flush=True)
    if os.environ.get("YES") == "1":
        return True
    if not sys.stdin.isatty():
        raise FootfallError("no terminal to ask for confirmation; to delete without asking: YES=1 make reset")
    try:
        return input("Delete it permanently? [y/N] ").strip().lower() in ("y", "yes")
    except (EOFError, KeyboardInterrupt):
        print()
        return False


def _delete(folders: list[Path], root: Path) -> None:
    """Deletes these folders, and then their parents if these are empty."""
    for folder in folders:
        if folder.is_symlink():
            folder.unlink()
        else:
            shutil.rmtree(folder)
    (root / LOCK).unlink()
    for folder in (root / DEMO, root):
        with suppress(OSError):  # not empty
            folder.rmdir()
