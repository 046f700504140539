"""``footfall COMMAND``: the laptop run, the operator's commands for a running suite, and tools for models and recordings.

A command is a function that returns an exit code, or None for 0. It is imported when it is called, so that commands start quickly
and the run takes little memory. A command with arguments of its own gets them as an `argparse.Namespace`.
"""

import argparse
import io
import os
import pkgutil
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from runtime.environment import warnings
from runtime.errors import FootfallError
from runtime.logs import one_line


class Command(NamedTuple):
    """A command: its function, the help text, and its own arguments with the options of `argparse`, by flag or name."""

    function: str
    meaning: str
    arguments: Mapping[str, dict[str, Any]] = {}


COMMANDS = {
    "run": Command("run:main", "run the suite without Docker; with the demo, unless MODEL or VIDEO_PATH is set"),
    "watch": Command("watch:main", "print each camera's current label and today's visits"),
    "matrix": Command("matrix:main", "draw the LED matrix in the terminal"),
    "command": Command("cameras:main_command", "send a command to a camera: DO=pause, resume or snapshot; CAMERA=door"),
    "forget": Command("cameras:main_forget", "remove a camera from a running suite: CAMERA=back"),
    "camera": Command("camera:main", "add a camera to a running suite: CAMERA=back VIDEO_PATH=1"),
    "reset": Command("reset:main", "delete the ledger with all visits, and the broker's state; asks first"),
    "install": Command(
        "install:main",
        "set the suite up as systemd services, or upgrade them; as root: VIDEO_PATH=0 MODEL=person",
        {
            "--dry-run": {"action": "store_true", "help": "print the files only"},
            "--root": {"metavar": "DIR", "help": "write the files below this folder only"},
        },
    ),
    "uninstall": Command(
        "uninstall:main",
        "remove the systemd services and their settings, but not the ledger; as root",
        {"--dry-run": {"action": "store_true", "help": "print what would be removed only"}},
    ),
    "backup": Command(
        "backup:main",
        "write the ledger, the outbox and the setups of cameras into a file, while everything runs",
        {"file": {"metavar": "FILE", "help": "zip file to write"}},
    ),
    "restore": Command(
        "restore:main",
        "put a backup in the place of the data; the suite must be stopped",
        {"file": {"metavar": "FILE", "help": "file of footfall backup"}},
    ),
    "check": Command(
        "model_check:main",
        "say what a model is taken for, time it, and try it on labelled pictures",
        {
            "model": {"metavar": "MODEL", "help": "folder, zip or file of the model; person for the person detector"},
            "pictures": {"metavar": "PICTURES", "nargs": "?", "help": "folder with a folder of pictures for each label"},
            "--crops": {"action": "store_true", "help": "PICTURES are crops of visitors, as collect --crops saves them"},
        },
    ),
    "count": Command(
        "count:main",
        "count the visitors in a recording, as fast as it can be processed",
        {
            "clip": {"metavar": "CLIP", "help": "video file or folder of pictures"},
            "--csv": {"metavar": "FILE", "help": "also write the visits to a CSV file; - writes them to standard output instead"},
            "--json": {"action": "store_true", "help": "print the result as JSON instead"},
            "--began": {"metavar": "TIME", "help": "when the recording began, such as 2026-11-26T09:00; adds times of day"},
        },
    ),
    "report": Command(
        "report:main",
        "print or write the visits of any time: of a running suite, or of a file with LEDGER=path/to/ledger.db",
        {
            "--from": {
                "metavar": "TIME",
                "help": "day, month, week, year or time, such as 2026-11-23, 2026-11, 2026-W48 or 2026 [today]",
            },
            "--to": {"metavar": "TIME", "help": "the first time that is not part of the report [the end of --from]"},
            "--by": {"metavar": "STEP", "help": "quarter, hour, day, week, month, year or weekday-hour [day]"},
            "--table": {"metavar": "TABLE", "help": "visits, crossings (of lines) or zones [visits]"},
            "--camera": {"metavar": "NAMES", "help": "only these cameras, separated by commas"},
            "--label": {"metavar": "LABELS", "help": "only these labels"},
            "--line": {"metavar": "LINES", "help": "only these lines"},
            "--zone": {"metavar": "ZONES", "help": "only these zones"},
            "--direction": {"metavar": "WAYS", "help": "only in, out or, of visits, none"},
            "--open": {"metavar": "HOURS", "nargs": "?", "const": "yes", "help": "only while open, by OPENING_HOURS or HOURS"},
            "--before": {
                "metavar": "PERIOD",
                "nargs": "?",
                "const": "yes",
                "help": "also the time before: as long, or a week, month or year earlier",
            },
            "--csv": {"metavar": "FILE", "nargs": "?", "const": "-", "help": "write CSV, to standard output without FILE"},
            "--json": {"metavar": "FILE", "nargs": "?", "const": "-", "help": "write JSON, to standard output without FILE"},
            "--parquet": {"metavar": "FILE", "help": "write Parquet; needs pyarrow"},
        },
    ),
    "collect": Command(
        "collect:main",
        "save pictures of a running suite's camera, to train a model with",
        {
            "folder": {"metavar": "FOLDER", "help": "a new folder"},
            "--minutes": {"type": float, "default": 10.0, "metavar": "N", "help": "minutes after which it ends [10]"},
            "--count": {"type": int, "default": 100, "metavar": "N", "help": "pictures after which it ends [100]"},
            "--crops": {"action": "store_true", "help": "save each visitor that the detector finds, instead of whole frames"},
            "--unsorted": {"action": "store_true", "help": "do not sort the pictures by the model's guess"},
            "--camera": {"metavar": "NAME", "help": "the camera [door]"},
        },
    ),
    "schema": Command(
        "schema:main",
        "print the AsyncAPI document of the MQTT topics, or the JSON Schema of a message",
        {"message": {"metavar": "MESSAGE", "nargs": "?", "help": "a message of docs/mqtt.md, such as Visit"}},
    ),
}
"""The commands by name."""
ENDLESS = ("run", "watch", "matrix", "camera")
"""Commands that run until Ctrl-C ends them."""
COMMAND_FAILED = 2
INTERRUPTED = 128 + signal.SIGINT
"""The exit code of other commands after Ctrl-C, as shells have it."""
_SETTING = re.compile(r"[A-Z][A-Z0-9_]*=", re.DOTALL)
"""The beginning of a setting, which can stand between a command's own arguments."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command. Returns its exit code: 0, 2 after one line that says why it failed, or 130 if Ctrl-C cut it short."""
    words = sys.argv[1:] if argv is None else list(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # the terminal may lack letters of a label or a path
    parser, parsers = _create_parsers()
    if words[:1] and words[0] in parsers:
        command, settings = words[0], [word for word in words[1:] if _SETTING.match(word)]
        others = [word for word in words[1:] if word not in settings]
        arguments = parsers[command].parse_intermixed_args(others)
        arguments.settings = [*arguments.settings, *map(_setting, settings)]
    else:
        parser.parse_args(words)  # prints the help, or says what is wrong
        return COMMAND_FAILED
    for name, value in arguments.settings:
        os.environ[name] = value
    if command != "camera":  # the capture module prints these warnings itself
        for warning in warnings(os.environ):
            print(f"footfall {command}: {warning}", file=sys.stderr, flush=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        function = pkgutil.resolve_name(f"footfall.{COMMANDS[command].function}")
        return (function(arguments) if COMMANDS[command].arguments else function()) or 0
    except KeyboardInterrupt:
        return 0 if command in ENDLESS else INTERRUPTED
    except BrokenPipeError:  # the reader of the output has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter flushes it again at exit
        return 0
    except FootfallError as error:
        print(f"footfall {command}: {one_line(str(error))}", file=sys.stderr)
        return COMMAND_FAILED


def _create_parsers() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """Returns the parser of the whole command line, and the parser of each command's words."""
    note = "Settings are environment variables (docs/settings.md) or arguments: footfall run VIDEO_PATH=0"
    parser = argparse.ArgumentParser("footfall", description="Count the visitors of a place.", epilog=note)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    parsers = {}
    for name, command in COMMANDS.items():
        parsers[name] = one = commands.add_parser(name, help=command.meaning, description=command.meaning, epilog=note)
        for argument, options in command.arguments.items():
            one.add_argument(argument, **options)
        one.add_argument("settings", nargs="*", type=_setting, metavar="NAME=VALUE", help="a setting", default=[])
    return parser, parsers


def _setting(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not (name.isidentifier() and equals):
        raise argparse.ArgumentTypeError(f"{word!r}: must be NAME=VALUE")
    return name, value


if __name__ == "__main__":
    sys.exit(main())
