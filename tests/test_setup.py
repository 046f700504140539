"""scripts/setup.sh with stubs of the installers: the commands that it runs, and its output."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.broker import ROOT
from tests.support.wait import limit

pytestmark = pytest.mark.system

LOCKED = "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 7 (apt-get)"
PRESENT = (
    "busybox",
    "cc",
    "chromium",
    "gst-inspect-1.0",
    "mosquitto",
    "mosquitto_sub",
    "node",
    "npm",
    "promtool",
    "shellcheck",
    "sleep",
)
PIP = """
echo 'Collecting numpy==1.26.4'
echo '  Downloading https://example.org/numpy-1.26.4-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl (18.3 MB)'
echo '  Downloading idna-3.10-py3-none-any.whl (70 kB)'
echo '  Installing build dependencies: started'
echo 'Installing collected packages: numpy, idna'
"""


class Machine:
    """A fake machine with Python and apt-get, but without libatomic. Its programs record their arguments."""

    def __init__(self, folder: Path) -> None:
        self.bin, self.venv = folder / "programs", folder / "venv"
        self.paths = {"pip": self.venv / "bin" / "pip"}
        (self.venv / "bin").mkdir(parents=True)
        self.bin.mkdir()
        scripts = dict.fromkeys((*PRESENT, "apt-get"), "") | {
            "id": "echo 0",
            "ldconfig": "echo libc.so.6 libgstrtspserver-1.0.so.0",
            "pip": PIP,
        }
        for name, script in scripts.items():
            self.install(name, script)

    def install(self, name: str, script: str) -> None:
        """Installs a program that records its arguments and then runs `script`."""
        path = self.paths.setdefault(name, self.bin / name)
        path.write_text(f'#!/bin/sh\necho "$*" >>"$0.calls"\n{script}\n')
        path.chmod(0o755)

    def calls(self, name: str) -> list[str]:
        """Returns the arguments of each call of a program."""
        recorded = self.paths[name].with_name(f"{name}.calls")
        return recorded.read_text().splitlines() if recorded.exists() else []

    def setup(self, extra: str = "dev") -> tuple[int, list[str]]:
        """Runs the set-up. Returns the exit code and the lines of its output."""
        own = {"PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}", "VENV": str(self.venv)}
        command = ["sh", str(ROOT / "scripts/setup.sh"), extra]
        environment = {**os.environ, **own}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=limit(30), check=False)
        return done.returncode, (done.stdout + done.stderr).splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine without libatomic."""
    return Machine(tmp_path)


def test_the_output_says_what_is_installed(machine: Machine) -> None:
    """The output names each step, its duration and large packages, but has no other lines of pip.

    The set-up waits while another apt-get runs, as on a machine that updates itself. Only the tests need libatomic, for
    Playwright's Node.js; `make run` does not.
    """
    assert machine.setup("run")[0] == 0
    assert machine.calls("apt-get") == []
    machine.install("apt-get", f'[ "$(grep -c -- "$2" "$0.calls")" = 3 ] || {{ echo "{LOCKED}" >&2; exit 100; }}')
    code, output = machine.setup("dev")
    assert code == 0
    assert output == [
        "setup: installing system packages, up to 8 minutes: libatomic1",
        *["setup: another apt-get is running: waiting for it, up to 5 minutes"] * 2,
        f"setup: installing Python packages for the tests into {machine.venv}, up to 4 minutes; the large ones:",
        "setup:   numpy-1.26.4 (18.3 MB)",
        "setup:   all are downloaded; unpacking",
        "setup: done",
    ]
    install = "-qq install -y --no-install-recommends libatomic1"
    assert machine.calls("apt-get") == ["-qq update"] * 3 + [install] * 3
    assert "--use-pep517" in machine.calls("pip")[1].split()


@pytest.mark.parametrize(
    ("program", "problem", "calls"),
    [("apt-get", LOCKED, 61), ("apt-get", "E: Unable to fetch some", 1), ("pip", "ERROR: No matching distribution found", 2)],
    ids=["apt-get is locked", "apt-get fails", "pip fails"],
)
def test_a_failure_ends_with_its_reason(machine: Machine, program: str, problem: str, calls: int) -> None:
    """If apt-get's lock is held for too long, the set-up gives up. Other failures end it at once."""
    machine.install(program, f'echo "Collecting"; echo "{problem}" >&2; exit 100')
    code, output = machine.setup()
    assert (code, output[-1]) == (1, problem)
    assert len(machine.calls("apt-get")) == calls
