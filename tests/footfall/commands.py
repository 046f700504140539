"""``footfall`` called in this process, and a suite that it finds."""

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paho.mqtt import client as mqtt

from bus import About, Message, Status, topics
from footfall.__main__ import main
from footfall.connection import Connection
from footfall.state import RunState
from tests.support.guarded_broker import OBSERVER, GuardedBroker
from tests.support.listener import Listener


def call(*words: str) -> int:
    """The exit code of ``footfall`` with these words; settings and signal handlers are as before afterwards."""
    environment, handler = dict(os.environ), signal.getsignal(signal.SIGTERM)
    try:
        return main(words)
    finally:
        signal.signal(signal.SIGTERM, handler)
        os.environ.clear()
        os.environ.update(environment)


class Suite:
    """What ``footfall run`` has started, as far as the commands see it: a broker with users, and modules that report.

    The camera door obeys, unless it is `deaf`; a camera in `haunted` is published again whenever it is forgotten.
    """

    def __init__(self, broker: GuardedBroker, modules: Listener, settings: dict[str, str]) -> None:
        self.broker = broker
        self.settings = [f"{name}={value}" for name, value in settings.items()]
        self.deaf = False
        self.haunted: set[str] = set()
        self.commands: list[str] = []
        self._modules = modules
        modules.client.message_callback_add(topics.command(), self._on_command)
        modules.client.message_callback_add(topics.label(), self._on_label)

    def call(self, *words: str) -> int:
        """``footfall`` with these words, for this suite."""
        return call(*words, *self.settings)

    def operator(self) -> Connection:
        """A connection that may command."""
        return Connection("127.0.0.1", self.broker.port, "operator", self.broker.password("operator"))

    def report(self, module: str, state: str, detail: str = "", camera: str | None = None) -> None:
        """Publishes a module's status."""
        self.publish(Status(module, state, time.time(), time.time(), detail, About(camera)))

    def publish(self, message: Message) -> None:
        """Publishes a message as its module would, retained; returns when the broker has it."""
        self._modules.publish(message.topic, message.pack(), retain=True)

    def retained(self) -> set[str]:
        """The topics on which something is retained."""
        with self.broker.listener(OBSERVER, "footfall/#") as late:
            late.settle()
            return {message.topic for message in late.messages() if message.retain}

    def _on_command(self, client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        do = json.loads(message.payload)["do"]
        self.commands.append(f"{topics.label.name_in(message.topic)} {do}")
        if not self.deaf:
            state = {"pause": "paused", "resume": "running"}.get(do, "running")
            status = Status("capture", state, time.time(), time.time(), about=About("door"))
            client.publish(status.topic, status.pack(), retain=True)

    def _on_label(self, client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        if topics.label.name_in(message.topic) in self.haunted and not message.payload:
            client.publish(message.topic, b"{}", retain=True)


@contextmanager
def running_suite(folder: Path) -> Iterator[Suite]:
    """With the cameras door and back among its settings, neither of which has reported yet."""
    with GuardedBroker(folder / "broker", observed=True, CAMERAS="door,back") as broker:
        state = RunState(folder, broker.guests, is_demo=True)
        state.broker.parent.mkdir()
        state.broker.symlink_to(folder / "broker")
        state.create()
        with broker.listener(OBSERVER, topics.command(), topics.label()) as modules:
            yield Suite(broker, modules, {"MQTT_PORT": str(broker.guests), "STATE_DIR": str(folder)})
