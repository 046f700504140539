"""Routes of edgeHub, ``FROM source [WHERE condition] INTO sink``: the published schema takes any string for one."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

UPSTREAM = "$upstream"
EVENTS = ("twinChangeNotifications", "deviceLifecycleEvents", "moduleLifecycleEvents", "deviceConnectionStateEvents")
_ROUTE = re.compile(r"\s*FROM\s+(\S+)(?:\s+WHERE\s+(\S.*?))?\s+INTO\s+(\S+)\s*", re.IGNORECASE | re.DOTALL)
_ENDPOINT = re.compile(r'BrokeredEndpoint\("/modules/([^/"*]+)/inputs/([^/"*]+)"\)')
_TEXT = re.compile(r"'[^']*'|\"[^\"]*\"")


@dataclass(frozen=True, slots=True)
class Route:
    """`module` and `output` are None where the source takes all; `sink` is None for IoT Hub, else module and input."""

    module: str | None
    output: str | None
    condition: str | None
    sink: tuple[str, str] | None


def parse(text: str) -> Route:
    """A route from its text. Raises `ValueError`."""
    match = _ROUTE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r}: FROM source [WHERE condition] INTO sink is needed")
    module, output = _source(match[1])
    return Route(module, output, _condition(match[2]), _sink(match[3]))


def _source(text: str) -> tuple[str | None, str | None]:
    match text.split("/")[1:] if text.startswith("/") else []:
        case ["*"] | ["messages", "*"] | ["messages", "modules", "*"]:
            return None, None
        case [event] if event in EVENTS:
            return None, None
        case ["messages", "modules", str(module), "*"] | ["messages", "modules", str(module), "outputs", "*"] if _named(module):
            return module, None
        case ["messages", "modules", str(module), "outputs", str(output)] if _named(module) and _named(output):
            return module, output
    raise ValueError(f"{text!r} is no source")


def _named(part: str) -> bool:
    return bool(part) and "*" not in part


def _condition(text: str | None) -> str | None:
    """As far as it can be told without edgeHub's own grammar: text that ends, and brackets that close."""
    depth = 0
    for character in _TEXT.sub("", text or ""):
        depth += (character == "(") - (character == ")")
        if depth < 0 or character in "'\"":
            break
    else:
        if depth == 0:
            return text
    raise ValueError(f"{text!r} is no condition")


def _sink(text: str) -> tuple[str, str] | None:
    if text == UPSTREAM:
        return None
    endpoint = _ENDPOINT.fullmatch(text)
    if endpoint is None:
        raise ValueError(f"{text!r} is no sink")
    return endpoint[1], endpoint[2]


def problems(
    routes: Mapping[str, Mapping[str, object]],
    outputs: Mapping[str, Collection[str]],
    inputs: Mapping[str, Collection[str]],
) -> list[str]:
    """What is wrong with a manifest's routes, where the modules have these outputs and inputs."""
    found = []
    for name, entry in routes.items():
        try:
            route = parse(str(entry.get("route")))
        except ValueError as error:
            found.append(f"{name}: {error}")
            continue
        if route.module is not None and route.module not in outputs:
            found.append(f"{name}: no module {route.module}")
        elif route.module is not None and route.output is not None and route.output not in outputs[route.module]:
            found.append(f"{name}: {route.module} has no output {route.output}")
        if route.sink is not None and route.sink[1] not in inputs.get(route.sink[0], ()):
            found.append(f"{name}: no input {'/'.join(route.sink)}")
        if type(entry.get("priority")) is not int or not 0 <= int(str(entry["priority"])) <= 9:
            found.append(f"{name}: a priority from 0 to 9 is needed")
        if type(entry.get("timeToLiveSecs")) is not int or int(str(entry["timeToLiveSecs"])) <= 0:
            found.append(f"{name}: timeToLiveSecs is needed, or its messages go by the default of all")
    return found
