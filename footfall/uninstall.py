"""``footfall uninstall``: removes the services, their settings and users. The ledger stays."""

import os
import shutil
import subprocess
from pathlib import Path

from footfall.install import FOLDERS, UNITS, USERS, check_root, systemd
from footfall.services import GUESTS_PORT, SERVICES, SETTINGS, TARGET, unit_files, user_name
from footfall.state import INSTALLED
from runtime.errors import FootfallError


def main() -> None:
    """Stops the services and removes them. Raises `FootfallError`."""
    check_root()
    units = [UNITS / name for name in unit_files(Path(), Path(), ())]
    if not any(unit.exists() for unit in units):
        raise FootfallError(f"not installed: there is no {UNITS / TARGET}")
    systemd("systemctl", "-q", "disable", TARGET)
    systemd("systemctl", "stop", TARGET, "footfall-*.service")
    ledger = INSTALLED / "counter"
    try:
        for path in (*units, *UNITS.glob(f"{TARGET}.wants/footfall-*"), USERS, FOLDERS):
            path.unlink(missing_ok=True)
        (INSTALLED / f"current-{GUESTS_PORT}").unlink(missing_ok=True)
        for folder in (SETTINGS.parent, *(INSTALLED / one for one in ("broker", "bridge", "classifier"))):
            shutil.rmtree(folder, ignore_errors=not folder.exists())
        for path in (ledger, *ledger.rglob("*")) if ledger.exists() else ():
            os.chown(path, 0, 0, follow_symlinks=False)  # its user is removed, and the id could be given to another
    except OSError as error:
        raise FootfallError(f"{error.filename}: {error.strerror}") from None
    systemd("systemctl", "daemon-reload")
    for service in ("broker", *SERVICES):
        subprocess.run(["userdel", user_name(service)], capture_output=True, timeout=60, check=False)
    print(f"Uninstalled. All visits are still in {ledger / 'ledger.db'}. To delete them: rm -r {INSTALLED}")
