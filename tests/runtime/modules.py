"""The settings of all modules."""

from importlib import import_module
from typing import Any

MODULES = ("bridge", "capture", "classifier", "counter", "dashboard", "display")


def settings_of(module: str) -> Any:
    """The module's class of settings."""
    return import_module(f"{module}.settings").Settings
