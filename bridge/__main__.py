"""Forwards selected results from the broker to one or more sinks."""

import threading
from contextlib import ExitStack, closing

from bridge import sinks
from bridge.forwarder import Forwarder, Stopped
from bridge.homeassistant import HomeAssistant
from bridge.outbox import Outbox
from bridge.sender import Sender
from bridge.settings import Settings
from bus import Bus
from runtime import process


def main(settings: Settings, stop: threading.Event) -> None:
    """Forwards results until `stop` is set."""
    bus = Bus(settings, persistent=True)
    names = settings.sink_names
    with closing(Outbox(settings.state_dir, names, settings.outbox_max, bus.metrics)) as outbox, ExitStack() as stack:
        HomeAssistant(bus, settings.homeassistant)
        forwarder = Forwarder(bus, outbox, settings.policy, stop)
        context = sinks.Context(settings, bus, outbox, forwarder)
        opened = {name: sinks.open_sink(name, context) for name in names}
        stack.enter_context(bus)
        try:
            forwarder.start()
        except Stopped:
            return
        for sink in opened.values():
            sink.start()
        for name, sink in opened.items():
            stack.enter_context(Sender(name, sink, outbox, bus.metrics))
        forwarder.run()


if __name__ == "__main__":
    process.terminate(process.run(main, Settings, __doc__ or ""))  # the Azure library can wait for a frozen edgeHub at exit
