"""The Grafana dashboard in docs/grafana has the names and the types of Grafana's own SDK."""

import copy
import json
import sys
from collections.abc import Iterator
from functools import cache, reduce
from typing import Any, get_type_hints

import pytest
from pydantic import ConfigDict, TypeAdapter, ValidationError

from tests.support.broker import ROOT

if sys.version_info < (3, 11):
    pytest.skip("Grafana's SDK needs Python 3.11", allow_module_level=True)

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

DASHBOARD = json.loads((ROOT / "docs" / "grafana" / "dashboard.json").read_text())
register_default_plugins()


@cache
def adapter(hint: Any) -> TypeAdapter[Any]:
    return TypeAdapter(hint, config=ConfigDict(arbitrary_types_allowed=True))


def lost(given: Any, encoded: Any, path: str = "") -> Iterator[str]:
    """Yields the paths of what the SDK's classes do not know: it is gone after decoding and encoding."""
    if isinstance(given, dict) and isinstance(encoded, dict):
        for name, value in given.items():
            yield from lost(value, encoded.get(name), f"{path}.{name}")
    elif isinstance(given, list) and isinstance(encoded, list) and len(given) == len(encoded):
        for number, pair in enumerate(zip(given, encoded, strict=True)):
            yield from lost(*pair, f"{path}.{number}")
    elif given != encoded:
        yield path


def mistyped(decoded: Any, path: str = "") -> Iterator[str]:
    """Yields the paths of values that differ from the annotations of the SDK's classes, which do not check them."""
    if isinstance(decoded, list):
        for number, one in enumerate(decoded):
            yield from mistyped(one, f"{path}.{number}")
    elif hasattr(decoded, "from_json"):
        for name, hint in get_type_hints(type(decoded)).items():
            value = getattr(decoded, name)
            try:
                accepted = adapter(hint).validate_python(value) == value
            except ValidationError:
                accepted = False
            if not accepted:
                yield f"{path}.{name}"
            yield from mistyped(value, f"{path}.{name}")


def problems(dashboard: Any) -> list[str]:
    """Returns the paths of all that Grafana's types do not allow."""
    decoded = Dashboard.from_json(dashboard)
    return [*lost(dashboard, json.loads(JSONEncoder().encode(decoded))), *mistyped(decoded)]


def test_the_dashboard_has_grafanas_types() -> None:
    """Each name is one that Grafana knows, with a value of its type."""
    assert problems(DASHBOARD) == []


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("panels.1.fieldConfig.defaults.units", "s", ".panels.1.fieldConfig.defaults.units"),
        ("panels.1.options.colorMode", "colourful", ".panels.1.options.color_mode"),
        ("panels.5.fieldConfig.defaults.custom.stacking.mode", "piled", ".panels.5.field_config.defaults.custom.stacking.mode"),
        ("panels.5.gridPos.w", "8", ".panels.5.grid_pos.w"),
        ("panels.5.targets.0.expression", "up", ".panels.5.targets.0.expression"),
        ("panels.5.targets.0.expr", 1, ".panels.5.targets.0.expr"),
        ("templating.list.1.refresh", 7, ".templating.list_val.1.refresh"),
    ],
)
def test_a_mistake_is_found(path: str, value: object, problem: str) -> None:
    """A misspelt name, a word that Grafana does not have, a text instead of a number."""
    dashboard = copy.deepcopy(DASHBOARD)
    *folders, name = path.split(".")
    reduce(lambda node, key: node[int(key) if key.isdigit() else key], folders, dashboard)[name] = value
    assert problem in problems(dashboard)
