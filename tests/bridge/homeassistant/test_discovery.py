"""Discovery with a real Mosquitto: what is described, when it changes, and when it is removed."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bridge.homeassistant import HomeAssistant
from bus import UNDECIDED, About, AlertRule, Alerts, Bus, CurrentLabel, DayCounts, Message, Occupancy, Status, states, topics
from bus.settings import BusSettings
from tests.support.broker import LAPTOP, ROOT, Broker
from tests.support.guarded_broker import GuardedBroker
from tests.support.listener import Listener
from tests.support.wait import until

pytestmark = pytest.mark.broker

FILTERS = ("homeassistant/#",)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "broker") as running:
        yield running


@contextmanager
def bridge(port: int, is_on: bool = True, password: str | None = None) -> Iterator[Bus]:
    """A bridge's connection with discovery, whose retained messages have arrived."""
    bus = Bus(BusSettings.model_validate({"MODULE_NAME": "bridge", "mqtt_port": port, "MQTT_PASSWORD": password}))
    HomeAssistant(bus, is_on)
    with bus:
        until(lambda: bus.settled)
        yield bus


class House(Listener):
    """A client in Home Assistant's place, which also publishes what the suite publishes."""

    def retain(self, *messages: Message) -> None:
        for message in messages:
            self.publish(message.topic, message.pack(), retain=True)

    def clear(self, *cleared: str) -> None:
        for topic in cleared:
            self.publish(topic, b"", retain=True)

    @property
    def devices(self) -> dict[str, dict[str, Any]]:
        """By device, its last description, without those that were removed."""
        last = {topics.discovery.name_in(one.topic): bytes(one.payload) for one in self.messages("/config")}
        return {device: json.loads(payload) for device, payload in last.items() if payload}

    def entities(self, device: str) -> set[str]:
        """The entities of a device, without those that are removed."""
        return {key for key, one in self.devices.get(device, {"components": {}})["components"].items() if len(one) > 1}

    def visits(self, camera: str) -> set[str]:
        """The labels whose visits have an entity."""
        return {key.removeprefix("visits.") for key in self.entities(camera) if key.startswith("visits.")}

    def alerts(self, camera: str) -> dict[str, int]:
        """By the name of its rule, the limit of each alert that has an entity."""
        keys = [key for key in self.entities(camera) if key.startswith("alert.")]
        described = {key: self.devices[camera]["components"][key]["json_attributes_template"] for key in keys}
        return {key.removeprefix("alert."): int(re.findall(r"'limit': (\d+)", text)[0]) for key, text in described.items()}


@pytest.fixture
def house(broker: Broker) -> Iterator[House]:
    with House(broker.port, *FILTERS) as listener:
        yield listener


def capture(camera: str, module: str = "capture", state: str = states.RUNNING) -> Status:
    return Status(module, state, about=About(camera=camera))


def classifier(*labels: str, state: str = states.RUNNING) -> Status:
    return Status("classifier", state, about=About(model="export@1", labels=labels))


def counts(camera: str, **totals: int) -> DayCounts:
    return DayCounts(camera, "2026-11-27", totals, {})


NOBODY = CurrentLabel("door", None, None, None, 1000.0)


