"""``footfall COMMAND``: the laptop run, and the operator's commands for a running suite.

A command is imported when it is called, so that each starts quickly and the run stays small. It is a function that returns an
exit code, or None for 0.
"""

import argparse
import os
import pkgutil
import signal
import sys
from collections.abc import Sequence

from runtime.environment import warnings
from runtime.errors import FootfallError
from runtime.logs import one_line

COMMANDS = {
    "run": ("run:main", "run the whole suite without Docker; with the demo, unless MODEL and VIDEO_PATH say otherwise"),
    "watch": ("watch:main", "print who is there now at each camera, and today's visits"),
    "matrix": ("matrix:main", "draw the LED matrix in the terminal"),
    "command": ("cameras:main_command", "command a camera: DO=pause, resume or snapshot; CAMERA=door"),
    "forget": ("cameras:main_forget", "forget a camera that is gone for good: CAMERA=back"),
    "camera": ("camera:main", "add a camera to a running suite: CAMERA=back VIDEO_PATH=1"),
    "reset": ("reset:main", "remove what runs have kept: the ledger with all visits, the broker's state; asks first"),
}
"""By name: where its function is, and what it does."""
COMMAND_FAILED = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command. The exit code is 0, also after Ctrl-C, or 2 with one line when it cannot be done."""
    arguments = _parser().parse_args(argv)
    command = str(arguments.command)
    for name, value in arguments.settings:
        os.environ[name] = value
    if command != "camera":  # the capture module warns of them itself
        for warning in warnings(os.environ):
            print(f"footfall {command}: {warning}", file=sys.stderr, flush=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return pkgutil.resolve_name(f"footfall.{COMMANDS[command][0]}")() or 0
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:  # nobody reads the output any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter flushes it once more
        return 0
    except FootfallError as error:
        print(f"footfall {command}: {one_line(str(error))}", file=sys.stderr)
        return COMMAND_FAILED


def _parser() -> argparse.ArgumentParser:
    note = "Settings are environment variables (docs/settings.md); they can be given as words too: footfall run VIDEO_PATH=0"
    parser = argparse.ArgumentParser("footfall", description="Count the visitors of a place.", epilog=note)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (_, meaning) in COMMANDS.items():
        one = commands.add_parser(name, help=meaning, description=meaning, epilog=note)
        one.add_argument("settings", nargs="*", type=_setting, metavar="NAME=VALUE", help="a setting")
    return parser


def _setting(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not (name.isidentifier() and equals):
        raise argparse.ArgumentTypeError(f"{word!r}: a setting is NAME=VALUE")
    return name, value


if __name__ == "__main__":
    sys.exit(main())
