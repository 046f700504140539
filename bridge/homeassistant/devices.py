"""The devices and entities that Home Assistant shows, as it needs them described.

Entities read the suite's own topics by templates, so nothing is published twice. A template renders the new state. Home
Assistant ignores an empty one of a number, and takes ``None`` for unknown. `value_json` is undefined if the retained message was
deleted.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from bus import AlertRule, states, topics

SUITE = "status"
"""The device of the whole suite; no camera has this name."""
COUNTER = "counter"
"""The module that publishes labels, counts and occupancies."""
VISITS = "visits."
"""Before the label, in the key of the entity of its visits."""
MAX_NAME = 64
"""Characters of a label or zone in the name of an entity; its unique id has all of them."""
MAX_REMOVED = 200
"""Removals that stay in a description; of more, the oldest are dropped."""

_ELSE_NONE = "if value_json is defined else None"

Config = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Camera:
    """What decides the entities of a camera. `module` is the name of its capture, None if there is none."""

    name: str
    module: str | None
    labels: tuple[str, ...]
    zones: tuple[str, ...]
    has_lines: bool
    alerts: tuple[AlertRule, ...] = ()


def describe_suite(modules: tuple[str, ...]) -> Config:
    """Returns the device of the suite, with the connectivity of each module."""
    entities = {module: _connectivity(module, module) for module in modules}
    return _device("footfall", {"name": "Footfall", "model": "Suite"}, entities)


def describe_camera(camera: Camera) -> Config:
    """Returns the device of a camera."""
    entities = _results(camera) | (_capture(camera.name, camera.module) if camera.module is not None else {})
    device = {"name": f"Footfall {camera.name}", "model": "Camera", "via_device": "footfall"}
    return _device(f"footfall.{camera.name}", device, entities)


def read_entities(config: Mapping[str, Any]) -> dict[str, Config]:
    """Returns the entities in a description that was received, by key. One that is described by its platform alone is removed."""
    components = config.get("components")
    entities = components.items() if isinstance(components, Mapping) else ()
    return {key: dict(entity) for key, entity in entities if isinstance(entity, Mapping) and "platform" in entity}


def with_removals(config: Config, previous: Mapping[str, Config]) -> Config:
    """Returns a device's description that also removes those previous entities that it lacks.

    Home Assistant keeps an entity that is merely left out, and removes one that is described by its platform alone. The
    removals stay in the description, because Home Assistant may be away now.
    """
    gone = [(key, {"platform": entity["platform"]}) for key, entity in previous.items() if key not in config["components"]]
    return config | {"components": dict(gone[-MAX_REMOVED:]) | config["components"]}


def _device(identifier: str, device: Config, entities: dict[str, Config]) -> Config:
    """Returns a description. A camera's name has no dot, so unique ids differ."""
    release = version("footfall")
    return {
        "device": {"identifiers": [identifier], "manufacturer": "Footfall", "sw_version": release} | device,
        "origin": {"name": "Footfall", "sw_version": release},
        "components": {key: {"unique_id": f"{identifier}.{key}"} | entity for key, entity in entities.items()},
    }


def _results(camera: Camera) -> dict[str, Config]:
    """Returns the entities whose states the counter publishes."""
    label, occupancy = topics.label(camera.name), topics.occupancy(camera.name)
    entities = {
        "visitor": {
            "name": "Current visitor",
            "icon": "mdi:account",
            "value_template": f"{{{{ value_json.label or ('nobody' if value_json.at else None) {_ELSE_NONE} }}}}",
            "json_attributes_topic": label,
            "json_attributes_template": f"{{{{ {{'probability': value_json.probability {_ELSE_NONE}}} | tojson }}}}",
        }
        | _state("sensor", label),
        "visits": _visits(camera.name, "Visits", "value_json.totals.values() | sum"),
    }
    for name in camera.labels:
        entities[f"{VISITS}{name}"] = _visits(
            camera.name, f"Visits {name[:MAX_NAME]}", f"value_json.totals.get({_quoted(name)}, 0)"
        )
    if camera.has_lines:
        entities["in"] = _number("In", occupancy, "value_json.entered", "mdi:location-enter", "total_increasing")
        entities["out"] = _number("Out", occupancy, "value_json.left", "mdi:location-exit", "total_increasing")
        entities["inside"] = _number("Inside", occupancy, "value_json.inside", "mdi:account-group")
    for name in camera.zones:
        value = f"value_json.zones.get({_quoted(name)}, 0)"
        entities[f"zone.{name}"] = _number(f"Zone {name[:MAX_NAME]}", occupancy, value, "mdi:map-marker-account")
    for rule in camera.alerts:
        entities[f"alert.{rule.name}"] = _alert(rule, topics.alerts(camera.name))
    return {key: entity | _available(COUNTER) for key, entity in entities.items()}


