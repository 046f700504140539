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
echo 'Collecting numpy==1.26.4'
echo '  Downloading https://example.org/numpy-1.26.4-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl (18.3 MB)'
echo '  Downloading idna-3.10-py3-none-any.whl (70 kB)'
echo '  Installing build dependencies: started'
echo 'Installing collected packages: numpy, idna'
"""


class Machine:
    """A machine with Python and apt-get that lacks libatomic; programs note what they are asked for."""

    def __init__(self, folder: Path) -> None:
        self.bin, self.venv = folder / "programs", folder / "venv"
        self.paths = {"pip": self.venv / "bin" / "pip"}
        (self.venv / "bin").mkdir(parents=True)
        self.bin.mkdir()
        scripts = dict.fromkeys((*PRESENT, "apt-get"), "") | {"id": "echo 0", "ldconfig": "echo libc.so.6", "pip": PIP}
        for name, script in scripts.items():
            self.have(name, script)

    def have(self, name: str, script: str) -> None:
        """A program that does this, once it has noted its arguments."""
        path = self.paths.setdefault(name, self.bin / name)
        path.write_text(f'#!/bin/sh\necho "$*" >>"$0.asked"\n{script}\n')
        path.chmod(0o755)

    def asked(self, name: str) -> list[str]:
        """The arguments of each call."""
        noted = self.paths[name].with_name(f"{name}.asked")
        return noted.read_text().splitlines() if noted.exists() else []

    def setup(self, extra: str = "dev") -> tuple[int, list[str]]:
        """Exit code, and the lines that are said."""
        own = {"PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}", "VENV": str(self.venv)}
        command = ["sh", str(ROOT / "scripts/setup.sh"), extra]
        environment = {**os.environ, **own}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=limit(30), check=False)
        return done.returncode, (done.stdout + done.stderr).splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """One without libatomic."""
    return Machine(tmp_path)


def test_it_says_what_it_installs(machine: Machine) -> None:
    """The parts, how long they take, and the packages that are large; not each line of pip's. Another apt-get is waited for, as
    on a machine that updates itself. Playwright's Node.js is linked with libatomic; `make run` has no use for it.
    """
    assert machine.setup("run")[0] == 0
    assert machine.asked("apt-get") == []
    machine.have("apt-get", f'[ "$(grep -c -- "$2" "$0.asked")" = 3 ] || {{ echo "{LOCKED}" >&2; exit 100; }}')
    code, said = machine.setup("dev")
    assert code == 0
    assert said == [
        "setup: installing system packages, up to 2 minutes: libatomic1",
        *["setup: another apt-get is running: waiting for it, up to 5 minutes"] * 2,
        f"setup: installing Python packages for the tests into {machine.venv}, up to 4 minutes; the large ones:",
        "setup:   numpy-1.26.4 (18.3 MB)",
        "setup:   all are downloaded; unpacking",
        "setup: done",
    ]
    install = "-qq install -y --no-install-recommends libatomic1"
    assert machine.asked("apt-get") == ["-qq update"] * 3 + [install] * 3
    assert "--use-pep517" in machine.asked("pip")[1].split()


@pytest.mark.parametrize(
    ("program", "problem", "calls"),
    [("apt-get", LOCKED, 61), ("apt-get", "E: Unable to fetch some", 1), ("pip", "ERROR: No matching distribution found", 2)],
    ids=["locked", "other", "pip"],
)
def test_it_ends_with_the_reason(machine: Machine, program: str, problem: str, calls: int) -> None:
    """When apt-get's lock is held for too long; at once for anything else."""
    machine.have(program, f'echo "Collecting"; echo "{problem}" >&2; exit 100')
    code, said = machine.setup()
    assert (code, said[-1]) == (1, problem)
    assert len(machine.asked("apt-get")) == calls
