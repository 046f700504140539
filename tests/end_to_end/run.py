"""``make run`` as a user starts it."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.support.broker import ROOT, free_port
from tests.support.wait import limit, until


def user_environment() -> dict[str, str]:
    """Without what a make around the tests has set."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return kept | {"VENV": os.path.relpath(sys.prefix, ROOT), "PYTHONUNBUFFERED": "1"}


class Run:
    """A ``make run`` in a session of its own, as a terminal has it."""

    def __init__(self, process: subprocess.Popen[bytes], out: int, settings: Mapping[str, str]) -> None:
        self.process = process
        self.port = int(settings["MQTT_PORT"])
        self._settings = settings
        self._out = out

    @property
    def shown(self) -> str:
        """What is on the screen so far."""
        return os.pread(self._out, os.fstat(self._out).st_size, 0).decode()

    @property
    def last_line(self) -> str:
        """The last line of the run, before what make says about its exit code."""
        return [line for line in self.shown.splitlines() if line and not line.startswith("make: ***")][-1]

    def wait_for_predictions(self) -> None:
        until(lambda: "Predictions flow" in self.shown or self.process.poll() is not None, 60, "predictions")
        assert self.process.poll() is None

    def family(self) -> list[psutil.Process]:
        """Everything that it started and that still runs."""
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def press_ctrl_c(self) -> int:
        """What the terminal does: SIGINT to all in the foreground, make among them, which ends by it. The exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(limit(20))

    def make(self, *words: str) -> tuple[int, str, str]:
        """Another command for this run: exit code, standard output, and standard error without make's own line."""
        done = subprocess.run(
            ["make", *words],
            cwd=ROOT,
            env=user_environment() | self.command_settings,
            capture_output=True,
            text=True,
            timeout=limit(60),
            check=False,
        )
        errors = [line for line in done.stderr.splitlines() if not line.startswith("make: ***")]
        return done.returncode, done.stdout, "\n".join(errors)

    @property
    def command_settings(self) -> dict[str, str]:
        """By which another command finds this run."""
        return {name: self._settings[name] for name in ("MQTT_PORT", "STATE_DIR")}


@contextmanager
def make_run(tmp_path: Path, **given: object) -> Iterator[Run]:
    """``make run`` with settings on its command line, by default on free ports and with its state in `tmp_path`."""
    own = {"STATE_DIR": tmp_path / "state", "MQTT_PORT": free_port(), "WEB_PORT": free_port()}
    settings = {name: str(value) for name, value in (own | given).items()}
    words = [f"{name}={value}" for name, value in settings.items()]
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(
            ["make", "run", *words], cwd=ROOT, env=user_environment(), stdout=out, stderr=out, start_new_session=True
        )
        run = Run(process, out.fileno(), settings)
        try:
            yield run
        except BaseException:
            sys.stderr.write(run.shown)
            raise
        finally:
            family = run.family()
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait(limit(20))
            psutil.wait_procs(family, timeout=limit(20))
