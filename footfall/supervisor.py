"""Starts the programs of a run; stops them when one has ended or the run is to stop: the modules first, then the broker."""

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
"""Seconds for the modules, and then for the broker; who takes longer is killed."""
POLL_INTERVAL = 0.1
"""Seconds between two looks at whether the run is to stop."""
SYSTEM = "system"
LEVELS = {"INFO": "INF", "NOTICE": "INF", "WARNING": "WRN", "ERROR": "ERR"}
_FOREIGN_LINE = re.compile(r"(?:\d{10}: (?:(Notice|Info|Warning|Error): )?|(INFO|WARNING|ERROR): )(.*)")
"""Mosquitto's lines (``1795701806: Warning: text``) and TensorFlow Lite's (``INFO: text``)."""
_IGNORED_LINE = re.compile(r".*Mosquitto should not be run as root.*")
"""Root's broker is as the rest of root's run."""


def normalise_line(line: str) -> str:
    """The line as the modules write theirs: ``[WRN] text``."""
    if (foreign := _FOREIGN_LINE.fullmatch(line)) is None:
        return line
    return f"[{LEVELS[(foreign[1] or foreign[2] or 'info').upper()]}] {foreign[3]}"


class Output:
    """Prints the lines of all programs in one format; remembers the last of each. For many threads."""

    def __init__(self, width: int) -> None:
        self._printer = Printer(sys.stdout, width=width, colour=not os.environ.get("NO_COLOR"))
        self._colours = get_colours()
        self._colour_by_name = {SYSTEM: None}
        self._lock = threading.Lock()
        self.last_lines: dict[str, str] = {}

    def write(self, name: str, line: str) -> None:
        """One line of that program."""
        if not line or _IGNORED_LINE.fullmatch(line):
            return
        with self._lock, suppress(OSError):  # of a terminal that is gone: its programs are still to be ended
            self.last_lines[name] = normalise_line(line)
            if name not in self._colour_by_name:
                self._colour_by_name[name] = next(self._colours)
            self._printer.write(Message("line", self.last_lines[name], datetime.now(), name, self._colour_by_name[name]))


class Program:
    """A process in a session of its own, so that it is stopped from here only, with all that it has started."""

    def __init__(self, name: str, command: str, environment: Mapping[str, str], output: Output) -> None:
        self.name = name
        self._output = output
        self._process = subprocess.Popen(
            ["sh", "-c", command],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        output.write(SYSTEM, f"{name} started (pid={self._process.pid})")

    def follow(self, ended: "queue.Queue[Program]") -> None:
        """Print its lines until it ends, on a thread that this starts."""
        threading.Thread(target=self._follow, args=(ended,), name=self.name, daemon=True).start()

    def _follow(self, ended: "queue.Queue[Program]") -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._output.write(self.name, line.decode(errors="replace").rstrip())
        self._output.write(SYSTEM, f"{self.name} stopped (rc={self._process.wait()})")
        ended.put(self)

    @property
    def code(self) -> int:
        """The exit code of a program that has ended; below 0, a signal."""
        return self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to all of its processes."""
        with suppress(ProcessLookupError, PermissionError):  # macOS: that of a group of zombies
            os.killpg(self._process.pid, number)


class Supervisor:
    """Runs programs, by name, until one of them ends or `stop` is called."""

    def __init__(
        self,
        commands: Mapping[str, str],
        environment: Mapping[str, str],
        stop_last: str,
        shutdown_timeout: float = SHUTDOWN_TIMEOUT,
    ) -> None:
        """The program `last` is stopped when all others have ended: the broker, at which they say their last words."""
        self._commands = commands
        self._environment = environment
        self._stop_last = stop_last
        self._shutdown_timeout = shutdown_timeout
        self._output = Output(max(map(len, (SYSTEM, *commands))))
        self._ended: queue.Queue[Program] = queue.Queue()  # a SimpleQueue may wait for ever when a signal comes
        self.is_stopping = False
        """Set by `stop`; a plain flag, as a signal may come at any point, even inside an Event's own `set`."""
        self.cause = ""
        """Why the run has ended by itself, by the program that was the first to end."""

    def stop(self) -> None:
        """Have `run` stop everything; for any thread or signal handler."""
        self.is_stopping = True

    def run(self) -> int:
        """Returns when all have ended; the exit code is that of the first to end by itself, 0 after `stop`."""
        running: dict[str, Program] = {}
        for name, command in self._commands.items():
            running[name] = Program(name, command, self._environment, self._output)
            running[name].follow(self._ended)
        first = None
        while first is None and not self.is_stopping:
            first = self._next_end(running, POLL_INTERVAL)
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
        del running[ended.name]
        return ended

    def _stop(self, programs: list[Program], running: dict[str, Program]) -> None:
        """Ends these, which are among the running ones."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            for one in programs:
                if one.name in running:
                    one.signal(number)
            deadline = time.monotonic() + self._shutdown_timeout
            while time.monotonic() < deadline and any(one.name in running for one in programs):
                self._next_end(running, POLL_INTERVAL)

    def _cause(self, first: Program) -> str:
        name, code, last = first.name, first.code, self._output.last_lines.get(first.name, "")
        if code == BAD_SETTING:
            return last
        if code == -signal.SIGKILL:
            return f"{name} was killed (SIGKILL), as the system does when memory runs out"
        if code < 0:
            return f"{name} was ended by {signal.Signals(-code).name}"
        return f"{name} ended with exit code {code}{last and f'; its last line: {last}'}" if code else f"{name} was stopped"
