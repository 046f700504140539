"""The sinks: a sink called `x` is the module or package `bridge.sinks.x`, which has a function `create(context) -> Sink`."""

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
    """A result did not get through, or may not have; the sender tries again."""


class Context(NamedTuple):
    """What a sink may use; its subscriptions are to be made in `create`, before the bus connects."""

    settings: "Settings"
    bus: "Bus"
    outbox: "Outbox"
    forwarder: "Forwarder"


class Sink:
    """Takes results to one other system. All methods but `begin` are called on the sink's own thread."""

    def begin(self) -> None:
        """Called once the outbox can be read, before the first result is selected."""

    def maintain(self) -> None:
        """Do what is due besides sending; called about once a second, or between two results. Raises `NotSent`."""

    def send(self, result: Result) -> None:
        """Return when the result is safe on the other side. Raises `NotSent`."""
        raise NotImplementedError

    def close(self) -> None:
        """Release resources; nothing is called afterwards."""


def names() -> list[str]:
    """All sinks that there are."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def open_sink(name: str, context: Context) -> Sink:
    """Import and create a sink. Raises `InvalidSetting` when its settings are not usable."""
    sink: Sink = importlib.import_module(f"{__name__}.{name}").create(context)
    return sink
