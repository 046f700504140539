"""scripts/setup.sh among stubs of the programs that install: what it asks them for, and what it says."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.broker import ROOT
from tests.support.wait import limit

pytestmark = pytest.mark.system

LOCKED = "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 7 (apt-get)"
PRESENT = ("busybox", "chromium", "mosquitto", "mosquitto_sub", "node", "shellcheck", "sleep")
PIP = """
echo "$*" >"$MADE/pip"
echo 'Collecting numpy==1.26.4'
echo '  Downloading https://example.org/numpy-1.26.4-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl (18.3 MB)'
echo '  Downloading idna-3.10-py3-none-any.whl (70 kB)'
echo '  Installing build dependencies: started'
echo 'Installing collected packages: numpy, idna'
"""


class Machine:
    """A machine with Python and apt-get that lacks libatomic; its programs note what they are asked for in `made`."""

    def __init__(self, folder: Path) -> None:
        self.made = folder / "made"
        self.programs = folder / "programs"
        self.venv = folder / "venv"
        for one in (self.made, self.programs, self.venv / "bin"):
            one.mkdir(parents=True)
        for name in PRESENT:
            self.have(self.programs / name, "")
        self.have(self.programs / "id", "echo 0")
        self.have(self.programs / "ldconfig", "echo libc.so.6")
        self.apt("")
        self.pip(PIP)

    def have(self, path: Path, script: str) -> None:
        """A program that does this."""
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def apt(self, script: str) -> None:
        """What apt-get does, once it has noted what it is asked for."""
        self.have(self.programs / "apt-get", f'echo "$*" >>"$MADE/apt-get"\n{script}')

    def pip(self, script: str) -> None:
        """What pip does."""
        self.have(self.venv / "bin/pip", script)

    def asked(self, program: str) -> list[str]:
        """The arguments of each call."""
        return (self.made / program).read_text().splitlines() if (self.made / program).exists() else []

    def setup(self, extra: str = "dev") -> tuple[int, str]:
        """Exit code, and what is said."""
        own = {"PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}", "MADE": str(self.made), "VENV": str(self.venv)}
        command = ["sh", str(ROOT / "scripts/setup.sh"), extra]
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **own}, capture_output=True, text=True, timeout=limit(30), check=False
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """One without libatomic."""
    return Machine(tmp_path)


def test_it_says_what_it_installs(machine: Machine) -> None:
    """The parts, how long they take, and the packages that are large; not each line of pip's.

    Playwright's Node.js is linked with libatomic; `make run` has no use for it.
    """
    assert machine.setup("run")[0] == 0
    assert machine.asked("apt-get") == []
    code, said = machine.setup("dev")
    assert machine.asked("apt-get") == ["-qq update", "-qq install -y --no-install-recommends libatomic1"]
    assert code == 0
    assert said.splitlines() == [
        "setup: installing system packages, up to 2 minutes: libatomic1",
        f"setup: installing Python packages for the tests into {machine.venv}, up to 4 minutes; the large ones:",
        "setup:   numpy-1.26.4 (18.3 MB)",
        "setup:   all are downloaded; unpacking",
        "setup: done",
    ]
    assert "--use-pep517" in machine.asked("pip")[0].split()


@pytest.mark.parametrize("step", ["update", "install"])
def test_another_apt_get_is_waited_for(machine: Machine, step: str) -> None:
    """As on a machine that updates itself; it says so once."""
    machine.apt(
        f'case "$*" in *{step}*) n=$(grep -c {step} "$MADE/apt-get"); [ "$n" = 3 ] || {{ echo "{LOCKED}" >&2; exit 100; }};; esac'
    )
    code, said = machine.setup()
    assert code == 0
    assert said.count("another apt-get is running: waiting for it, up to 5 minutes") == 1
    assert LOCKED not in said


@pytest.mark.parametrize(
    ("program", "problem", "calls"),
    [("apt", LOCKED, 61), ("apt", "E: Unable to fetch some archives", 1), ("pip", "ERROR: No matching distribution found", 2)],
    ids=["locked", "other", "pip"],
)
def test_it_ends_with_the_reason(machine: Machine, program: str, problem: str, calls: int) -> None:
    """When apt-get's lock is held for too long; at once for anything else."""
    getattr(machine, program)(f'echo "Collecting"; echo "{problem}" >&2; exit 100')
    code, said = machine.setup()
    assert code == 1
    assert said.splitlines()[-1] == problem
    assert len(machine.asked("apt-get")) == calls
