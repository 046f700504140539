"""The entities that Home Assistant shows: their states, as its templates render them from real messages."""

import json
from datetime import datetime
from typing import Any

import jinja2
import pytest

from bridge.homeassistant.devices import Camera, Config, describe_camera, describe_suite, read_entities, with_removals
from bus import About, ActiveAlert, AlertRule, Alerts, CurrentLabel, DayCounts, Message, Occupancy, Status, states

ODD = "Frau \"Ä\" \\ }} {% raw %} 'x' 🙂"
"""A label that a template could mistake for its own syntax."""
RULES = (AlertRule("full", inside=50), AlertRule(ODD, ODD, waiting_seconds=2.5))
DOOR = Camera("door", "capture", ("man", ODD), ("till", ODD), has_lines=True, alerts=RULES)
DAY, DAY_BEFORE = "2026-11-27", "2026-11-26"


def render(template: str, message: Message | None, last_reset: str | None = None) -> str:
    """Renders a template as Home Assistant does: without leading and trailing space, and without a value if there is no JSON."""
    this = {"attributes": {} if last_reset is None else {"last_reset": last_reset}}
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    value = {} if message is None else {"value_json": json.loads(message.pack())}
    return environment.from_string(template).render(**value, this=this).strip()


def counts(day: str = DAY, **totals: int) -> DayCounts:
    return DayCounts("door", day, {ODD: 2, **totals}, {})


def label(name: str | None, at: float | None) -> CurrentLabel:
    return CurrentLabel("door", name, 0.75 if name else None, at if name else None, at)


def alerts(*raised: str) -> Alerts:
    return Alerts("door", tuple(ActiveAlert(name, "inside", None, 50.0, 51.0, 1000.0) for name in raised), RULES)


def status(state: str, **rates: float) -> Status:
    return Status("capture", state, about=About(camera="door"), rates=rates)


@pytest.mark.parametrize(
    ("key", "message", "state"),
    [
        ("visitor", label(ODD, 1000.0), ODD),
        ("visitor", label(None, 1000.0), "nobody"),
        ("visitor", label(None, None), "None"),
        ("visits", counts(man=5), "7"),
        ("visits.man", counts(man=5), "5"),
        ("visits.man", counts(), "0"),
        (f"visits.{ODD}", counts(), "2"),
        ("in", Occupancy("door", inside=3, entered=7, left=5, drift=1), "7"),
        ("out", Occupancy("door", inside=3, entered=7, left=5, drift=1), "5"),
        ("inside", Occupancy("door", inside=3, entered=7, left=5, drift=1), "3"),
        (f"zone.{ODD}", Occupancy("door", {"till": 1, ODD: 4}), "4"),
        ("zone.till", Occupancy("door"), "0"),
        ("alert.full", alerts("other", "full"), "ON"),
        ("alert.full", alerts("other"), "OFF"),
        (f"alert.{ODD}", alerts(ODD), "ON"),
        (f"alert.{ODD}", alerts(), "OFF"),
        ("lost", status(states.CAMERA_LOST), "ON"),
        ("lost", status(states.RUNNING), "OFF"),
        ("state", status(states.PAUSED), "paused"),
        ("rate", status(states.RUNNING, frames_out=9.96), "10.0"),
        ("rate", status(states.STARTING), "0"),
        ("connection", status(states.OFFLINE), "OFF"),
        ("connection", status(states.CAMERA_LOST), "ON"),
    ],
)
def test_the_state_of_an_entity(key: str, message: Message, state: str) -> None:
    """Each state comes from a message of the topic that the entity reads."""
    entity = describe_camera(DOOR)["components"][key]
    assert entity["state_topic"] == message.topic
    assert render(entity["value_template"], message) == state


def test_a_deleted_message_leaves_no_state() -> None:
    """Texts become unknown. Home Assistant ignores an empty state of numbers, switches and availability."""
    found = {}
    for key, entity in describe_camera(DOOR)["components"].items():
        used = [entity.get("value_template"), *(one["value_template"] for one in entity.get("availability", ()))]
        found[key] = {render(template, None) for template in used if template}
    assert {key: states for key, states in found.items() if states != {""}} == {"visitor": {"None", ""}, "state": {"None", ""}}


@pytest.mark.parametrize(
    ("day", "last_reset", "state"),
    [(DAY, None, "7"), (DAY, f"{DAY}T00:00:00", "7"), (DAY, f"{DAY_BEFORE}T00:00:00", "7"), (DAY_BEFORE, f"{DAY}T00:00:00", "")],
)
def test_the_counts_of_an_earlier_day_are_ignored(day: str, last_reset: str | None, state: str) -> None:
    """They are published again when a visit ends after midnight, and Home Assistant would add them to its statistics.

    Home Assistant ignores an empty state, and an empty time of reset.
    """
    entity = describe_camera(DOOR)["components"]["visits"]
    assert render(entity["value_template"], counts(day, man=5), last_reset) == state
    reset = render(entity["last_reset_value_template"], counts(day, man=5), last_reset)
    assert reset == (f"{day}T00:00:00" if state else "")
    assert not reset or datetime.fromisoformat(reset)


