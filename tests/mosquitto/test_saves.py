"""The users' broker saves what has to survive a crash, and next to nothing while nothing happens."""

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from paho.mqtt import client as mqtt

from bus import Bus, Message, Prediction, Visit, topics
from bus.outbound import RESEND_LAST, RESEND_WINDOW
from bus.settings import BusSettings
from tests.support.guarded_broker import GuardedBroker, password_file
from tests.support.listener import Listener
from tests.support.samples import prediction, setup, site
from tests.support.wait import limit, until

pytestmark = pytest.mark.broker

MODULES = ("capture", "classifier", "counter", "bridge", "dashboard", "display")
STATUSES, HEARTBEATS = 6, 12
"""In a minute: the statuses of each module, and the predictions of a camera at which nothing moves."""
PAUSE = 2.0
"""Minimum number of seconds between two saves that are caused by messages."""
VISIT = Visit("one", "door", "woman", 1000.0, 1001.0, 0.9, 5)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[GuardedBroker]:
    with GuardedBroker(tmp_path) as running:
        yield running


def version(broker: GuardedBroker) -> int | None:
    """Returns a number that differs after each save; None before the first."""
    file = broker.folder / "mosquitto.db"
    return file.stat().st_mtime_ns if file.exists() else None


def connection(broker: GuardedBroker, user: str) -> Bus:
    """Returns the connection of a module."""
    secret = password_file(broker.secrets, user)
    return Bus(BusSettings.model_validate({"MODULE_NAME": user, "mqtt_port": broker.port, "mqtt_password_file": secret}))


def publish(sender: mqtt.Client, message: Message) -> None:
    """Publishes the message, and waits for its PUBACK."""
    sender.publish(message.topic, message.pack(), 1, message.RETAINED).wait_for_publish()


def save_after(broker: GuardedBroker, sender: Listener, message: Message) -> None:
    """Publishes the message, and waits until the broker has saved it."""
    before = until(lambda: version(broker), what="the save after the start")
    publish(sender.client, message)
    until(lambda: version(broker) != before, what=f"a save of {message}")


def receiver(broker: GuardedBroker) -> Listener:
    """Returns a receiver for which the broker keeps messages while it is away."""
    client = broker.client("bridge", client_id="receiver", clean_session=False)
    return Listener(broker.port, topics.prediction(), topics.visit(), client=client)


def test_a_quiet_minute_costs_at_most_one_save(broker: GuardedBroker) -> None:
    """Statuses and predictions of a minute cause none. Mosquitto's own interval is longer. The guests' broker saves nothing."""
    with broker.listener("operator") as operator, broker.listener("classifier") as classifier:
        save_after(broker, operator, setup())
        before = version(broker)
        for number in range(STATUSES * len(MODULES)):
            operator.client.publish(topics.status(MODULES[number % len(MODULES)]), b"{}", retain=True)
        for _ in range(HEARTBEATS):
            publish(classifier.client, prediction())
        operator.settle()
        time.sleep(PAUSE + 1)  # a save would follow now
        assert version(broker) == before
        publish(operator.client, site())
        until(lambda: version(broker) != before, what="a save of a setting")
    conf = (broker.secrets.parent / "run" / "mosquitto.conf").read_text()
    assert int(re.findall("^autosave_interval (.*)$", conf, re.MULTILINE)[-1]) >= 60
    assert not list(broker.secrets.parent.rglob("guests/*.db"))


def test_a_killed_broker_loses_no_result_and_no_setting(broker: GuardedBroker) -> None:
    """They are saved before their publisher would stop to repeat them, also shortly after another save."""
    with receiver(broker), broker.listener("operator") as operator:
        save_after(broker, operator, site())
    with broker.listener("operator") as operator, broker.listener("counter") as counter:
        before, began = version(broker), time.monotonic()
        publish(counter.client, VISIT)
        publish(operator.client, setup())
        until(lambda: version(broker) != before, RESEND_WINDOW, "a save")
        assert time.monotonic() - began < limit(RESEND_WINDOW)
        broker.end()
    broker.start()
    with receiver(broker) as back, broker.listener("operator", topics.setup()) as operator:
        assert back.wait_for("visit") == [VISIT.pack()]
        assert operator.wait_for("setup") == [setup().pack()]


def test_a_killed_broker_loses_no_prediction(broker: GuardedBroker) -> None:
    """Not even old ones that it has not saved, for a counter that is away: the classifier repeats them."""
    sent = [replace(prediction(), sequence=number) for number in range(RESEND_LAST + 10)]
    with receiver(broker):
        pass
    with connection(broker, "classifier") as classifier:
        for one in sent:
            until(lambda: classifier.connected)
            classifier.publish(one)
        time.sleep(RESEND_WINDOW)  # now they are too old to be repeated for their time
        broker.end()
        until(lambda: not classifier.connected)
        broker.start()
        with receiver(broker) as back:
            until(lambda: {one.sequence for one in map(Prediction.unpack, back.payloads())} == set(range(len(sent))), 20)
