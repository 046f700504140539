"""The settings of each program, from environment variables; and lines, zones and rules of alerts in them."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path

from pydantic import BaseModel, ValidationError

from bus.settings import SetupSettings
from counter.settings import Settings as CounterSettings
from runtime.settings import ModuleSettings, environment_variables, refusal
from tests.fuzz.documents import mutate_json
from tests.fuzz.target import FULL_RUN, Parse, Target
from tests.support import samples
from tests.support.mutation import PIECES

MODULES = ("bridge", "capture", "classifier", "counter", "dashboard", "display")
TEXTS = (
    "1",
    "0.5",
    "true",
    "door",
    "door,back",
    "woman, man",
    "127.0.0.1",
    "https://example.com/a",
    "0,0,1,1",
    "04:00",
    "../file",
)
MAX_LENGTH = 128 * 1024
"""Bytes of a variable, on Linux."""
HOURS = "Mo-Fr 08:00-12:00,13:00-18:30; Sa 09:00-16:00; PH off"
PIECES_OF_TEXT = (
    *PIECES,
    b"\n",
    b"=",
    b",",
    b":",
    b"/",
    b"-",
    b"~",
    b"%",
    b"nan",
    b"inf",
    b"file",
    b"://",
    b"[::1]",
    b"\xd9\xa3",
)


@contextmanager
def folder() -> Iterator[None]:
    """Makes an empty folder with a small file the current one."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        Path("file").write_text("secret", encoding="utf-8")
        try:
            yield
        finally:
            os.chdir(before)


def check(settings: type[ModuleSettings], values: dict[str, str]) -> None:
    """Validates variables as `runtime.settings.load` does, which needs milliseconds to read the environment before."""
    try:
        BaseModel.__init__(settings.__new__(settings), **values)
    except ValidationError as error:
        raise refusal(settings, error) from None


def usable(content: bytes) -> str:
    """Returns bytes as the text of a variable, which cannot contain zeros."""
    return os.fsdecode(content.replace(b"\0", b""))


@contextmanager
def loading(module: str) -> Iterator[Parse]:
    """Gives a function that loads the settings of a program from lines of the form NAME=value."""
    settings: type[ModuleSettings] = import_module(f"{module}.settings").Settings
    keys = {
        name: name if settings.model_fields[field].validation_alias else field
        for field, one in environment_variables(settings).items()
        for name in one.names
    }

    def parse(content: bytes) -> None:
        pairs = (line.partition(b"=") for line in content.split(b"\n"))
        check(settings, {key: usable(value) for name, _, value in pairs if value and (key := keys.get(usable(name)))})

    with folder():
        yield parse


def variables(module: str) -> list[bytes]:
    """Returns inputs with each variable, set to its default or some text."""
    found = environment_variables(import_module(f"{module}.settings").Settings).values()
    lines = [f"{one.names[0]}={one.default}" for one in found if one.default]
    return ["\n".join(lines).encode(), *(f"{one.names[0]}={text}".encode() for one in found for text in TEXTS)]


@contextmanager
def value(settings: type[ModuleSettings], field: str) -> Iterator[Parse]:
    """Gives a function that loads settings with one variable."""
    yield lambda content: check(settings, {field: usable(content)})


def setup_values(part: str) -> list[bytes]:
    """Returns values of LINES, ZONES or ALERTS."""
    rules = [{"name": "full", "inside": 50}, {"name": "queue", "zone": "till", "waiting_seconds": 120}]
    setup = json.loads(samples.setup().pack()) | {"alerts": rules}
    return [json.dumps(setup[part]).encode(), b"[]"]


TARGETS = [
    *(
        Target(
            f"settings.{module}",
            partial(variables, module),
            partial(loading, module),
            pieces=PIECES_OF_TEXT,
            limit=MAX_LENGTH,
            inputs=FULL_RUN // len(MODULES),
        )
        for module in MODULES
    ),
    *(
        Target(
            f"setting.{part}",
            partial(setup_values, part),
            partial(value, SetupSettings, part),
            mutate=mutate_json,
            limit=MAX_LENGTH,
            inputs=FULL_RUN // 4,
        )
        for part in ("lines", "zones", "alerts")
    ),
    Target(
        "setting.hours",
        lambda: [HOURS.encode()],
        partial(value, CounterSettings, "opening_hours"),
        pieces=PIECES_OF_TEXT,
        limit=MAX_LENGTH,
        inputs=FULL_RUN // 4,
    ),
]
