"""A real Home Assistant shows a real suite: entities with values, statistics, alerts, buttons, pages, and what is removed.

This writes the pictures in docs/, in eleven minutes:
FOOTFALL_PICTURES=docs make test TESTS="tests/ecosystem/test_home_assistant.py -k pages"
"""

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from paho.mqtt import client as mqtt

from bus import AlertRule, CurrentLabel, DayCounts, Setup, states, topics
from tests.bridge.homeassistant.test_devices import ODD
from tests.end_to_end.run import Run, make_run
from tests.support.broker import ROOT, free_port
from tests.support.chromium import chromium, open_tab
from tests.support.home_assistant import HomeAssistant, find_home_assistant
from tests.support.listener import Listener
from tests.support.wait import limit, until

pytestmark = [pytest.mark.system, pytest.mark.ecosystem, pytest.mark.timeout(limit(600))]

ALERTS = [{"name": "full", "inside": 0}, {"name": "queue", "zone": "till", "waiting_seconds": 3600}]
DOOR = "footfall_door"
PAGE = ROOT / "docs" / "homeassistant.md"
PICTURE_TIME = 600.0
"""Seconds for which the suite runs before pictures for the docs are taken, so that graphs show something."""
NUMBERS = {"visits", "visits_man", "visits_woman", "in", "out", "inside", "zone_till", "frames_per_second"}


@contextmanager
def suite(folder: Path, port: int, switch: str, alerts: object = ALERTS) -> Iterator[Run]:
    with make_run(folder, MQTT_PORT=port, HOMEASSISTANT=switch, ALERTS=json.dumps(alerts)) as run:
        run.wait_for_predictions()
        yield run


def current(folder: Path, port: int) -> tuple[Path, int]:
    """Returns the broker's folder, and its port for users."""
    broker = folder / "state" / f"current-{port}"
    options = (broker / "run" / "operator" / "mosquitto_pub").read_text().splitlines()
    return broker, next(int(line.removeprefix("-p ")) for line in options if line.startswith("-p "))


def add_broker(home: HomeAssistant, folder: Path, port: int) -> None:
    broker, users_port = current(folder, port)
    home.add_broker(users_port, "homeassistant", (broker / "secrets" / "homeassistant" / "password").read_text().strip())


def as_operator(folder: Path, port: int) -> Listener:
    broker, users_port = current(folder, port)
    client = mqtt.Client()
    client.username_pw_set("operator", (broker / "secrets" / "operator" / "password").read_text().strip())
    return Listener(users_port, client=client)


def test_home_assistant_shows_the_suite(tmp_path: Path) -> None:
    """Every entity has a value, and every number statistics. Alerts are raised, and go with their rule. Buttons pause the camera.

    A label with odd characters has an entity, which counts that day only. A camera that is forgotten goes, and after
    HOMEASSISTANT=off all do. Home Assistant finds all again after its restart, and logs nothing about Footfall.
    """
    port = free_port()
    with HomeAssistant(find_home_assistant()) as home:

        def state(entity: str) -> str | None:
            found = home.states().get(entity)
            return found["state"] if found else None

        def waits_for(entity: str, value: str | None) -> None:
            until(lambda: state(entity) == value, 60, f"{entity} {value}, not {state(entity)}")

        with suite(tmp_path, port, "on"):
            add_broker(home, tmp_path, port)
            until(
                lambda: all(_number(home, name) for name in NUMBERS - {"inside", "out", "zone_till"}),
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
                _check_alerts(home, operator, waits_for)
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


def _check_alerts(home: HomeAssistant, operator: Listener, waits_for: Callable[[str, str | None], None]) -> None:
    """One is raised and one is not. The camera's setup replaces the rules. The automation in the docs says who waits."""
    full, queue = f"binary_sensor.{DOOR}_alert_full", f"binary_sensor.{DOOR}_alert_queue"
    waits_for(full, "on")
    waits_for(queue, "off")
    for entity, rule in ((full, ("inside", None, 0)), (queue, ("waiting_seconds", "till", 3600))):
        given = home.states()[entity]["attributes"]
        assert (given["device_class"], given["measure"], given["zone"], given["limit"]) == ("problem", *rule)
        assert (given["value"] is not None) == (entity == full)
    home.add_automation("queue", yaml_in_page("triggers:"))
    for rules in ((AlertRule("queue", "till", waiting_seconds=3.0),), ()):
        setup = Setup("door", alerts=rules)
        operator.publish(setup.topic, setup.pack(), retain=True)
        waits_for(full, None)
        waits_for(queue, "on" if rules else None)
    messages = [one["message"] for one in home.ask("persistent_notification/get")]
    waited = [float(found[1]) for text in messages if (found := re.search(r"for ([\d.]+) seconds", text))]
    assert waited
    assert min(waited) > 3


def yaml_in_page(key: str) -> Any:
    """Returns the YAML of the page that has a key."""
    (text,) = (one for one in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL) if key in one)
    return yaml.safe_load(text)


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


@pytest.mark.timeout(limit(600 + PICTURE_TIME))
def test_the_pages_of_home_assistant_show_the_camera(tmp_path: Path) -> None:
    """Its own pages in a browser: the device with all its entities, and the dashboard in docs/homeassistant.md."""
    port = free_port()
    dashboard = yaml_in_page("views:")
    named = [{card["name"] for card in section["cards"] if "name" in card} for section in dashboard["views"][0]["sections"]]
    pictures = os.environ.get("FOOTFALL_PICTURES")
    alerts = [{"name": "full", "inside": 500}, {"name": "queue", "zone": "till", "waiting_seconds": 10}]
    with (
        HomeAssistant(find_home_assistant(), "pages", ("frontend", "history")) as home,
        suite(tmp_path, port, "on", alerts),
        chromium() as browser,
        open_tab(browser, f"{home.address}/manifest.json") as tab,
    ):
        add_broker(home, tmp_path, port)
        until(lambda: _number(home, "visits_woman") and _number(home, "inside"), 120, "visitors")
        tab.page.evaluate(home.sign_in_browsers())
        (device,) = (one["id"] for one in home.ask("config/device_registry/list") if one["name"] == "Footfall door")
        home.add_dashboard("the-shop", dashboard)
        if pictures:
            time.sleep(PICTURE_TIME)
        for name, height, path, texts in (
            ("device", 1160, f"config/devices/device/{device}", {"Alert queue", "Zone till", "Frames per second", "Pause"}),
            ("dashboard", 490, "the-shop", set.union(*named)),
        ):
            tab.page.set_viewport_size({"width": 1000, "height": height})
            tab.page.goto(f"{home.address}/{path}")
            for text in texts:
                tab.page.get_by_text(text, exact=True).first.wait_for()
            time.sleep(2)  # cards are moved while they are drawn
            tab.page.screenshot(path=Path(pictures or tmp_path) / f"homeassistant-{name}.png")
