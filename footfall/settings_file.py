"""The file with the settings of the services: every setting with its description, and the values of those that are set."""

import re
from collections.abc import Mapping
from importlib import import_module

from footfall.services import GUESTS_PORT, SERVICES, USERS_PORT
from runtime.settings import Variable, environment_variables, load

_OF_THE_UNITS = """
HEALTH_FILE LOG_FORMAT METRICS_PORT MODULE_NAME MQTT_CA_FILE MQTT_HOST MQTT_PASSWORD MQTT_PASSWORD_FILE MQTT_PORT MQTT_USERNAME
RuntimeLogLevel STATE_DIR WEB_PUBLISHED
"""
OF_THE_UNITS = frozenset(_OF_THE_UNITS.split())
"""Settings that the units set, that must differ between the modules, or that have no use in a service."""
BROKER = (
    Variable(("CAMERAS",), "door", "the cameras, separated by commas; the classifier serves these"),
    Variable(("DISPLAYS",), "matrix", "the displays, separated by commas"),
    Variable(("GUESTS_PORT",), str(GUESTS_PORT), "port on this machine without a password, to read everything except pictures"),
    Variable(("USERS_PORT",), str(USERS_PORT), "port of the modules; to change it, set MQTT_PORT to the same value"),
)
"""The settings of the broker; mosquitto/start.sh has more."""
HEADER = """\
# The settings of Footfall's services. After a change: sudo systemctl restart footfall.target
# A value with spaces or quotes stands in single quotes: LINES='[{"name": "door", "from": [0.1, 0.5], "to": [0.9, 0.5]}]'
# For one module, such as a password that others need not know: the same in capture.env, dashboard.env and so on.
# METRICS_PORT, the port of /metrics, must differ, so it can only stand there.
# For a further camera: capture-back.env, and sudo systemctl enable --now footfall-capture@back
"""


def check_settings() -> None:
    """Checks the settings in the environment as the modules do. Raises `InvalidSetting`."""
    for module in SERVICES:
        load(import_module(f"{module}.settings").Settings)


def settings_text(values: Mapping[str, str]) -> str:
    """Returns the file: each setting under the first program that has it, as a comment unless it has a value."""
    missing = dict(values)
    sections = [HEADER]
    listed: set[str] = set()
    for program in ("broker", *SERVICES):
        lines = []
        for variable in _variables(program):
            name = variable.names[0]
            if name in listed or name in OF_THE_UNITS:
                continue
            listed.add(name)
            value = f"{name}={_quoted(missing.pop(name))}" if name in missing else f"#{name}={variable.default}"
            lines.append(f"# {variable.meaning}\n{value}")
        sections.append("\n".join([f"# --- {program}", "", *lines, ""]))
    if missing:
        sections.append("\n".join(f"{name}={_quoted(value)}" for name, value in missing.items()) + "\n")
    return "\n".join(sections)


def value_in(text: str, name: str) -> str:
    """Returns the value of a setting in the file's text, or an empty text."""
    found = re.findall(rf"^\s*{name}=(.*)$", text, re.MULTILINE)
    return str(found[-1]).strip().strip("'\"") if found else ""


def _variables(program: str) -> tuple[Variable, ...]:
    if program == "broker":
        return BROKER
    return tuple(environment_variables(import_module(f"{program}.settings").Settings).values())


def _quoted(value: str) -> str:
    """Returns the value as systemd reads it: in single quotes, between which a backslash stands for itself."""
    if re.fullmatch(r"[\w@%+:,./-]*", value):
        return value
    if "'" not in value:
        return f"'{value}'"
    return '"' + re.sub(r'([\\"`$])', r"\\\1", value) + '"'
