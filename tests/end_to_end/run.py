"""Runs ``make run`` like a user."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psutil

from tests.support.broker import ROOT, free_port
from tests.support.wait import limit, until


def make(*words: str, out: IO[bytes] | int = subprocess.PIPE) -> "subprocess.Popen[bytes]":
    """Starts make in a new session, like a terminal does, without the variables of an outer make."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    environment = kept | {"VENV": os.path.relpath(sys.prefix, ROOT), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        ["make", *words], cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
    )


class Run:
    """A ``make run``, and other commands for the same suite."""

    def __init__(self, folder: Path, settings: dict[str, object]) -> None:
        self.port = int(str(settings["MQTT_PORT"]))
        self._own = [f"{name}={settings[name]}" for name in ("MQTT_PORT", "STATE_DIR")]
        self._shown = folder / f"shown-{self.port}"
        with self._shown.open("wb") as out:
            self.process = make("run", *(f"{name}={value}" for name, value in settings.items()), out=out)
        self.processes = [self.process]

    @property
    def shown(self) -> str:
        """The output so far."""
        return self._shown.read_text()

    @property
    def last_line(self) -> str:
        """The last line of the output, without make's line about the exit code."""
        return [line for line in self.shown.splitlines() if line and not line.startswith("make: ***")][-1]

    def wait_for_predictions(self) -> None:
        until(lambda: "Footfall is counting" in self.shown or self.process.poll() is not None, 60, "predictions")
        assert self.process.poll() is None

    def family(self) -> list[psutil.Process]:
        """Returns all running processes that make has started."""
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def press_ctrl_c(self) -> int:
        """Sends SIGINT to all processes of the session, like a terminal. Returns the exit code of make."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(limit(20))

    def start(self, *words: str) -> "subprocess.Popen[bytes]":
        """Starts another make command for this suite."""
        self.processes.append(make(*words, *self._own))
        return self.processes[-1]

    def command(self, *words: str) -> tuple[int, str]:
        """Runs another make command for this suite. Returns its exit code and output."""
        process = self.start(*words)
        output, _ = process.communicate(timeout=limit(60))
        return process.returncode, output.decode()


@contextmanager
def make_run(tmp_path: Path, **given: object) -> Iterator[Run]:
    """Runs ``make run`` with these settings, by default on free ports and with its data in `tmp_path`."""
    own: dict[str, object] = {"STATE_DIR": tmp_path / "state", "MQTT_PORT": free_port(), "WEB_PORT": free_port()}
    run = Run(tmp_path, own | given)
    try:
        yield run
    except BaseException:
        sys.stderr.write(run.shown)
        raise
    finally:
        family = run.family()
        for process in run.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait(limit(20))
        psutil.wait_procs(family, timeout=limit(20))
