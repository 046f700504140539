"""The targets, one module for each kind of input. A new target is a new module here, or a new entry in the `TARGETS` of one."""

import pkgutil
from collections.abc import Sequence
from functools import cache
from importlib import import_module

import capture  # noqa: F401
import classifier  # noqa: F401  # both set variables for OpenCV, and must be imported before it
from tests.fuzz.target import Target


def modules() -> Sequence[str]:
    """Returns the full names of all modules of targets."""
    return [f"{__name__}.{module.name}" for module in pkgutil.iter_modules(__path__)]


@cache
def load_targets(module: str) -> Sequence[Target]:
    """Returns the targets of a module."""
    targets: Sequence[Target] = import_module(module).TARGETS
    return targets


def find_modules() -> dict[str, str]:
    """Returns the names of all targets, each with its module."""
    return {target.name: module for module in modules() for target in load_targets(module)}


def find_target(module: str, name: str) -> Target:
    """Returns the target of this name. Raises `StopIteration` if there is none."""
    return next(target for target in load_targets(module) if target.name == name)
