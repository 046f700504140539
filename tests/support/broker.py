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
"""Where Mosquitto may be."""


def find_mosquitto() -> str:
    """Its path."""
    mosquitto = shutil.which("mosquitto", path=PATH)
    assert mosquitto, "mosquitto is not installed: make setup installs it"
    return mosquitto


def free_port() -> int:
    """A free loopback port. The system gives ports of this range to no connection, so that it stays free until it is used."""
    for port in random.SystemRandom().choices(range(15_000, 32_000), k=100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no free port")


def accepts(port: int, host: str = "127.0.0.1") -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        probe.settimeout(limit(1))
        return probe.connect_ex((host, port)) == 0


class Broker:
    """Mosquitto with its state in `folder`; can be killed, frozen and started again on the same port."""

    def __init__(self, folder: Path, configuration: Path = LAPTOP, port: int | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
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
        """Starts it and waits until it answers."""
        self._start([find_mosquitto(), "-c", str(self._configuration), "-p", str(self.port)], os.environ, self.port)

    def _start(self, command: list[str], environment: Mapping[str, str], *ports: int) -> None:
        with (self.folder / "broker.log").open("ab") as log:
            process = self._process = subprocess.Popen(command, cwd=self.folder, env=environment, stderr=log)
        try:
            until(lambda: process.poll() is not None or all(map(accepts, ports)), what=f"mosquitto on ports {ports}")
            assert process.poll() is None, self.log
        except BaseException:
            self.end()
            raise

    def end(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Ends it, by default as a crash would."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(limit(10))
            self._process = None

    def freeze(self) -> None:
        """Stops it from running, with its connections open."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Lets it run on."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    @property
    def log(self) -> str:
        return (self.folder / "broker.log").read_text()

    @property
    def memory(self) -> int:
        """Resident bytes."""
        return int(psutil.Process(self.pid).memory_info().rss)

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid
