"""A Debian that boots in systemd-nspawn, with systemd as its first process and a network of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from typing_extensions import Self

from tests.support.wait import limit, until

BASE = Path(f"{sys.prefix}-machine")
"""scripts/ecosystem.sh makes it."""
OPTIONS = ("--quiet", "--register=no", "--keep-unit", "--private-network")
"""They work on a machine with systemd and on one without."""
SUDO = 'sudo() { "$@"; }'


class Machine:
    """A copy of the Debian in `folder`. Skips the test without one, or if this machine refuses to boot it. Needs root."""

    def __init__(self, folder: Path) -> None:
        if not (BASE / "installed").exists() or os.geteuid() != 0:
            pytest.skip("needs root, and a Debian that boots: scripts/ecosystem.sh makes it, as root on Debian")
        self.root = folder / f"footfall-{folder.name}"
        subprocess.run(["cp", "-a", "--reflink=auto", BASE, self.root], check=True, timeout=limit(120))
        self._log = folder / "machine.log"
        self._process: subprocess.Popen[bytes] | None = None
        tried = subprocess.run(
            ["systemd-nspawn", *OPTIONS, "--directory", self.root, "--pipe", "true"],
            capture_output=True,
            text=True,
            timeout=limit(60),
            check=False,
        )
        if tried.returncode:
            pytest.skip(f"systemd-nspawn does not work here: {tried.stderr.strip()}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        shutil.rmtree(self.root, ignore_errors=True)

    def boot(self) -> None:
        """Boots the machine, and waits until systemd has started everything."""
        command = ["systemd-nspawn", *OPTIONS, "--directory", str(self.root), "--boot"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(self._is_running, 60, f"the machine: {self._log}")

    def end(self) -> None:
        """Shuts the machine down."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(limit(60))
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(limit(10))
                raise
            self._process = None

    def _is_running(self) -> bool:
        assert self._process
        assert self._process.poll() is None, self._log.read_text()
        # The first process is a child of systemd-nspawn. It has its namespaces when it is systemd.
        first = [one for one in psutil.Process(self._process.pid).children() if one.name() == "systemd"]
        return bool(first) and self._call(*self._enter(), "systemctl is-system-running", check=False) in ("running", "degraded")

    def _enter(self) -> tuple[str, ...]:
        assert self._process
        (first,) = psutil.Process(self._process.pid).children()
        return "nsenter", "--all", "--target", str(first.pid), "sh", "-euc"

    def run(self, script: str, seconds: float = 60) -> str:
        """Runs shell commands, as a user types them, while the machine runs. Returns what they print."""
        return self._call(*self._enter(), f"cd /srv/footfall; {SUDO}; {script}", seconds=seconds)

    def run_offline(self, script: str, seconds: float = 300) -> str:
        """Runs shell commands while the machine is off, with this machine's network."""
        return self._call("chroot", str(self.root), "sh", "-euc", f"cd /srv/footfall; {SUDO}; {script}", seconds=seconds)

    @staticmethod
    def _call(*command: str, check: bool = True, seconds: float = 60) -> str:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit(seconds), check=False)
        assert done.returncode == 0 or not check, done.stdout + done.stderr
        return done.stdout.strip()
