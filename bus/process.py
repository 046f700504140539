"""A module's process: settings, log, signals and exit code."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NoReturn, TypeVar

from bus import logs
from bus.errors import InvalidSetting
from bus.settings import BusSettings, help_text, load

S = TypeVar("S", bound=BusSettings)

BAD_SETTING = 2
RUN_VARIABLE = "FOOTFALL_RUN"
"""Environment variable with the process id of the laptop run, which its modules do not outlive."""
RUN_CHECK = 1.0
"""Seconds."""


def run(main: Callable[[S, threading.Event], None], settings: type[S], about: str, argv: Sequence[str] | None = None) -> int:
    """Runs a module until SIGTERM or SIGINT sets the event that `main` is given. Returns the exit code.

    A setting that cannot be right ends it at once with exit code 2 and one line; so does one that `main` finds wrong.
    """
    arguments = sys.argv[1:] if argv is None else argv
    if "--help" in arguments or "-h" in arguments:
        print(help_text(settings, about))
        return 0
    name = settings.__module__.partition(".")[0]
    try:
        if arguments:
            raise InvalidSetting(f"{arguments[0]!r}: settings are environment variables, --help lists them")
        loaded = load(settings)
        logs.configure(loaded.detailed, plain=loaded.log_format == "plain")
        main(loaded, stop_on_signals())
    except InvalidSetting as error:
        print(f"{name}: {logs.one_line(str(error))}", file=sys.stderr)
        return BAD_SETTING
    return 0


def end(code: int) -> NoReturn:
    """Ends the process at once, whatever the threads of libraries are still waiting for; what is to be kept must be kept."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def stop_on_signals(*more: signal.Signals) -> threading.Event:
    """An event that SIGTERM, SIGINT or one of `more` sets, and so does the end of the laptop run that started this process."""
    stop = threading.Event()

    def set_it(*_: object) -> None:
        # From another thread: this one may be just inside stop.wait(), which holds the lock that set() takes.
        threading.Thread(target=stop.set).start()

    for number in (signal.SIGTERM, signal.SIGINT, *more):
        signal.signal(number, set_it)
    threading.Thread(target=_stop_without, args=(os.environ.get(RUN_VARIABLE), stop), daemon=True).start()
    return stop


def _stop_without(run: str | None, stop: threading.Event) -> None:
    """Sets `stop` when there is a laptop run and its process is no more, however it ended."""
    while run and not stop.wait(RUN_CHECK):
        try:
            os.kill(int(run), 0)
        except ProcessLookupError:
            stop.set()
