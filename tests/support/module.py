"""A module of the suite as a process."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from typing_extensions import Self

from tests.support.broker import ROOT
from tests.support.wait import limit, until


class Module:
    """A process ``python -m name`` with settings in its environment. Leaving the context ends it with SIGTERM."""

    def __init__(self, name: str, port: int, **settings: object) -> None:
        self.name = name
        self._folder = tempfile.TemporaryDirectory()
        self._out, self._log = Path(self._folder.name, "out"), Path(self._folder.name, "log")
        state = Path(self._folder.name, "state")
        state.mkdir()
        kept = {key: value for key, value in os.environ.items() if not key.startswith("MQTT_")}
        own = {"MQTT_PORT": port, "PYTHONUNBUFFERED": 1, "STATE_DIR": state, "WEB_PORT": 0, "LOG_RESULTS": "json"}
        self._environment = kept | {key: str(value) for key, value in (own | settings).items()}
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.end()
        if kind is not None:
            sys.stderr.write(f"--- {self.name}\n{self.log}\n")
        self._folder.cleanup()

    def start(self) -> None:
        """Starts the process; also restarts one that has ended."""
        command = [sys.executable, "-m", self.name]
        with self._out.open("ab") as out, self._log.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=out, stderr=log)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Sends the signal if the process is running. Returns its exit code."""
        assert self.process
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(limit(15))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(limit(10))
            raise

    @property
    def running(self) -> bool:
        """Whether the process is running."""
        return self.process is not None and self.process.poll() is None

    def setting(self, name: str) -> str:
        """Returns a variable of its environment."""
        return self._environment[name]

    @property
    def log(self) -> str:
        """The standard error so far."""
        return self._log.read_text()

    @property
    def out(self) -> str:
        """The standard output so far."""
        return self._out.read_text()

    def wait_for_log(self, text: str, seconds: float = 20.0) -> None:
        """Waits until the log contains the text."""
        until(lambda: text in self.log, seconds, f"{text!r} in the log of {self.name}")
