"""``footfall reset``: removes what ``footfall run`` has saved_folders, all visits among it. Asks first, and never under a run."""

import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path

from footfall.state import DEMO, LOCK, lock, saved_folders, state_dir
from runtime.errors import FootfallError


def main() -> int:
    """The exit code: 0 when nothing is saved_folders any more, 1 when the answer was no. Raises `FootfallError`."""
    root = state_dir()
    folders = list(saved_folders(root))
    if not folders:
        print(f"Nothing is saved_folders in {root}.")
        return 0
    try:
        if lock(root, exclusive=True) is None:
            raise FootfallError(f"a run uses {root}: stop it first, by Ctrl-C in its terminal")
        if not _is_confirmed(folders):
            print("Nothing was removed.")
            return 1
        _remove(folders, root)
    except OSError as error:
        raise FootfallError(f"{error.filename or root}: {error.strerror}") from None
    print("Removed.")
    return 0


def _is_confirmed(folders: list[Path]) -> bool:
    """Asks, unless YES=1. Raises `FootfallError` where nobody can be asked."""
    print("This removes all visits counted so far, and the broker's state:")
    for folder in folders:
        print(f"  {folder}", flush=True)
    if os.environ.get("YES") == "1":
        return True
    if not sys.stdin.isatty():
        raise FootfallError("there is no terminal to ask at: YES=1 make reset removes without asking")
    try:
        return input("Remove it for good? [y/N] ").strip().lower() in ("y", "yes")
    except (EOFError, KeyboardInterrupt):
        print()
        return False


def _remove(folders: list[Path], root: Path) -> None:
    """Removes these, and the folders around them where nothing else is in them."""
    for folder in folders:
        if folder.is_symlink():
            folder.unlink()
        else:
            shutil.rmtree(folder)
    (root / LOCK).unlink()
    for folder in (root / DEMO, root):
        with suppress(OSError):  # something else is in it
            folder.rmdir()
