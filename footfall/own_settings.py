"""Which settings each program has. It is started with these only, because others can be passwords of other programs."""

from collections.abc import Mapping
from importlib import import_module

from runtime.environment import SETTINGS, without
from runtime.settings import environment_variables

OF_ALL = frozenset({"TZ"})
OF_BROKER = frozenset({"CAMERAS"})
EDGE_HUB = "EdgeHubConnectionString"
"""The key of a device, which only the bridge reads."""


def foreign_settings(program: str) -> frozenset[str]:
    """Returns the settings of other programs than this module, or than the broker."""
    if program == "broker":
        return SETTINGS - OF_ALL - OF_BROKER | {EDGE_HUB}
    variables = environment_variables(import_module(f"{program}.settings").Settings).values()
    own = OF_ALL.union(*({name.upper() for name in variable.names} for variable in variables))
    return SETTINGS - own | (set() if program == "bridge" else {EDGE_HUB})


def own_environment(program: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Returns an environment without the settings of other programs."""
    return without(environment, foreign_settings(program))