def test_the_probability_is_an_attribute_of_the_label() -> None:
    entity = describe_camera(DOOR)["components"]["visitor"]
    for message, probability in ((label(ODD, 1000.0), 0.75), (label(None, 1000.0), None), (None, None)):
        assert json.loads(render(entity["json_attributes_template"], message)) == {"probability": probability}


@pytest.mark.parametrize(("raised", "value"), [(alerts("full", ODD), 51.0), (alerts(), None), (None, None)])
def test_the_rule_of_an_alert_and_its_measure_are_attributes(raised: Alerts | None, value: float | None) -> None:
    """The value is that at which the alert was raised. Without an alert there is none."""
    entities = describe_camera(DOOR)["components"]
    rules: dict[str, dict[str, Any]] = {
        "alert.full": {"measure": "inside", "zone": None, "limit": 50},
        f"alert.{ODD}": {"measure": "waiting_seconds", "zone": ODD, "limit": 2.5},
    }
    for key, rule in rules.items():
        assert entities[key]["json_attributes_topic"] == "footfall/door/alerts"
        assert json.loads(render(entities[key]["json_attributes_template"], raised)) == rule | {"value": value}


def test_entities_are_available_while_their_module_is_connected() -> None:
    """A camera that is lost or paused stays available. Connectivity is always available, and says whether the module is there."""
    entities = describe_camera(DOOR)["components"]
    used = {key: {one["topic"] for one in entity.get("availability", ())} for key, entity in entities.items()}
    capture = {key for key, topics in used.items() if topics == {"footfall/status/capture"}}
    assert capture == {"lost", "state", "rate", "pause", "resume"}
    assert {key for key, topics in used.items() if not topics} == {"connection"}
    assert {key for key, topics in used.items() if topics == {"footfall/status/counter"}} == {*entities} - capture - {
        "connection"
    }
    template = entities["lost"]["availability"][0]["value_template"]
    found = {
        state: render(template, status(state)) for state in (states.RUNNING, states.PAUSED, states.CAMERA_LOST, states.OFFLINE)
    }
    assert [state for state, is_available in found.items() if is_available != "online"] == [states.OFFLINE]
    assert found[states.OFFLINE] == "offline"


def test_unique_ids_differ_and_do_not_change() -> None:
    """No two entities of any devices have the same one, whatever their cameras, labels and zones are called."""
    rules = (AlertRule("in", inside=1), AlertRule("c", inside=1))
    cameras = [
        Camera(name, "capture", ("in", "b.c", "b"), ("in", "c"), has_lines=True, alerts=rules)
        for name in ("a", "a-b", "a_b", "b")
    ]
    devices = [describe_suite(("counter", "door")), *map(describe_camera, cameras)]
    ids = [entity["unique_id"] for device in devices for entity in device["components"].values()]
    assert len(ids) == len(set(ids))
    assert "footfall.a.visits.in" in ids
    assert "footfall.counter" in ids


def test_a_camera_without_lines_zones_and_capture_has_fewer_entities() -> None:
    found = describe_camera(Camera("door", None, (), (), has_lines=False))["components"]
    assert set(found) == {"visitor", "visits"}


def test_numbers_have_statistics() -> None:
    """Each number has a state class and a unit, which Home Assistant needs for them. Texts have neither."""
    classes = {
        key: (one.get("state_class"), one.get("unit_of_measurement")) for key, one in sensors(describe_camera(DOOR)).items()
    }
    assert classes == {
        "visitor": (None, None),
        "state": (None, None),
        "visits": ("total", "visits"),
        "visits.man": ("total", "visits"),
        f"visits.{ODD}": ("total", "visits"),
        "in": ("total_increasing", "visitors"),
        "out": ("total_increasing", "visitors"),
        "inside": ("measurement", "visitors"),
        "zone.till": ("measurement", "visitors"),
        f"zone.{ODD}": ("measurement", "visitors"),
        "rate": ("measurement", "frames/s"),
    }


def sensors(config: Config) -> dict[str, Any]:
    return {key: entity for key, entity in config["components"].items() if entity["platform"] == "sensor"}


@pytest.mark.parametrize("junk", [{}, {"components": None}, {"components": []}, {"components": {"a": None, "b": {}}}])
def test_a_foreign_description_is_replaced(junk: dict[str, Any]) -> None:
    """Its entities cannot be read, so none is removed."""
    described = describe_camera(DOOR)
    assert with_removals(described, read_entities(junk)) == described


def test_entities_that_are_gone_are_removed() -> None:
    """Home Assistant removes an entity with its platform alone. The removal ends when the entity returns."""
    before, later = describe_camera(DOOR), describe_camera(Camera("door", "capture", ("man",), (), True, RULES[:1]))
    removing = with_removals(later, read_entities(before))
    gone = {f"visits.{ODD}": "sensor", f"zone.{ODD}": "sensor", "zone.till": "sensor", f"alert.{ODD}": "binary_sensor"}
    assert {key: removing["components"][key] for key in gone} == {key: {"platform": one} for key, one in gone.items()}
    assert set(with_removals(later, read_entities(removing))["components"]) == set(before["components"])
    assert with_removals(before, read_entities(removing)) == before
