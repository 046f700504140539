"""A module's process: settings, log, signals and exit code."""

import signal
import sys
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from bus import logs
from bus.errors import InvalidSetting
from bus.settings import BusSettings, help_text, load

S = TypeVar("S", bound=BusSettings)

BAD_SETTING = 2


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
        main(loaded, _stop_on_signals())
    except InvalidSetting as error:
        print(f"{name}: {error}", file=sys.stderr)
        return BAD_SETTING
    return 0


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
