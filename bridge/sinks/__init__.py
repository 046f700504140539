"""The sinks. A sink named `x` is the module or package `bridge.sinks.x`, with a function `create(context) -> Sink`."""

import importlib
import pkgutil
from typing import TYPE_CHECKING, NamedTuple

from bridge.results import Result
from runtime.errors import FootfallError

if TYPE_CHECKING:
    from bridge.forwarder import Forwarder
    from bridge.outbox import Outbox
    from bridge.settings import Settings
    from bus import Bus


class NotSent(FootfallError):
    """Raised when it is not certain that a result was delivered. The sender tries again, not before `retry_after` seconds."""

    def __init__(self, text: str, retry_after: float = 0.0) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class Context(NamedTuple):
    """The objects that a sink can use. A sink must subscribe to topics in `create`, before the bus connects."""

    settings: "Settings"
    bus: "Bus"
    outbox: "Outbox"
    forwarder: "Forwarder"


class Sink:
    """The connection to one other system. All methods except `start` are called on the sink's thread."""

    max_pause = 30.0
    """Upper bound of the seconds until the sender tries again; the pause doubles with each failure."""

    def start(self) -> None:
        """Called once, when the outbox can be read and before the first result is selected."""

    def maintain(self) -> None:
        """Does periodic work. Called about once a second and after each result. Raises `NotSent`."""

    def send(self, result: Result) -> None:
        """Sends a result, and returns when the other system has stored it. Raises `NotSent`."""
        raise NotImplementedError

    def close(self) -> None:
        """Releases resources. No method is called afterwards."""


def names() -> list[str]:
    """Returns the names of all sinks."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def open_sink(name: str, context: Context) -> Sink:
    """Imports and creates a sink. Raises `InvalidSetting` when its settings are invalid."""
    sink: Sink = importlib.import_module(f"{__name__}.{name}").create(context)
    return sink


def check_sink(name: str) -> None:
    """Calls the sink's `check`, if it has one, before anything starts. Raises `InvalidSetting` when a variable is missing."""
    getattr(importlib.import_module(f"{__name__}.{name}"), "check", lambda: None)()
