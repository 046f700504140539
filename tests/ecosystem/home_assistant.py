"""A real Home Assistant shows a real suite: entities with values, statistics, buttons, and what is removed.

Takes two minutes. Prepare with scripts/home-assistant.sh, and run as root: FOOTFALL_HOME_ASSISTANT=folder python -m pytest
tests/ecosystem/home_assistant.py
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import client as mqtt

from bus import CurrentLabel, DayCounts, states, topics
from tests.bridge.homeassistant.test_devices import ODD
from tests.end_to_end.run import Run, make_run
from tests.support.broker import free_port
from tests.support.home_assistant import HomeAssistant
from tests.support.listener import Listener
from tests.support.wait import until

pytestmark = pytest.mark.system

LINES = json.dumps([{"name": "door", "from": [0.15, 0.577], "to": [0.85, 0.577]}])
ZONES = json.dumps([{"name": "hall", "polygon": [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]]}])
DOOR = "footfall_door"
NUMBERS = {"visits", "visits_man", "visits_woman", "in", "out", "inside", "zone_hall", "frames_per_second"}


@pytest.fixture
def root() -> Path:
    folder = os.environ.get("FOOTFALL_HOME_ASSISTANT")
    if not folder:
        pytest.skip("FOOTFALL_HOME_ASSISTANT is not set: the folder that scripts/home-assistant.sh made")
    return Path(folder)


@contextmanager
def suite(folder: Path, port: int, switch: str) -> Iterator[Run]:
    with make_run(folder, MQTT_PORT=port, HOMEASSISTANT=switch, LINES=LINES, ZONES=ZONES) as run:
        run.wait_for_predictions()
        yield run


def current(folder: Path, port: int) -> tuple[Path, int]:
    """Returns the broker's folder, and its port for users."""
    broker = folder / "state" / f"current-{port}"
    options = (broker / "run" / "operator" / "mosquitto_pub").read_text().splitlines()
    return broker, next(int(line.removeprefix("-p ")) for line in options if line.startswith("-p "))


def as_operator(folder: Path, port: int) -> Listener:
    broker, users_port = current(folder, port)
    client = mqtt.Client()
    client.username_pw_set("operator", (broker / "secrets" / "operator" / "password").read_text().strip())
    return Listener(users_port, client=client)


def test_home_assistant_shows_the_suite(root: Path, tmp_path: Path) -> None:
    """Every entity has a value, and every number statistics. Buttons pause and resume the camera.

    A label with odd characters has an entity, which counts that day only. A camera that is forgotten goes, and after
    HOMEASSISTANT=off all do. Home Assistant finds all again after its restart, and logs nothing about Footfall.
    """
    port = free_port()
    with HomeAssistant(root) as home:

        def state(entity: str) -> str | None:
            found = home.states().get(entity)
            return found["state"] if found else None

        def waits_for(entity: str, value: str | None) -> None:
            until(lambda: state(entity) == value, 60, f"{entity} {value}, not {state(entity)}")

        with suite(tmp_path, port, "on"):
            broker, users_port = current(tmp_path, port)
            home.add_broker(users_port, "homeassistant", (broker / "secrets" / "homeassistant" / "password").read_text().strip())
            until(
                lambda: all(_number(home, name) for name in NUMBERS - {"inside", "out", "zone_hall"}),
                120,
                "visitors of all labels",
            )
            waits_for(f"binary_sensor.{DOOR}_camera_lost", "off")
            waits_for("binary_sensor.footfall_classifier", "on")
            until(lambda: state(f"sensor.{DOOR}_current_visitor") in ("man", "woman", "nobody"))
            statistics = {one["statistic_id"] for one in home.ask("recorder/list_statistic_ids")}
            assert statistics >= {f"sensor.{DOOR}_{name}" for name in NUMBERS}
            assert not {one for one in home.ask("recorder/validate_statistics") if "footfall" in one}
            for button, reached in (("pause", states.PAUSED), ("resume", states.RUNNING)):
                home.press(f"button.{DOOR}_{button}")
                waits_for(f"sensor.{DOOR}_state", reached)
            with as_operator(tmp_path, port) as operator:
                _check_an_odd_label(home, operator, waits_for)
            home.end()
            home.start()
            until(lambda: _number(home, "visits"), 60, "visits after a restart")
        waits_for(f"sensor.{DOOR}_visits", "unavailable")
        waits_for(f"button.{DOOR}_pause", "unavailable")
        assert {one["name"] for one in home.ask("config/device_registry/list")} >= {"Footfall", "Footfall door"}
        with suite(tmp_path, port, "off"):
            until(lambda: not [one for one in home.states() if "footfall" in one], 60, "no entities")
            assert not [one for one in home.ask("config/device_registry/list") if "Footfall" in str(one["name"])]
        assert not [line for line in home.log.splitlines() if "value_json" in line or "footfall" in line.lower()]


def _number(home: HomeAssistant, name: str) -> float:
    state = home.states().get(f"sensor.{DOOR}_{name}", {"state": "0"})["state"]
    return 0.0 if state in ("unknown", "unavailable") else float(state)


def _check_an_odd_label(home: HomeAssistant, operator: Listener, waits_for: Callable[[str, str | None], None]) -> None:
    """Publishes counts of a camera that the counter does not know, two days after another, and then forgets it."""

    def publish(message: Any) -> None:
        operator.publish(message.topic, message.pack(), retain=True)

    def value() -> Any:
        named = [one for one in home.states().values() if "Footfall odd Visits F" in str(one["attributes"].get("friendly_name"))]
        return (named[0]["state"], named[0]["attributes"]["last_reset"][:10]) if named else None

    publish(CurrentLabel("odd", ODD, 0.5, 1000.0, 1000.0))
    for day, number, shown in (
        ("2026-11-26", 7, ("7", "2026-11-26")),
        ("2026-11-27", 1, ("1", "2026-11-27")),
        ("2026-11-26", 8, ("1", "2026-11-27")),
        ("2026-11-27", 2, ("2", "2026-11-27")),
    ):
        publish(DayCounts("odd", day, {ODD: number}, {}))
        publish(CurrentLabel("odd", f"{day} {number}", 0.5, 1000.0, 1000.0))
        waits_for("sensor.footfall_odd_current_visitor", f"{day} {number}")
        until(lambda shown=shown: value() == shown, what=f"{shown}")  # type: ignore[misc]
    for topic in (topics.label("odd"), topics.counts("odd")):
        operator.publish(topic, b"", retain=True)
    waits_for("sensor.footfall_odd_visits", None)
