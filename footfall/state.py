"""The folders with the data of ``footfall run`` and of the services. Imports the standard library only."""

import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
INSTALLED = Path("/var/lib/footfall")
"""The folder of the services of ``footfall install``."""
BROKER_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")
"""Folders to search for the broker after PATH."""
DEMO = "demo"
LOCK = "lock"
_SAVED_NAMES = re.compile(r"(mosquitto|data)(-\d+)?|current-\d+")


def state_dir() -> Path:
    """Returns the folder that all runs share: in the checkout, else that of the installed services, else in the user's home."""
    if named := os.environ.get("STATE_DIR"):
        return Path(named).resolve()
    if (ROOT / "pyproject.toml").exists():
        return (ROOT / ".state").resolve()
    if INSTALLED.exists():
        return INSTALLED
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state", "footfall").resolve()


def current_broker(root: Path, port: int) -> Path:
    """Returns the link to the broker's folder of the last run at this port."""
    return root / f"current-{port}"


def password_file(broker: Path, user: str) -> Path:
    """Returns the file with a user's password. Without its own, `capture-back` has that of `capture`."""
    role, _, own = user.partition("-")
    folder = broker / "secrets" / role
    return one if own and (one := folder / f"{own}.password").exists() else folder / "password"


def modules_port(broker: Path) -> int:
    """Returns the port at which this broker accepts users with passwords, or 0 if it has never run."""
    options = broker / "run" / "operator" / "mosquitto_pub"
    found = re.search(r"^-p (\d+)$", options.read_text() if options.exists() else "", re.MULTILINE)
    return int(found[1]) if found else 0


class RunState(NamedTuple):
    """The folders of one run. Each port has its own, so that runs can share STATE_DIR; those of the demo are separate."""

    root: Path
    port: int
    is_demo: bool

    @property
    def _folder(self) -> Path:
        return self.root / DEMO if self.is_demo else self.root

    @property
    def broker(self) -> Path:
        """The folder with the broker's state and its users' passwords."""
        return self._folder / f"mosquitto-{self.port}"

    @property
    def data(self) -> Path:
        """The folder with the ledger, the outbox and downloaded models."""
        return self._folder / f"data-{self.port}"

    def create(self) -> None:
        """Creates the broker's folder, and the link `current-<port>` by which the other commands find it.

        Raises `OSError`.
        """
        self.broker.mkdir(parents=True, exist_ok=True)
        self.broker.chmod(0o700)  # it contains the passwords
        current = current_broker(self.root, self.port)
        new = current.with_name(f"{current.name}.new")
        new.unlink(missing_ok=True)
        new.symlink_to(self.broker.relative_to(self.root))
        new.replace(current)


def lock(root: Path, exclusive: bool) -> int | None:
    """Locks the folder while the returned descriptor is open. Returns None if another process holds a conflicting lock.

    Each run holds a shared lock, so that ``footfall reset`` cannot delete its data. Raises `OSError`.
    """
    descriptor = os.open(root / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def saved_folders(root: Path) -> Iterator[Path]:
    """Yields the folders and links that runs have created. STATE_DIR can contain other files, which are not Footfall's."""
    for folder in (root / DEMO, root):
        if folder.is_dir():
            yield from sorted(path for path in folder.iterdir() if _SAVED_NAMES.fullmatch(path.name))