def test_devices_follow_the_suite(broker: Broker, house: House) -> None:
    """Cameras, modules, labels that the model has, others that are counted, zones, lines and alerts are described as they appear.

    A label stays while the model cannot be asked, and goes with the model. `undecided` stays.
    """
    house.retain(capture("door"), classifier("man", "woman"), NOBODY)
    with bridge(broker.port):
        until(lambda: house.visits("door") == {"man", "woman"})
        until(lambda: house.entities("status") == {"bridge", "classifier"})
        assert not house.entities("door") & {"in", "out", "inside"}
        house.retain(counts("door", child=1, **{UNDECIDED: 1}))
        until(lambda: house.visits("door") == {"man", "woman", "child", UNDECIDED})
        house.retain(Occupancy("door", {"till": 0}, inside=0))
        until(lambda: house.entities("door") >= {"zone.till", "in", "out", "inside"})
        house.retain(capture("back", "capture-back"))
        until(lambda: "back" in house.devices)
        house.retain(Occupancy("door", {"shop": 0}), counts("door"))
        until(lambda: house.visits("door") == {"man", "woman", UNDECIDED} and "zone.shop" in house.entities("door"))
        assert not house.entities("door") & {"zone.till", "in", "out", "inside"}
        for rules in ({"full": 50, "crowded": 9}, {"full": 60}):
            house.retain(Alerts("door", rules=tuple(AlertRule(name, inside=limit) for name, limit in rules.items())))
            until(lambda rules=rules: house.alerts("door") == rules)  # type: ignore[misc]
        house.retain(classifier(state=states.OFFLINE), capture("yard", "capture-yard"))
        until(lambda: "yard" in house.devices)
        assert house.visits("door") == {"man", "woman", UNDECIDED}
    house.clear(topics.status("classifier"))
    with bridge(broker.port):
        house.retain(capture("gate", "capture-gate"))
        until(lambda: "gate" in house.devices)
        assert house.visits("door") == {"man", "woman", UNDECIDED}
        house.retain(classifier("person"))
        until(lambda: house.visits("door") == {"person", UNDECIDED})


def test_a_description_is_published_once(broker: Broker, house: House) -> None:
    """Messages that change no entity publish nothing. When Home Assistant has started, all descriptions are sent again."""
    house.retain(capture("door"), classifier("man"), NOBODY)
    with bridge(broker.port):
        until(lambda: house.visits("door") and house.entities("status"))
        house.settle()
        sent = len(house.messages("/config"))
        house.retain(capture("door", state=states.PAUSED), classifier("man"), NOBODY, counts("door", man=3))
        house.publish("homeassistant/status", b"offline")
        house.publish("homeassistant/status", b"junk")
        house.publish("homeassistant/status", b"online")
        until(lambda: len(house.messages("/config")) >= sent + 2)
        house.retain(capture("back", "capture-back"))
        until(lambda: "back" in house.devices)
        assert len(house.messages("/config")) == sent + 3


def test_a_forgotten_camera_is_removed(broker: Broker, house: House) -> None:
    """It goes when its last retained message is deleted, now or while the bridge is away. Others stay."""
    of_counter = {one("back") for one in (topics.label, topics.counts, topics.occupancy, topics.alerts)}
    old = {topics.status("capture-back")} | of_counter
    for is_away in (False, True):
        house.retain(capture("door"), capture("back", "capture-back", states.OFFLINE))
        house.retain(CurrentLabel("back", None, None, None), counts("back"), Occupancy("back"), Alerts("back"))
        with bridge(broker.port):
            until(lambda: {"door", "back"} <= set(house.devices))
            if not is_away:
                house.clear(*old)
                until(lambda: "back" not in house.devices)
        if is_away:
            house.clear(*old)
            with bridge(broker.port):
                until(lambda: "back" not in house.devices)
        assert "door" in house.devices


def test_it_recovers_from_a_broker_that_has_lost_everything(broker: Broker, house: House) -> None:
    """The descriptions come back with the first messages, without cameras that did not."""
    house.retain(capture("door"), capture("back", "capture-back"))
    with bridge(broker.port) as bus:
        until(lambda: {"door", "back"} <= set(house.devices))
        broker.end()
        for file in broker.folder.glob("mosquitto.db*"):
            file.unlink()
        broker.start()
        with House(broker.port, *FILTERS) as later:
            later.retain(capture("door"))
            until(lambda: bus.connected and "door" in later.devices and "back" not in later.devices, 40)
    with House(broker.port, *FILTERS) as last:
        last.settle()
        assert set(last.devices) == {"door", "status"}


