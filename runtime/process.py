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
"""Environment variable with the process id of the laptop run; its modules end when it does."""
RUN_CHECK = 1.0
"""Seconds between two checks of that process."""
FILE_TIMEOUT = 60.0
"""Seconds to wait at the start for a missing file, such as a password that the broker's new container is about to write."""
FILE_INTERVAL = 0.2
"""Seconds between two attempts."""
LOG_TIMEOUT = 2.0
"""Seconds that the last log line may take."""


def run(
    main: Callable[[S, threading.Event], None],
    settings: type[S],
    about: str,
    argv: Sequence[str] | None = None,
    file_timeout: float = FILE_TIMEOUT,
) -> int:
    """Runs a module until SIGTERM or SIGINT sets the event that `main` gets. Returns the exit code.

    A bad setting, found here or by `main`, ends it at once with exit code 2 and one line. A password file that does not exist yet
    is waited for, for `file_timeout` seconds.
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
        if (loaded := _load(settings, name, stop, file_timeout)) is not None:
            logs.configure(loaded.detailed, plain=loaded.log_format == "plain")
            if RUN_VARIABLE not in os.environ:  # the laptop run has warned for all modules
                for warning in environment.warnings(os.environ):
                    log.warning("%s", warning)
            main(loaded, stop)
    except InvalidSetting as error:
        print(f"{name}: {logs.one_line(str(error))}", file=sys.stderr)
        return BAD_SETTING
    return 0


def _load(settings: type[S], name: str, stop: threading.Event, timeout: float) -> S | None:
    """The settings, as soon as all files exist; None when `stop` was set before. Raises `InvalidSetting`."""
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
                print(f"{name}: {logs.one_line(str(missing))}; waiting for it", file=sys.stderr, flush=True)
        if stop.wait(FILE_INTERVAL):
            return None


def end(code: int, reason: str = "") -> NoReturn:
    """Logs the `reason`, if any, and ends the process at once, without waiting for the threads of libraries.

    The log gets two seconds: whoever reads it may hang too.
    """
    logging_thread = threading.Thread(target=_log_and_flush, args=(reason,), daemon=True)
    with suppress(RuntimeError):  # no more threads
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
    """An event that is set by SIGTERM or SIGINT, or when the laptop run that started this process ends."""
    stop = threading.Event()

    def set_stop(*_: object) -> None:
        # On another thread: this one may be inside stop.wait(), which holds the lock that set() takes.
        threading.Thread(target=stop.set).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, set_stop)
    threading.Thread(target=_stop_after_run, args=(os.environ.get(RUN_VARIABLE), stop), daemon=True).start()
    return stop


def _stop_after_run(run: str | None, stop: threading.Event) -> None:
    """Sets `stop` when the process of the laptop run, if there is one, has ended."""
    while run and not stop.wait(RUN_CHECK):
        try:
            os.kill(int(run), 0)
        except ProcessLookupError:
            stop.set()
