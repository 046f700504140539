"""The scripts are POSIX sh: every shell of this machine gives the same result."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.mosquitto.access_table import ROLES
from tests.support.broker import ROOT
from tests.support.guarded_broker import SEARCH, SECRETS, START, environment_of, passwords_in, run_script
from tests.support.wait import limit

pytestmark = pytest.mark.broker

SHELLS = {"sh": "sh", "dash": "dash", "bash": "bash --posix", "busybox": "busybox sh"}
"""The broker's image has busybox, Debian dash, macOS bash."""
AVAILABLE = [name for name in SHELLS if shutil.which(name)]
APPLETS = ("awk", "base64", "cat", "chmod", "cut", "dirname", "grep", "head", "mkdir", "mv", "paste", "rm", "sed", "sh", "tr")
"""All that the scripts need besides mosquitto_passwd and openssl; in the image they are busybox's."""


def test_shellcheck_finds_nothing() -> None:
    """Where it is installed; sh can parse all scripts, those of set-up too."""
    scripts = sorted([*(ROOT / "mosquitto").glob("*.sh"), *(ROOT / "scripts").glob("*.sh")])
    for script in scripts:
        assert subprocess.run(["sh", "-n", script], timeout=limit(10), check=False).returncode == 0
    if shutil.which("shellcheck"):
        command = ["shellcheck", "-s", "sh", *map(str, scripts)]
        found = subprocess.run(command, capture_output=True, text=True, timeout=limit(60), check=False)
        assert found.stdout == ""


def create_path(shell: str, folder: Path) -> str:
    """A PATH with only what the scripts need, from busybox if that is the shell, and a stub in the broker's place."""
    folder.mkdir()
    for name in (*APPLETS, "mosquitto_passwd", "openssl"):
        found = shutil.which("busybox" if shell == "busybox" and name in APPLETS else name, path=SEARCH)
        assert found, name
        (folder / name).symlink_to(found)
    (folder / "mosquitto").write_text("#!/bin/sh\necho started\n")
    (folder / "mosquitto").chmod(0o755)
    if shell not in APPLETS:
        (folder / shell).symlink_to(shutil.which(shell) or "")
    return str(folder)


def files_of_start(shell: str, folder: Path) -> dict[str, str]:
    """The broker's files after a start with this shell, without the folder's name."""
    folder.mkdir()
    values = {"CAMERAS": "-n,door, back", "DISPLAYS": "hall", "CLASSIFIERS": 2, "TLS_NAMES": "a.example,192.0.2.1,::1"}
    ports = {"USERS_PORT": 1883, "GUESTS_PORT": 1884, "TLS_PORT": 8883}
    environment = environment_of(folder, PATH=create_path(shell, folder / "bin"), MEMORY_LIMIT=70_000_000, **ports, **values)
    assert run_script(SECRETS, environment, shell=SHELLS[shell]) == (0, "")
    before = passwords_in(folder / "secrets", ROLES)
    assert {len(password) for password in before.values()} == {32}
    assert run_script(START, environment, shell=SHELLS[shell]) == (0, "started\n")
    assert passwords_in(folder / "secrets", ROLES) == before
    made = {name: (folder / "run" / name).read_text().replace(str(folder), "") for name in ("access.acl", "mosquitto.conf")}
    return made | {"names": (folder / "secrets" / "tls" / "names").read_text()}


@pytest.mark.parametrize("shell", AVAILABLE)
def test_every_shell_writes_the_same_files(shell: str, tmp_path: Path) -> None:
    assert files_of_start(shell, tmp_path / "other") == files_of_start("sh", tmp_path / "reference")


@pytest.mark.parametrize("shell", AVAILABLE)
@pytest.mark.parametrize("values", [{"CAMERAS": "a\\nb"}, {"CAMERAS": "a\\c"}, {"CAMERAS": "*"}, {"MEMORY_LIMIT": "1G"}], ids=str)
def test_every_shell_refuses_the_same_values(shell: str, values: dict[str, str], tmp_path: Path) -> None:
    environment = environment_of(tmp_path, PATH=create_path(shell, tmp_path / "bin"), USERS_PORT=1883, **values)
    code, output = run_script(START, environment, shell=SHELLS[shell])
    assert (code, output.count("\n")) == (2, 1), output
