"""The supervisor of a run. It starts the programs, and stops all when one ends: first the modules, then the broker."""

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

from honcho.colour import get_colours
from honcho.printer import Message, Printer

BAD_SETTING = 2
SHUTDOWN_TIMEOUT = 6.0
"""Seconds for the modules to end, and then for the broker. A program that takes longer is killed."""
WAKE_INTERVAL = 1.0
"""Seconds after which the main thread wakes, to notice a signal that another thread received."""
SYSTEM = "system"
LEVELS = {"INFO": "INF", "NOTICE": "INF", "WARNING": "WRN", "ERROR": "ERR"}
_FOREIGN_LINE = re.compile(r"(?:\d{10}: (?:(Notice|Info|Warning|Error): )?|(INFO|WARNING|ERROR): )(.*)")
"""Lines of Mosquitto (``1795701806: Warning: text``) and TensorFlow Lite (``INFO: text``)."""
_IGNORED_LINE = re.compile(r".*Mosquitto should not be run as root.*")
"""A warning that is not printed: if root starts the run, the broker runs as root too."""


def normalise_line(line: str) -> str:
    """Returns the line in the modules' format: ``[WRN] text``."""
    if (foreign := _FOREIGN_LINE.fullmatch(line)) is None:
        return line
    return f"[{LEVELS[(foreign[1] or foreign[2] or 'info').upper()]}] {foreign[3]}"


class Output:
    """The output of all programs in one format. Keeps the last line of each program. Thread-safe."""

    def __init__(self, width: int) -> None:
        self._printer = Printer(sys.stdout, width=width, colour=not os.environ.get("NO_COLOR"))
        self._colours = get_colours()
        self._colour_by_name = {SYSTEM: None}
        self._lock = threading.Lock()
        self.last_lines: dict[str, str] = {}

    def write(self, name: str, line: str) -> None:
        """Prints a line of a program."""
        if not line or _IGNORED_LINE.fullmatch(line):
            return
        with self._lock, suppress(OSError):  # the terminal is gone, but the programs must still be stopped
            self.last_lines[name] = normalise_line(line)
            if name not in self._colour_by_name:
                self._colour_by_name[name] = next(self._colours)
            self._printer.write(Message("line", self.last_lines[name], datetime.now(), name, self._colour_by_name[name]))


class Program:
    """A process in a new session, so that only the supervisor stops it, together with its child processes."""

    def __init__(self, name: str, command: str, environment: Mapping[str, str], output: Output) -> None:
        self.name = name
        self._output = output
        self._process = subprocess.Popen(
            ["sh", "-c", command],
            env=environment,
            stdin=subprocess.PIPE,  # it ends with this process, even a killed one: the broker's script waits for that
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        output.write(SYSTEM, f"{name} started (pid={self._process.pid})")

    def follow(self, ended: "queue.Queue[Program | None]") -> None:
        """Starts a thread that prints the program's lines and puts the program into `ended` when it ends."""
        threading.Thread(target=self._follow, args=(ended,), name=self.name, daemon=True).start()

    def _follow(self, ended: "queue.Queue[Program | None]") -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._output.write(self.name, line.decode(errors="replace").rstrip())
        self._output.write(SYSTEM, f"{self.name} stopped (rc={self._process.wait()})")
        ended.put(self)

    @property
    def code(self) -> int:
        """The exit code of a program that has ended; a negative one is a signal."""
        return self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to all of its processes."""
        with suppress(ProcessLookupError, PermissionError):  # macOS raises PermissionError for a group of zombies
            os.killpg(self._process.pid, number)


class Supervisor:
    """A group of programs that run until one of them ends or `stop` is called."""

    def __init__(
        self,
        commands: Mapping[str, str],
        environments: Mapping[str, Mapping[str, str]],
        stop_last: str,
        shutdown_timeout: float = SHUTDOWN_TIMEOUT,
    ) -> None:
        """`commands` and `environments` are by program.

        `stop_last` is stopped after all others: the broker, which carries their last messages.
        """
        self._commands = commands
        self._environments = environments
        self._stop_last = stop_last
        self._shutdown_timeout = shutdown_timeout
        self._output = Output(max(map(len, (SYSTEM, *commands))))
        self._ended: queue.Queue[Program | None] = queue.Queue()  # a SimpleQueue can block forever when a signal arrives
        """Programs that have ended; None wakes `run`."""
        self.is_stopping = False
        """Set by `stop`."""
        self.cause = ""
        """Why the run ended without `stop`: how the first program ended."""

    def stop(self) -> None:
        """Makes `run` stop all programs. Can be called by any thread or signal handler."""
        if self.is_stopping:
            return
        self.is_stopping = True
        with suppress(RuntimeError):  # no memory for a thread; the main thread wakes soon
            # On another thread, because a signal can interrupt this one in the queue, whose lock is not reentrant.
            threading.Thread(target=self._ended.put, args=(None,), daemon=True).start()

    def run(self) -> int:
        """Runs until all programs have ended. Returns the exit code of the first to end, or 0 after `stop`."""
        running: dict[str, Program] = {}
        for name, command in self._commands.items():
            running[name] = Program(name, command, self._environments[name], self._output)
            running[name].follow(self._ended)
        first = None
        while first is None and not self.is_stopping:
            first = self._next_end(running, WAKE_INTERVAL)
        if first is not None:
            self.cause = self._cause(first)
        self.is_stopping = True
        self._stop([one for one in running.values() if one.name != self._stop_last], running)
        self._stop(list(running.values()), running)
        code = 0 if first is None else first.code
        return code if code >= 0 else 128 - code

    def _next_end(self, running: dict[str, Program], timeout: float) -> Program | None:
        try:
            ended = self._ended.get(timeout=timeout)
        except queue.Empty:
            return None
        if ended is not None:
            del running[ended.name]
        return ended

    def _stop(self, programs: list[Program], running: dict[str, Program]) -> None:
        """Stops these programs, if they are still running."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            for one in programs:
                if one.name in running:
                    one.signal(number)
            deadline = time.monotonic() + self._shutdown_timeout
            while time.monotonic() < deadline and any(one.name in running for one in programs):
                self._next_end(running, max(0.0, deadline - time.monotonic()))

    def _cause(self, first: Program) -> str:
        name, code, last = first.name, first.code, self._output.last_lines.get(first.name, "")
        if code == BAD_SETTING:
            return last
        if code == -signal.SIGKILL:
            return f"{name} was killed (SIGKILL), perhaps because memory ran out"
        if code < 0:
            return f"{name} was terminated by {signal.Signals(-code).name}"
        return f"{name} ended with exit code {code}{last and f'; its last line: {last}'}" if code else f"{name} was stopped"
