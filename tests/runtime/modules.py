"""The settings of all modules."""

from importlib import import_module
from typing import Any

from tests.support.broker import ROOT

MODULES = ("bridge", "capture", "classifier", "counter", "dashboard", "display")


def settings_of(module: str) -> Any:
    """The module's class of settings."""
    return import_module(f"{module}.settings").Settings


WITH_SETTINGS = [module for module in MODULES if (ROOT / module / "settings.py").exists()]