def test_switched_off_it_removes_everything(broker: Broker, house: House) -> None:
    """Descriptions of others stay. Home Assistant hears of it again when it is back, in case it was away."""
    house.retain(capture("door"))
    other = "homeassistant/device/other/config"
    house.publish(other, b"{}", retain=True)
    house.publish(topics.discovery("junk"), b"[]", retain=True)
    with bridge(broker.port):
        until(lambda: {"door", "status"} <= set(house.devices) and "junk" not in house.devices)
    with bridge(broker.port, is_on=False):
        until(lambda: not {"door", "status"} & set(house.devices))
        house.settle()
        sent = len(house.messages("/door/config"))
        house.publish("homeassistant/status", b"online")
        house.wait_for("/door/config", sent + 1)
    with Listener(broker.port, *FILTERS) as later:
        later.settle()
        assert {one.topic for one in later.messages()} == {other}


def test_it_works_with_the_access_list(tmp_path: Path) -> None:
    """The user homeassistant receives descriptions and states, and its buttons command the camera."""
    with GuardedBroker(tmp_path, observed=True, CAMERAS="door") as broker:
        house = House(broker.port, *FILTERS, "footfall/#", client=broker.client("homeassistant"))
        with house, broker.listener("capture", topics.command()) as camera, broker.listener("capture") as running:
            running.publish(topics.status("capture"), capture("door").pack(), retain=True)
            with bridge(broker.port, password=broker.password("bridge")):
                button = until(lambda: house.devices.get("door", {"components": {}})["components"].get("pause"))
                house.publish(button["command_topic"], button["payload_press"].encode(), button["qos"])
                assert camera.wait_for("/command") == [b'{"do": "pause"}']
                sent = len(house.messages("/door/config"))
                house.publish("homeassistant/status", b"online")
                house.wait_for("/door/config", sent + 1)
                assert house.messages(topics.status("capture"))


def test_the_page_connects_two_brokers(tmp_path: Path) -> None:
    """With the configuration in docs/homeassistant.md, Home Assistant's own broker has descriptions, states and commands.

    A camera that is removed is removed there. Commands and other topics of the house do not come back from Footfall's broker.
    """
    page = (ROOT / "docs" / "homeassistant.md").read_text()
    with GuardedBroker(tmp_path / "shop", observed=True, has_tls=True, CAMERAS="door") as shop:
        given = {
            r"shop\.local:8883": f"localhost:{shop.tls}",
            r"bridge_cafile .*": f"bridge_cafile {shop.secrets / 'tls' / 'certificate.pem'}",
            r"remote_password .*": f"remote_password {shop.password('homeassistant')}",
        }
        (connection,) = re.findall(r"```conf\n(.*?)```", page, re.DOTALL)
        for pattern, value in given.items():
            assert re.search(pattern, connection)
            connection = re.sub(pattern, value, connection)
        configuration = tmp_path / "house.conf"
        configuration.write_text(f"{LAPTOP.read_text()}\n{connection}")
        with (
            Broker(tmp_path / "house", configuration) as home,
            House(home.port, "#") as house,
            shop.listener("observer", "#") as observer,
            bridge(shop.port, password=shop.password("bridge")),
        ):
            observer.publish(topics.status("capture"), capture("door").pack(), retain=True)
            button = until(lambda: house.devices.get("door", {"components": {}})["components"].get("pause"))
            house.wait_for(topics.status("capture"))
            house.publish(button["command_topic"], button["payload_press"].encode(), button["qos"])
            observer.wait_for("/command")
            sent = len(observer.messages("/door/config"))
            house.publish("homeassistant/status", b"online")
            observer.wait_for("/door/config", sent + 1)
            house.publish("zigbee2mqtt/lamp", b"on")
            observer.publish(topics.status("capture"), b"", retain=True)
            until(lambda: "door" not in house.devices)
            with House(home.port, "#") as later:
                later.settle()
                assert set(later.devices) == {"status"}
            assert len(observer.messages("/command")) == len(house.messages("/command")) == 1
            assert not observer.messages("/lamp")
