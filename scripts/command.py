"""How a command of the Makefile ends: 0, also at Ctrl-C; 2 and one line when it cannot be done."""

import os
import signal
import sys
from collections.abc import Callable

from bus import FootfallError
from runtime.environment import warnings as environment_warnings
from runtime.logs import one_line


def run(name: str, command: Callable[[], None]) -> int:
    """Runs the command until it returns, is interrupted (SIGINT, SIGTERM), or nobody reads its output; the exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if name != "camera":  # the capture module warns of them itself
        for warning in environment_warnings(os.environ):
            print(f"make {name}: {warning}", file=sys.stderr, flush=True)
    try:
        command()
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter flushes it once more
        return 0
    except FootfallError as error:
        print(f"make {name}: {one_line(str(error))}", file=sys.stderr)
        return 2
    return 0
