"""``footfall install``: sets the suite up as systemd services. Running it again upgrades them, and keeps settings and data."""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from footfall.ports import port_problem
from footfall.services import (
    GUESTS_PORT,
    OPTIONAL,
    SERVICES,
    SETTINGS,
    TARGET,
    USERS_PORT,
    folders_file,
    unit_files,
    users_file,
)
from footfall.settings_file import check_settings, settings_text, value_in
from footfall.state import BROKER_FOLDERS, INSTALLED, ROOT
from runtime.errors import FootfallError, InvalidSetting

UNITS = Path("/etc/systemd/system")
USERS, FOLDERS = Path("/etc/sysusers.d/footfall.conf"), Path("/etc/tmpfiles.d/footfall.conf")
EXAMPLE = SETTINGS.with_name("footfall.env.example")
HIDDEN = (Path("/home"), Path("/root"), Path("/run/user"))
"""Folders that the services do not see, because of ProtectHome=yes."""
PATHS = ("MODEL", "DETECTOR", "VIDEO_PATH")
"""Settings that can be paths."""
COMMAND_TIMEOUT = 120
"""Seconds for a command of systemd."""
DEFAULTS = {"VIDEO_PATH": "0", "MODEL": "person"}
"""Settings of a new installation: the first camera, and the detector of people."""


def main(arguments: argparse.Namespace) -> None:
    """Installs, or prints the files with ``--dry-run``, or only writes them below ``--root``. Raises `FootfallError`."""
    root = Path(arguments.root or "/")
    given = {name: _absolute(name, value) for name, value in arguments.settings}
    check_settings()
    current = _read(below(root, SETTINGS))
    if current and given:
        raise InvalidSetting(f"{SETTINGS}: exists already; change the settings there: {', '.join(given)}")
    files = create_files(Path(sys.executable), ROOT, given, current)
    if arguments.dry_run:
        for path, text in files.items():
            print(f"# {path}\n{text}")
        return
    if not arguments.root:
        _check_machine(given)
    _write(root, files)
    if arguments.root:
        print(f"The files are in {root}; no user was created, and nothing was started.")
        return
    _start()
    print(f"Footfall is starting. Settings: {SETTINGS}. Ledger: {INSTALLED}/counter/ledger.db. Log: journalctl -u 'footfall-*'")


def create_files(python: Path, code: Path, given: Mapping[str, str], current: str) -> dict[Path, str]:
    """Returns the text of each file, by path. `current` is the settings file of an earlier installation, which stays as it is."""
    settings = current or settings_text(DEFAULTS | dict(given))
    wants_display = value_in(settings, "MATRIX") not in ("", "none")
    modules = [module for module in SERVICES if module not in OPTIONAL or wants_display]
    files = {UNITS / name: text for name, text in unit_files(python, code, modules).items()}
    files |= {USERS: users_file(), FOLDERS: folders_file(), EXAMPLE: settings_text({})}
    return files if current else files | {SETTINGS: settings}


def _absolute(name: str, value: str) -> str:
    """Returns the setting, with the absolute path if it is that of a file here: the services run in another folder."""
    return str(Path(value).resolve()) if name in PATHS and Path(value).exists() and value else value


def below(root: Path, path: Path) -> Path:
    """Returns an absolute path below another root folder."""
    return root / path.relative_to("/")


def systemd(*command: str) -> None:
    """Runs a command of systemd. Raises `FootfallError` with the last line of its output if it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FootfallError(f"{' '.join(command)}: {error}") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise FootfallError(f"{' '.join(command)}: {last}")


def check_root() -> None:
    """Raises `FootfallError` if this is not root on a machine that runs systemd."""
    if not Path("/run/systemd/system").exists():
        raise FootfallError("this machine does not run systemd")
    if os.geteuid() != 0:
        raise FootfallError("must be run as root, with sudo")


def _check_machine(given: Mapping[str, str]) -> None:
    """Checks what would keep the services from running. Raises `FootfallError`."""
    check_root()
    if shutil.which("mosquitto", path=os.pathsep.join([os.environ.get("PATH", ""), *BROKER_FOLDERS])) is None:
        raise FootfallError("mosquitto is not installed; install it with: apt-get install mosquitto mosquitto-clients")
    paths = {"the Python environment": sys.prefix, "Footfall's code": str(ROOT)}
    paths |= {name: given[name] for name in PATHS if name in given}
    for what, path in paths.items():
        if any(Path(path).expanduser().is_relative_to(folder) for folder in HIDDEN):
            raise InvalidSetting(f"{what} is in {path}: services cannot read home folders; use a folder in /opt or /srv")
    if subprocess.run(["systemctl", "-q", "is-active", "footfall-broker"], check=False).returncode:
        for name, default in (("GUESTS_PORT", GUESTS_PORT), ("USERS_PORT", USERS_PORT)):
            _check_free(name, int(os.environ.get(name) or default))


def _check_free(name: str, port: int) -> None:
    if problem := port_problem("127.0.0.1", port):
        hint = "perhaps by the system's own Mosquitto (systemctl disable --now mosquitto)"
        raise InvalidSetting(f"{name}={port}: {problem}, {hint}")


def _write(root: Path, files: Mapping[Path, str]) -> None:
    """Writes the files. The settings can have passwords, so only root can read them. Raises `FootfallError`."""
    for path, text in files.items():
        target = below(root, path)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            new = target.with_name(f"{target.name}.new")
            new.touch(mode=0o600)
            new.write_text(text, "utf-8")
            new.chmod(0o600 if path == SETTINGS else 0o644)
            new.replace(target)
        except OSError as error:
            raise FootfallError(f"{target}: {error.strerror}") from None


def _start() -> None:
    """Creates users and folders, and starts the services, or starts them again."""
    systemd("systemd-sysusers", str(USERS))
    systemd("systemd-tmpfiles", "--create", str(FOLDERS))
    systemd("systemctl", "daemon-reload")
    systemd("systemctl", "-q", "enable", TARGET)
    systemd("systemctl", "--no-block", "restart", TARGET)  # a start lasts until the classifier has its model


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise FootfallError(f"{path}: {error.strerror}") from None
