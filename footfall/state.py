"""The folders in which ``footfall run`` keeps its data: below ``.state``, or where STATE_DIR says. Standard library only."""

import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
DEMO = "demo"
LOCK = "lock"
_SAVED_NAMES = re.compile(r"(mosquitto|bridge)(-\d+)?|current-\d+")


def state_dir() -> Path:
    """The folder that all runs share."""
    return Path(os.environ.get("STATE_DIR") or ROOT / ".state").resolve()


def current_broker(root: Path, port: int) -> Path:
    """The broker's folder of the last run at that port, the demo's or another one."""
    return root / f"current-{port}"


def modules_port(broker: Path) -> int:
    """The port at which the broker of that folder takes users with passwords; 0 where none has run yet."""
    options = broker / "run" / "operator" / "mosquitto_pub"
    found = re.search(r"^-p (\d+)$", options.read_text() if options.exists() else "", re.MULTILINE)
    return int(found[1]) if found else 0


class RunState(NamedTuple):
    """The folders of one run: each port has its own, so that two runs do not share them; the demo's are apart from all others."""

    root: Path
    port: int
    is_demo: bool

    @property
    def _folder(self) -> Path:
        return self.root / DEMO if self.is_demo else self.root

    @property
    def broker(self) -> Path:
        """The broker's state, and its users' passwords."""
        return self._folder / f"mosquitto-{self.port}"

    @property
    def ledger(self) -> Path:
        """The counter's folder, with the ledger; those of the others are in it."""
        return self._folder / f"bridge-{self.port}"

    def create(self) -> None:
        """Makes the broker's folder, and has `current-<port>` point to it, where the other commands find it.

        Raises OSError.
        """
        self.broker.mkdir(parents=True, exist_ok=True)
        self.broker.chmod(0o700)  # the passwords are in there
        current = current_broker(self.root, self.port)
        new = current.with_name(f"{current.name}.new")
        new.unlink(missing_ok=True)
        new.symlink_to(self.broker.relative_to(self.root))
        new.replace(current)


def lock(root: Path, exclusive: bool) -> int | None:
    """Locks the folder, for as long as the descriptor that is returned is open; None where somebody else's lock forbids it.

    Each run has a shared lock, so that nothing is removed under it. Raises OSError.
    """
    descriptor = os.open(root / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def saved_folders(root: Path) -> Iterator[Path]:
    """What runs have made in the folder; STATE_DIR may hold other files too, which are not Footfall's."""
    for folder in (root / DEMO, root):
        if folder.is_dir():
            yield from sorted(path for path in folder.iterdir() if _SAVED_NAMES.fullmatch(path.name))