def _capture(camera: str, module: str) -> dict[str, Config]:
    """Returns the entities of the module that captures a camera, and the buttons that command it."""
    status = topics.status(module)
    diagnostic = {"entity_category": "diagnostic"}
    command = {"platform": "button", "command_topic": topics.command(camera), "qos": 1}
    entities: dict[str, Config] = {
        "lost": {
            "name": "Camera lost",
            "device_class": "problem",
            "value_template": _on_if(f"value_json.state == '{states.CAMERA_LOST}'"),
        }
        | _state("binary_sensor", status),
        "state": {
            "name": "State",
            "icon": "mdi:state-machine",
            "value_template": f"{{{{ value_json.state {_ELSE_NONE} }}}}",
        }
        | diagnostic
        | _state("sensor", status),
        "rate": _number("Frames per second", status, "value_json.rates.get('frames_out', 0) | round(1)", "mdi:speedometer")
        | {"unit_of_measurement": "frames/s", "suggested_display_precision": 1}
        | diagnostic,
        "pause": {"name": "Pause", "icon": "mdi:pause", "payload_press": json.dumps({"do": "pause"})} | command,
        "resume": {"name": "Resume", "icon": "mdi:play", "payload_press": json.dumps({"do": "resume"})} | command,
    }
    return {key: entity | _available(module) for key, entity in entities.items()} | {
        "connection": _connectivity("Connection", module)
    }


def _visits(camera: str, name: str, value: str) -> Config:
    """Returns the sensor of a number of visits today, which begins again each day.

    The counter first publishes an earlier day's counts when a visit ends that began then. The sensor ignores them: they would
    count as another day in Home Assistant's statistics.
    """
    is_new = "value_json is defined and value_json.day >= this.attributes.get('last_reset', '')[:10]"
    return _number(name, topics.counts(camera), value, "mdi:counter", "total") | {
        "unit_of_measurement": "visits",
        "value_template": f"{{% if {is_new} %}}{{{{ {value} }}}}{{% endif %}}",
        "last_reset_value_template": f"{{% if {is_new} %}}{{{{ value_json.day }}}}T00:00:00{{% endif %}}",
    }


def _alert(rule: AlertRule, topic: str) -> Config:
    """Returns the sensor of whether a rule's alert is raised, with the rule and the measure at that time as attributes."""
    raised = f"value_json.alerts | selectattr('rule', 'eq', {_quoted(rule.name)})"
    zone = "None" if rule.zone is None else _quoted(rule.zone)
    measure = f"'measure': '{rule.kind}', 'zone': {zone}, 'limit': {getattr(rule, rule.kind)}"
    value = f"({raised} | map(attribute='value') | first | default(None)) {_ELSE_NONE}"
    return {
        "name": f"Alert {rule.name}",
        "device_class": "problem",
        "value_template": _on_if(f"{raised} | list"),
        "json_attributes_topic": topic,
        "json_attributes_template": f"{{{{ {{{measure}, 'value': {value}}} | tojson }}}}",
    } | _state("binary_sensor", topic)


def _number(name: str, topic: str, value: str, icon: str, state_class: str = "measurement") -> Config:
    return {
        "name": name,
        "icon": icon,
        "state_class": state_class,
        "unit_of_measurement": "visitors",
        "value_template": _given(f"{{{{ {value} }}}}"),
    } | _state("sensor", topic)


def _connectivity(name: str, module: str) -> Config:
    """Returns the sensor of whether a module is connected to the broker, which is available even if the module is not."""
    return {
        "name": name,
        "device_class": "connectivity",
        "entity_category": "diagnostic",
        "value_template": _on_if(f"value_json.state != '{states.OFFLINE}'"),
    } | _state("binary_sensor", topics.status(module))


def _state(platform: str, topic: str) -> Config:
    return {"platform": platform, "state_topic": topic}


def _available(module: str) -> Config:
    """Returns the options of an entity that is available while a module is connected."""
    template = _given(f"{{{{ 'offline' if value_json.state == '{states.OFFLINE}' else 'online' }}}}")
    return {"availability": [{"topic": topics.status(module), "value_template": template}]}


def _on_if(condition: str) -> str:
    return _given(f"{{{{ 'ON' if {condition} else 'OFF' }}}}")


def _given(template: str) -> str:
    """Returns a template that renders nothing if the message was deleted."""
    return f"{{% if value_json is defined %}}{template}{{% endif %}}"


def _quoted(text: str) -> str:
    """Returns a text as a string of a template. A JSON string is one: Jinja knows its escapes."""
    return json.dumps(text, ensure_ascii=False)
