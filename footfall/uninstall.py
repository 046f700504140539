"""``footfall uninstall``: removes the services, their settings and users. The ledger stays."""

import argparse
import os
import shutil
import subprocess
from pathlib import Path

from footfall.install import FOLDERS, UNITS, USERS, check_root, systemd
from footfall.services import GUESTS_PORT, SERVICES, SETTINGS, TARGET, unit_files, user_name
from footfall.state import INSTALLED
from runtime.errors import FootfallError

LEDGER = INSTALLED / "counter"
"""The folder that stays."""
USER_TIMEOUT = 60
"""Seconds to remove a user."""


def main(arguments: argparse.Namespace) -> None:
    """Stops the services and removes them, or prints what it would remove. Raises `FootfallError`."""
    units = unit_files(Path(), Path(), ())
    files = [UNITS / name for name in units] + [*UNITS.glob(f"{TARGET}.wants/footfall-*"), USERS, FOLDERS]
    files.append(INSTALLED / f"current-{GUESTS_PORT}")
    folders = [SETTINGS.parent, *(INSTALLED / one for one in ("broker", "bridge", "classifier"))]
    users = [user_name(one) for one in ("broker", *SERVICES)]
    if arguments.dry_run:
        print("\n".join([*map(str, [*files, *folders]), *(f"user {one}" for one in users)]))
        return
    check_root()
    if not (UNITS / TARGET).exists():
        raise FootfallError(f"not installed: there is no {UNITS / TARGET}")
    systemd("systemctl", "-q", "disable", TARGET)
    systemd("systemctl", "stop", TARGET, "footfall-*.service")
    _remove(files, folders)
    systemd("systemctl", "daemon-reload")
    for user in users:
        subprocess.run(["userdel", user], capture_output=True, timeout=USER_TIMEOUT, check=False)
    print(f"Uninstalled. All visits are still in {LEDGER / 'ledger.db'}. To delete them: rm -r {INSTALLED}")


def _remove(files: list[Path], folders: list[Path]) -> None:
    """Removes these, and gives the ledger to root: its user is removed, and another one could get the same id."""
    try:
        for path in files:
            path.unlink(missing_ok=True)
        for folder in folders:
            if folder.exists():
                shutil.rmtree(folder)
        for path in (LEDGER, *LEDGER.rglob("*")) if LEDGER.exists() else ():
            os.chown(path, 0, 0, follow_symlinks=False)
    except OSError as error:
        raise FootfallError(f"{error.filename}: {error.strerror}") from None
