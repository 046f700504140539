"""A stand-in for a running suite, and calls of the command line."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bus import About, Message, Status, topics
from footfall.__main__ import main
from footfall.connection import Connection
from footfall.state import RunState
from tests.support.guarded_broker import OBSERVER, GuardedBroker
from tests.support.listener import Listener


def call(*words: str) -> int:
    """Returns the exit code of ``footfall`` with these arguments. Restores the environment and the signal handler."""
    environment, handler = dict(os.environ), signal.getsignal(signal.SIGTERM)
    try:
        return main(words)
    finally:
        signal.signal(signal.SIGTERM, handler)
        os.environ.clear()
        os.environ.update(environment)


class Suite:
    """A stand-in for a running suite: a broker with users, and a client that publishes statuses for the modules."""

    def __init__(self, broker: GuardedBroker, modules: Listener, folder: Path) -> None:
        self.broker = broker
        self.modules = modules
        self.settings = f"MQTT_PORT={broker.guests}", f"STATE_DIR={folder}"

    def call(self, *words: str) -> int:
        """Calls ``footfall`` with these arguments for this suite. Returns the exit code."""
        return call(*words, *self.settings)

    def operator(self) -> Connection:
        """Returns a connection that can publish commands."""
        return Connection("127.0.0.1", self.broker.port, "operator", self.broker.password("operator"))

    def report(self, module: str, state: str, detail: str = "", camera: str | None = None) -> None:
        """Publishes a module's status."""
        self.publish(Status(module, state, time.time(), time.time(), detail, About(camera)))

    def publish(self, message: Message) -> None:
        """Publishes a retained message, and waits until guests can read it."""
        self.modules.publish(message.topic, message.pack(), retain=True)
        self.broker.wait_for_copy()

    def retained(self) -> set[str]:
        """Returns the topics with a retained message."""
        with self.broker.listener(OBSERVER, "footfall/#") as late:
            late.settle()
            return {message.topic for message in late.messages() if message.retain}


@contextmanager
def running_suite(folder: Path) -> Iterator[Suite]:
    """Runs the broker of a suite with the cameras door and back, and its state in a folder."""
    with GuardedBroker(folder / "broker", observed=True, CAMERAS="door,back") as broker:
        state = RunState(folder, broker.guests, is_demo=True)
        state.broker.parent.mkdir()
        state.broker.symlink_to(folder / "broker")
        state.create()
        with broker.listener(OBSERVER, topics.command(), topics.label()) as modules:
            yield Suite(broker, modules, folder)
