"""The process of a module: settings, logging, signals and exit code."""

import logging
import os
import select
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
"""Environment variable with the process id of the laptop run. A module exits when that process has ended."""
RUN_CHECK = 1.0
"""Seconds between two checks of the laptop run's process."""
WAKE_INTERVAL = 1.0
"""Seconds after which the main thread wakes, to notice a signal that another thread received."""
FILE_TIMEOUT = 60.0
"""Seconds to wait at startup for a missing file, such as a password that the broker's container has yet to create."""
FILE_INTERVAL = 0.2
"""Seconds between two attempts to read a missing file."""
LOG_TIMEOUT = 2.0
"""Seconds to wait for the last log line to be written."""


def run(
    main: Callable[[S, threading.Event], None],
    settings: type[S],
    about: str,
    argv: Sequence[str] | None = None,
    file_timeout: float = FILE_TIMEOUT,
) -> int:
    """Runs a module until SIGTERM or SIGINT sets the event that is passed to `main`. Returns the exit code.

    `InvalidSetting`, raised here or by `main`, ends the module with exit code 2 and a one-line message. Waits up to
    `file_timeout` seconds for a missing password file.
    """
    arguments = sys.argv[1:] if argv is None else argv
    if "--help" in arguments or "-h" in arguments:
        print(help_text(settings, about))
        return 0
    name = settings.__module__.partition(".")[0]
    try:
        if arguments:
            raise InvalidSetting(f"{arguments[0]!r}: unknown argument; settings are environment variables, see --help")
        stop = stop_on_signals()
        if (loaded := _load(settings, name, stop, file_timeout)) is not None:
            logs.configure(loaded.detailed, plain=loaded.log_format == "plain")
            if RUN_VARIABLE not in os.environ:  # otherwise the laptop run has already warned
                for warning in environment.warnings(os.environ):
                    log.warning("%s", warning)
            main(loaded, stop)
    except InvalidSetting as error:
        print(f"{name}: {logs.one_line(str(error))}", file=sys.stderr)
        return BAD_SETTING
    return 0


def _load(settings: type[S], name: str, stop: threading.Event, timeout: float) -> S | None:
    """Returns the settings, or None if `stop` is set while waiting for a missing file. Raises `InvalidSetting`."""
    end_at = time.monotonic() + timeout
    is_logged = False
    while True:
        try:
            return load(settings)
        except MissingFile as missing:
            if time.monotonic() > end_at:
                raise
            if not is_logged:
                is_logged = True
                print(f"{name}: {logs.one_line(str(missing))}; waiting for the file", file=sys.stderr, flush=True)
        if stop.wait(FILE_INTERVAL):
            return None


def terminate(code: int, reason: str = "") -> NoReturn:
    """Logs the `reason`, if any, and ends the process immediately, without waiting for other threads.

    Logging is limited to two seconds, because the reader of the log may hang too.
    """
    logging_thread = threading.Thread(target=_log_and_flush, args=(reason,), daemon=True)
    with suppress(RuntimeError):  # no thread can be started
        logging_thread.start()
        logging_thread.join(LOG_TIMEOUT)
    os._exit(code)


def _log_and_flush(reason: str) -> None:
    if reason:
        log.critical("%s", reason)
    for stream in (sys.stderr, sys.stdout):
        with suppress(OSError, ValueError):
            stream.flush()


def stop_on_signals() -> threading.Event:
    """Returns an event that is set by SIGTERM, by SIGINT, or when the laptop run that started this process ends."""
    stop = threading.Event()

    def set_stop(*_: object) -> None:
        # On another thread, because this one may be in stop.wait(), which holds the lock that set() needs.
        threading.Thread(target=stop.set).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, set_stop)
    threading.Thread(target=_stop_after_run, args=(os.environ.get(RUN_VARIABLE), stop), daemon=True).start()
    return stop


def wait(stop: threading.Event, each: Callable[[], object] = bool) -> None:
    """Waits until `stop` is set, and calls `each` once a second.

    A signal to a suspended process may reach any thread when it is resumed. Its handler runs on the main thread, when that wakes.
    """
    while not stop.wait(WAKE_INTERVAL):
        each()


def _stop_after_run(run: str | None, stop: threading.Event) -> None:
    """Sets `stop` when the process `run` has ended; returns at once if there is no laptop run."""
    if run:
        with suppress(AttributeError, OSError):  # not on macOS, nor before Linux 5.3
            select.select([os.pidfd_open(int(run))], [], [])
    while run and not stop.wait(RUN_CHECK):
        try:
            os.kill(int(run), 0)
        except ProcessLookupError:
            stop.set()
