"""Broker and modules of the laptop run under honcho, until one of them ends or a signal comes; the cause is the last line.

python -m scripts.suite Procfile
"""

import os
import re
import signal
import sys
from pathlib import Path
from typing import Any

from honcho.environ import parse_procfile
from honcho.manager import SIGNALS, SYSTEM_PRINTER_NAME, Manager
from honcho.printer import Printer

BAD_SETTING = 2
LEVELS = {"INFO": "INF", "NOTICE": "INF", "WARNING": "WRN", "ERROR": "ERR"}
_FOREIGN = re.compile(r"(?:\d{10}: (?:(Notice|Info|Warning|Error): )?|(INFO|WARNING|ERROR): )(.*)")
"""Mosquitto's lines (``1795701806: Warning: text``) and TensorFlow Lite's (``INFO: text``)."""
_DROPPED = re.compile(r".*Mosquitto should not be run as root.*|SIG\w+ received|sending SIG\w+ to .*")
"""Root's broker is as the rest of root's run; and of a stop, that the modules have stopped says it all."""
_STOPPED = re.compile(r"(\S+) stopped \(rc=(-?\d+)\)")


class SuitePrinter:
    """What honcho's manager prints with: the lines of all processes in one format.

    Remembers which process ended first, and what each said last.
    """

    width: int = 0
    """Of the longest name, in characters; the manager sets it."""

    def __init__(self) -> None:
        self._printer = Printer(sys.stdout, colour=not os.environ.get("NO_COLOR"))
        self._last: dict[str, str] = {}
        self._first_end: tuple[str, int] | None = None

    def write(self, message: Any) -> None:
        """As honcho's; also called inside signal handlers, but then of lines that are dropped."""
        text = message.data.decode(errors="replace") if isinstance(message.data, bytes) else message.data
        text = text.rstrip()
        if not text or _DROPPED.fullmatch(text):
            return
        if message.name == SYSTEM_PRINTER_NAME:
            if self._first_end is None and (stopped := _STOPPED.fullmatch(text)):
                self._first_end = stopped[1], int(stopped[2])
        else:
            text = self._last[message.name] = in_one_format(text)
        self._printer.width = self.width
        self._printer.write(message._replace(data=text))

    @property
    def cause(self) -> str:
        """Why the suite has ended, by the process that was the first to."""
        if self._first_end is None:
            return ""
        name, code = self._first_end
        last = self._last.get(name, "")
        if code == BAD_SETTING:
            return last
        if code == -signal.SIGKILL:
            return f"{name} was killed (SIGKILL), as the system does when memory runs out"
        if code < 0:
            return f"{name} was ended by {signal.Signals(-code).name}"
        return f"{name} ended with exit code {code}{last and f'; its last line: {last}'}" if code else f"{name} was stopped"


def in_one_format(line: str) -> str:
    """The line as the modules write theirs: ``[WRN] text``."""
    if (foreign := _FOREIGN.fullmatch(line)) is None:
        return line
    return f"[{LEVELS[(foreign[1] or foreign[2] or 'info').upper()]}] {foreign[3]}"


def main() -> int:
    """Runs the processes of the Procfile named; the exit code is that of the first to end."""
    signal.signal(signal.SIGHUP, lambda *_: None)  # run.py gets it too, and passes it on as SIGTERM
    printer = SuitePrinter()
    manager = Manager(printer)
    for name, command in parse_procfile(Path(sys.argv[1]).read_text("utf-8")).processes.items():
        manager.add_process(name, command)
    manager.loop()
    code = manager.returncode or 0
    if code not in [one["rc"] for one in SIGNALS.values()] and printer.cause:
        print(f"\nmake run: {printer.cause}", file=sys.stderr, flush=True)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
