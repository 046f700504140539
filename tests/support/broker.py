"""A real Mosquitto for tests."""

import os
import random
import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil
from typing_extensions import Self

from tests.support.wait import limit, until

ROOT = Path(__file__).parents[2]
LAPTOP = ROOT / "mosquitto" / "mosquitto.conf"
PATH = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"])
"""The search path for Mosquitto."""


def find_mosquitto() -> str:
    """Returns the path of Mosquitto."""
    mosquitto = shutil.which("mosquitto", path=PATH)
    assert mosquitto, "mosquitto is not installed; install it with make setup"
    return mosquitto


def free_port() -> int:
    """Returns a free loopback port, outside the range from which the system takes ports for connections."""
    for port in random.SystemRandom().choices(range(15_000, 32_000), k=100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no free port")


def accepts(port: int, host: str = "127.0.0.1") -> bool:
    """Returns whether a server accepts connections at the port."""
    with socket.socket() as probe:
        probe.settimeout(limit(1))
        return probe.connect_ex((host, port)) == 0


class Broker:
    """A Mosquitto with its state in `folder`. It can be killed, frozen, and restarted on the same port."""

    def __init__(self, folder: Path, configuration: Path = LAPTOP, port: int | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._log = folder / "broker.log"
        self.port = port or free_port()
        self._configuration = configuration
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.thaw()
        self.end(signal.SIGTERM)

    def start(self) -> None:
        """Starts the broker and waits until it accepts connections."""
        self._start([find_mosquitto(), "-c", str(self._configuration), "-p", str(self.port)], os.environ, self.port)

    def _start(self, command: list[str], environment: Mapping[str, str], *ports: int) -> None:
        with self._log.open("ab") as log:
            process = self._process = subprocess.Popen(command, cwd=self.folder, env=environment, stderr=log)
        try:
            until(lambda: process.poll() is not None or all(map(accepts, ports)), what=f"mosquitto on ports {ports}")
            assert process.poll() is None, self.log
        except BaseException:
            self.end()
            raise

    def end(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Ends the broker with a signal; by default like a crash."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(limit(10))
            self._process = None

    def freeze(self) -> None:
        """Suspends the broker; its connections stay open."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Resumes the broker."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    @property
    def running(self) -> bool:
        """Whether the broker is running."""
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def memory(self) -> int:
        """The resident memory in bytes."""
        return int(psutil.Process(self.pid).memory_info().rss)

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid
