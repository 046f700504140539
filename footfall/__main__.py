"""``footfall COMMAND``: the laptop run, and the operator's commands for a running suite.

A command is a function that returns an exit code, or None for 0. It is imported when it is called, so that commands start quickly
and the run takes little memory.
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
    "run": ("run:main", "run the suite without Docker; with the demo, unless MODEL or VIDEO_PATH is set"),
    "watch": ("watch:main", "print each camera's current label and today's visits"),
    "matrix": ("matrix:main", "draw the LED matrix in the terminal"),
    "command": ("cameras:main_command", "send a command to a camera: DO=pause, resume or snapshot; CAMERA=door"),
    "forget": ("cameras:main_forget", "remove a camera from a running suite: CAMERA=back"),
    "camera": ("camera:main", "add a camera to a running suite: CAMERA=back VIDEO_PATH=1"),
    "reset": ("reset:main", "delete the ledger with all visits, and the broker's state; asks first"),
}
"""The function and the help text of each command, by name."""
COMMAND_FAILED = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command. Returns its exit code: 0, also after Ctrl-C, or 2 after one line that says why it failed."""
    arguments = _parser().parse_args(argv)
    command = str(arguments.command)
    for name, value in arguments.settings:
        os.environ[name] = value
    if command != "camera":  # the capture module prints these warnings itself
        for warning in warnings(os.environ):
            print(f"footfall {command}: {warning}", file=sys.stderr, flush=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return pkgutil.resolve_name(f"footfall.{COMMANDS[command][0]}")() or 0
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:  # the reader of the output has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter flushes it again at exit
        return 0
    except FootfallError as error:
        print(f"footfall {command}: {one_line(str(error))}", file=sys.stderr)
        return COMMAND_FAILED


def _parser() -> argparse.ArgumentParser:
    note = "Settings are environment variables (docs/settings.md) or arguments: footfall run VIDEO_PATH=0"
    parser = argparse.ArgumentParser("footfall", description="Count the visitors of a place.", epilog=note)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (_, meaning) in COMMANDS.items():
        one = commands.add_parser(name, help=meaning, description=meaning, epilog=note)
        one.add_argument("settings", nargs="*", type=_setting, metavar="NAME=VALUE", help="a setting")
    return parser


def _setting(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not (name.isidentifier() and equals):
        raise argparse.ArgumentTypeError(f"{word!r}: must be NAME=VALUE")
    return name, value


if __name__ == "__main__":
    sys.exit(main())
