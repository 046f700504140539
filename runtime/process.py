"""A module's process: settings, log, signals and exit code."""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NoReturn, TypeVar

from runtime import environment, logs
from runtime.errors import InvalidSetting, MissingFile
from runtime.settings import ModuleSettings, help_text, load

log = logging.getLogger(__name__)

S = TypeVar("S", bound=ModuleSettings)

BAD_SETTING = 2
RUN_VARIABLE = "FOOTFALL_RUN"
"""Environment variable with the process id of the laptop run, which its modules do not outlive."""
RUN_CHECK = 1.0
"""Seconds."""
PATIENCE = 60.0
"""Seconds that a start waits for a file that somebody else makes, as the broker's container does passwords when it is new."""
LOOK_EVERY = 0.2
"""Seconds."""
LAST_WORDS = 2.0
"""Seconds that the log may take at the end."""


def run(main: Callable[[S, threading.Event], None], settings: type[S], about: str, argv: Sequence[str] | None = None) -> int:
    """Runs a module until SIGTERM or SIGINT sets the event that `main` is given. Returns the exit code.

    A setting that cannot be right ends it at once with exit code 2 and one line; so does one that `main` finds wrong. A password
    file that is not there yet is waited for.
    """
    arguments = sys.argv[1:] if argv is None else argv
    if "--help" in arguments or "-h" in arguments:
        print(help_text(settings, about))
        return 0
    name = settings.__module__.partition(".")[0]
    try:
        if arguments:
            raise InvalidSetting(f"{arguments[0]!r}: settings are environment variables, --help lists them")
        stop = stop_on_signals()
        if (loaded := _loaded(settings, name, stop)) is not None:
            logs.configure(loaded.detailed, plain=loaded.log_format == "plain")
            if RUN_VARIABLE not in os.environ:  # there the run has warned for all modules
                for warning in environment.warnings(os.environ):
                    log.warning("%s", warning)
            main(loaded, stop)
    except InvalidSetting as error:
        print(f"{name}: {logs.one_line(str(error))}", file=sys.stderr)
        return BAD_SETTING
    return 0


def _loaded(settings: type[S], name: str, stop: threading.Event) -> S | None:
    """The settings, as soon as the files are there that others make; None when asked to stop before. Raises `InvalidSetting`."""
    end_at = time.monotonic() + PATIENCE
    is_told = False
    while True:
        try:
            return load(settings)
        except MissingFile as missing:
            if time.monotonic() > end_at:
                raise
            if not is_told:
                is_told = True
                print(f"{name}: {logs.one_line(str(missing))}; waiting for it", file=sys.stderr, flush=True)
        if stop.wait(LOOK_EVERY):
            return None


def end(code: int, reason: str = "") -> NoReturn:
    """Ends the process at once, whatever the threads of libraries are still waiting for; what is to be kept must be kept.

    The `reason`, if any, is logged. Not even the log is waited for without end: its reader may be what hangs.
    """
    speaking = threading.Thread(target=_say_last, args=(reason,), daemon=True)
    with suppress(RuntimeError):  # no thread can be had any more
        speaking.start()
        speaking.join(LAST_WORDS)
    os._exit(code)


def _say_last(reason: str) -> None:
    if reason:
        log.critical("%s", reason)
    for stream in (sys.stderr, sys.stdout):
        with suppress(OSError, ValueError):
            stream.flush()


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
