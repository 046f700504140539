"""The settings of each program, from environment variables; and lines, zones and rules of alerts in them."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TypeVar

from bus.settings import SetupSettings
from counter.settings import Settings as CounterSettings
from runtime.settings import ModuleSettings, environment_variables, load
from tests.fuzz.documents import mutate_json
from tests.fuzz.target import Parse, Target
from tests.support import samples
from tests.support.mutation import PIECES

S = TypeVar("S", bound=ModuleSettings)
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


def direct(settings: type[S]) -> type[S]:
    """Returns settings that read keyword arguments only: pydantic needs milliseconds to read the environment."""
    options = {"__module__": settings.__module__, "settings_customise_sources": classmethod(_only_arguments)}  # type: ignore[arg-type]  # it takes any class
    return type(settings.__name__, (settings,), options)


def _only_arguments(_kind: object, _settings: object, init_settings: object, **_others: object) -> tuple[object, ...]:
    return (init_settings,)


def usable(content: bytes) -> str:
    """Returns bytes as the text of a variable, which cannot contain zeros."""
    return os.fsdecode(content.replace(b"\0", b""))


@contextmanager
def loading(module: str) -> Iterator[Parse]:
    """Gives a function that loads the settings of a program from lines of the form NAME=value."""
    settings = direct(import_module(f"{module}.settings").Settings)
    names = {name for one in environment_variables(settings).values() for name in one.names}

    def parse(content: bytes) -> None:
        pairs = (line.partition(b"=") for line in content.split(b"\n"))
        load(settings, **{name: usable(value) for key, _, value in pairs if value and (name := usable(key)) in names})

    with folder():
        yield parse


def variables(module: str) -> list[bytes]:
    """Returns inputs with each variable, set to its default or some text."""
    found = environment_variables(import_module(f"{module}.settings").Settings).values()
    lines = [f"{one.names[0]}={one.default}" for one in found if one.default]
    return ["\n".join(lines).encode(), *(f"{one.names[0]}={text}".encode() for one in found for text in TEXTS)]


@contextmanager
def value(settings: type[ModuleSettings], name: str) -> Iterator[Parse]:
    """Gives a function that loads settings with one variable."""

    fast = direct(settings)

    def parse(content: bytes) -> None:
        load(fast, **{name: usable(content)})

    with folder():
        yield parse


def setup_values(part: str) -> list[bytes]:
    """Returns values of LINES, ZONES or ALERTS."""
    rules = [{"name": "full", "inside": 50}, {"name": "queue", "zone": "till", "waiting_seconds": 120}]
    setup = json.loads(samples.setup().pack()) | {"alerts": rules}
    return [json.dumps(setup[part]).encode(), b"[]"]


TARGETS = [
    *(
        Target(f"settings.{module}", partial(variables, module), partial(loading, module), pieces=PIECES_OF_TEXT)
        for module in MODULES
    ),
    *(
        Target(f"setting.{part}", partial(setup_values, part), partial(value, SetupSettings, part.upper()), mutate=mutate_json)
        for part in ("lines", "zones", "alerts")
    ),
    Target("setting.hours", lambda: [HOURS.encode()], partial(value, CounterSettings, "OPENING_HOURS"), pieces=PIECES_OF_TEXT),
]
