"""The scripts are POSIX sh: each shell that this machine has runs them to the same end."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.mosquitto.test_passwords import ROLES, SECRETS, passwords_in
from tests.support.broker import ROOT
from tests.support.guarded_broker import SEARCH, START, environment_of, run_script
from tests.support.wait import limit

SCRIPTS = sorted((ROOT / "mosquitto").glob("*.sh"))
SHELLS = {"sh": "sh", "dash": "dash", "bash": "bash --posix", "busybox": "busybox sh"}
"""The broker's image has busybox, Debian dash, macOS bash."""
HERE = [name for name in SHELLS if shutil.which(name)]
APPLETS = ("awk", "base64", "cat", "chmod", "cut", "dirname", "grep", "head", "mkdir", "mv", "paste", "rm", "sed", "sh", "tr")
"""All that the scripts need besides mosquitto_passwd and openssl; in the image they are busybox's."""


def test_shellcheck_finds_nothing() -> None:
    """Where it is installed; in any case sh can read them, and those of set-up too."""
    scripts = [*SCRIPTS, *sorted((ROOT / "scripts").glob("*.sh"))]
    for script in scripts:
        assert subprocess.run(["sh", "-n", script], timeout=limit(10), check=False).returncode == 0
    if shutil.which("shellcheck"):
        command = ["shellcheck", "-s", "sh", *map(str, scripts)]
        found = subprocess.run(command, capture_output=True, text=True, timeout=limit(60), check=False)
        assert found.stdout == ""


def tools_of(shell: str, folder: Path) -> str:
    """A PATH with just what the scripts need, of busybox's if that is the shell; in the broker's place is a stub."""
    folder.mkdir()
    for name in APPLETS:
        found = shutil.which("busybox" if shell == "busybox" else name)
        assert found, name
        (folder / name).symlink_to(found)
    for name in ("mosquitto_passwd", "openssl"):
        found = shutil.which(name, path=SEARCH)
        assert found, name
        (folder / name).symlink_to(found)
    (folder / "mosquitto").write_text("#!/bin/sh\necho started\n")
    (folder / "mosquitto").chmod(0o755)
    if shell not in APPLETS:
        (folder / shell).symlink_to(shutil.which(shell) or "")
    return str(folder)


def made_by(shell: str, folder: Path) -> dict[str, str]:
    """What the broker is told by a start with this shell, without the folder's name."""
    values = {"CAMERAS": "-n,door, back", "DISPLAYS": "hall", "CLASSIFIERS": 2, "TLS_NAMES": "a.example,192.0.2.1,::1"}
    ports = {"USERS_PORT": 1883, "GUESTS_PORT": 1884, "TLS_PORT": 8883}
    environment = environment_of(folder, PATH=tools_of(shell, folder / "bin"), MEMORY_LIMIT=70_000_000, **ports, **values)
    assert run_script(SECRETS, environment, shell=SHELLS[shell]) == (0, "")
    before = passwords_in(folder / "secrets")
    assert run_script(START, environment, shell=SHELLS[shell]) == (0, "started\n")
    assert passwords_in(folder / "secrets") == before
    assert {len(password) for password in before.values()} == {32}
    assert len(set(before.values())) == len(ROLES)
    made = {name: (folder / "run" / name).read_text().replace(str(folder), "") for name in ("access.acl", "mosquitto.conf")}
    return made | {"names": (folder / "secrets" / "tls" / "names").read_text()}


@pytest.mark.parametrize("shell", HERE)
def test_every_shell_makes_the_same_of_the_same_settings(shell: str, tmp_path: Path) -> None:
    """With no other tools than those named above: lists and listeners come out as with /bin/sh."""
    for name in ("reference", "other"):
        (tmp_path / name).mkdir()
    assert made_by(shell, tmp_path / "other") == made_by("sh", tmp_path / "reference")


@pytest.mark.parametrize("shell", HERE)
@pytest.mark.parametrize("values", [{"CAMERAS": "a\\nb"}, {"CAMERAS": "a\\c"}, {"CAMERAS": "*"}, {"MEMORY_LIMIT": "1G"}], ids=str)
def test_every_shell_refuses_the_same(shell: str, values: dict[str, str], tmp_path: Path) -> None:
    """With exit code 2 and one line."""
    environment = environment_of(tmp_path, PATH=tools_of(shell, tmp_path / "bin"), USERS_PORT=1883, **values)
    code, said = run_script(START, environment, shell=SHELLS[shell])
    assert (code, said.count("\n")) == (2, 1), said
