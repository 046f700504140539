"""What runs models: one file for each kind of model file, found by its suffix (``model.tflite`` is run by ``tflite.py``).

A backend is a module with two functions, `load` and `describe`; see `Backend`. Its driver is imported in that file only.
"""

import importlib
import pkgutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, cast

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Options:
    """How models are run: by how many threads, with XNNPACK or without, and by which delegate library, if any."""

    threads: int = 1
    xnnpack: bool = True
    delegate: str | None = None


class Tensor(NamedTuple):
    """An input or output of a model. Of whole numbers with a scale, the real value is scale x (stored value - zero point)."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    scale: float = 0.0
    zero_point: int = 0


class LoadedModel(Protocol):
    """A model that is ready to run, for one thread."""

    inputs: Sequence[Tensor]
    """Pictures are 1 x height x width x 3; a backend whose files have another layout transposes in `run`."""
    outputs: Sequence[Tensor]

    def run(self, tensor: Array) -> list[Array]:
        """The outputs for the one input, as stored. Raises ValueError or RuntimeError."""


class Backend(Protocol):
    """What a module in this package provides."""

    def load(self, model: bytes, options: Options) -> LoadedModel:
        """Raises ValueError or RuntimeError for the model, `InvalidSetting` for the delegate."""

    def describe(self, options: Options) -> str:
        """Name, version and options, for people."""


def names() -> list[str]:
    """The suffixes of model files that can be run."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def get_backend(name: str) -> Backend:
    """The backend of that name, which must be one of `names`."""
    return cast(Backend, importlib.import_module(f"{__name__}.{name}"))
