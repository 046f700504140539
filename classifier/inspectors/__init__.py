"""Inspectors, which read what a model file says about itself without running it. Each is named after a backend, which need not
have one.

An inspector is a module with the function `inspect`, which takes the bytes of a model and returns an `Inspection`. It raises
`InvalidExport` for a file that says what it is, but cannot be served. A file that is damaged gives an empty inspection: the
trial then refuses it.
"""

import importlib
import pkgutil
from dataclasses import dataclass, field
from typing import Any, cast

from classifier.backends import TensorInfo


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a model file says about itself."""

    labels: tuple[str, ...] = ()
    exporter: str = ""
    """The tool that exported the model; empty if it is unknown."""
    description: dict[str, Any] = field(default_factory=dict)
    """Values of `classifier.description.Description`."""
    inputs: tuple[TensorInfo, ...] = ()
    outputs: tuple[TensorInfo, ...] = ()
    accelerator: str = ""
    """The delegate without which the model cannot run; empty if it needs none."""


def inspect(format_: str, model: bytes) -> Inspection:
    """Returns what a model file of a backend's format says about itself. Raises `InvalidExport`."""
    if format_ not in (module.name for module in pkgutil.iter_modules(__path__)):
        return Inspection()
    return cast(Inspection, importlib.import_module(f"{__name__}.{format_}").inspect(model))
