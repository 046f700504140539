"""Starts programs again that have ended, as systemd does with the services of Footfall. Docker waits for 0.1 seconds only."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from typing_extensions import Self

from footfall.services import RESTART_DELAY


class Program(Protocol):
    """What can be supervised."""

    @property
    def running(self) -> bool: ...

    def start(self) -> None: ...


class Supervision:
    """Starts each program again that has ended, while entered. `started` is called with its name after each start."""

    def __init__(self, programs: Mapping[str, Program], started: Callable[[str], object]) -> None:
        self.programs = programs
        self._started = started
        self._held: set[str] = set()
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._keep, args=(name,), name=f"keep {name}") for name in programs]
        self.restarts = dict.fromkeys(programs, 0)
        """Starts of each program after its first one."""
        self.failures: list[str] = []
        """Why programs could not be started."""

    def __enter__(self) -> Self:
        for one in self._threads:
            one.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for one in self._threads:
            one.join()

    def hold(self, name: str) -> None:
        """Does not start the program again until `release`."""
        self._held.add(name)

    def release(self, name: str) -> None:
        """Starts the program again without delay if it has ended."""
        self._held.discard(name)

    def _keep(self, name: str) -> None:
        program = self.programs[name]
        while not self._end.wait(0.01):
            if program.running:
                continue
            ended, was_held = time.monotonic(), False
            while name in self._held or (not was_held and time.monotonic() - ended < RESTART_DELAY):
                was_held = was_held or name in self._held
                if self._end.wait(0.01):
                    return
            try:
                program.start()
            except (AssertionError, OSError) as error:
                self.failures.append(f"{name} could not be started: {error}")
                continue
            self.restarts[name] += 1
            self._started(name)
