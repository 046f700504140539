"""The suite as ``footfall run`` starts it, except that a program that ends is started again, as Docker does."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import psutil
from honcho.environ import parse_procfile
from typing_extensions import Self

from bus.settings import BusSettings
from footfall.own_settings import foreign_settings
from footfall.plan import make_plan
from footfall.run import prepare
from footfall.state import password_file
from runtime.environment import without
from tests.support.broker import ROOT
from tests.support.wait import limit

RESTART_DELAY = 0.1
"""Seconds until a program that has ended is started again: Docker's first delay."""
BROKER, GUESTS = "broker", "guests' broker"
MODULES = ("capture", "classifier", "counter", "bridge", "dashboard", "display")
VICTIMS = (BROKER, GUESTS, *MODULES)


class Program:
    """A program that is started again when it ends, until it is stopped."""

    def __init__(self, name: str, command: str, environment: Mapping[str, str], folder: Path) -> None:
        self.name = name
        self._command, self._environment = command, environment
        self._log = folder / f"{name}.log"
        self._is_stopping = False
        self.restarts = 0
        self._process = self._start()
        self._keeper = threading.Thread(target=self._keep, name=f"keep {name}", daemon=True)
        self._keeper.start()

    def _start(self) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as log:
            return subprocess.Popen(
                ["sh", "-c", self._command],
                env=self._environment,
                stdin=subprocess.PIPE,  # the broker's script ends when this one ends
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _keep(self) -> None:
        while True:
            self._process.wait()
            time.sleep(RESTART_DELAY)
            if self._is_stopping:
                return
            self._process = self._start()
            self.restarts += 1

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def stop(self, number: signal.Signals) -> None:
        """Sends a signal to all of its processes, and starts it no more."""
        self._is_stopping = True
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def wait(self) -> None:
        """Waits for the end of a stopped program. Kills one that takes too long."""
        self._keeper.join(limit(10))
        if self._keeper.is_alive():
            self.stop(signal.SIGKILL)
            self._keeper.join(limit(5))


class Suite:
    """All programs of the suite, with the display, but without LEDs. Entering starts them, leaving stops them.

    `settings` are those of ``footfall run``. The programs get the environment variables from it that they get from a run.
    """

    def __init__(self, folder: Path, settings: Mapping[str, object]) -> None:
        self._folder = folder
        before = dict(os.environ)
        os.environ |= {name: str(value) for name, value in settings.items()}
        try:
            self.plan = make_plan()
            self._environment, self._locked = prepare(self.plan)
            self._state = self.plan.state
        finally:  # this program's own connections to the broker are not the run's
            os.environ.clear()
            os.environ |= before
        self.restarts = dict.fromkeys(VICTIMS, 0)
        """Kills so far, each followed by a restart."""
        self.data = self._state.data
        """The folder with ledger and outbox."""
        self.port = int(self._environment["USERS_PORT"])
        """The port at which the broker takes users with passwords."""
        self._programs: dict[str, Program] = {}

    def __enter__(self) -> Self:
        procfile = parse_procfile((ROOT / "footfall" / "Procfile").read_text("utf-8")).processes
        for name in (BROKER, *MODULES):
            own = without(self._environment, foreign_settings(name))
            self._programs[name] = Program(name, procfile[name], own, self._folder)
        return self

    def __exit__(self, *_: object) -> None:
        programs = self._programs
        for names in (MODULES, (BROKER,)):
            for name in names:
                programs[name].stop(signal.SIGTERM)
            for name in names:
                programs[name].wait()
        os.close(self._locked)

    def bus_settings(self, name: str, user: str) -> BusSettings:
        """Returns the settings of a program that signs in at the broker as another user than the run's own programs."""
        password = password_file(self._state.broker, user).read_text().strip()
        own = {"MODULE_NAME": name, "mqtt_port": self.port, "mqtt_username": user, "mqtt_password": password}
        return BusSettings.model_validate(own)

    def process(self, name: str) -> psutil.Process | None:
        """Returns the process of a program; None while it is not running."""
        with suppress(psutil.NoSuchProcess):
            if name not in (BROKER, GUESTS):
                return psutil.Process(self._programs[name].pid)
            children = psutil.Process(self._programs[BROKER].pid).children(recursive=True)
            return next((one for one in children if _is_mosquitto(one, is_guests=name == GUESTS)), None)
        return None

    def kill(self, name: str) -> None:
        """Kills a program, if it is running."""
        if (process := self.process(name)) is not None:
            with suppress(psutil.NoSuchProcess):
                process.kill()
                self.restarts[name] += 1

    def ended_by_themselves(self) -> dict[str, int]:
        """Returns how often each program ended without a kill, if any did."""
        ended = {name: program.restarts - self.restarts[name] for name, program in self._programs.items()}
        return {name: number for name, number in ended.items() if number}

    def logs(self) -> Iterator[tuple[str, str]]:
        """Yields the name and the whole output of each program."""
        for name, program in self._programs.items():
            yield name, program.log


def _is_mosquitto(process: psutil.Process, is_guests: bool) -> bool:
    """Returns whether a child of the broker's script is a broker, that of the guests or the other one."""
    with suppress(psutil.NoSuchProcess):
        return process.name() == "mosquitto" and ("/guests/" in " ".join(process.cmdline())) == is_guests
    return False
