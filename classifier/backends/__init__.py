"""Backends, which run models. Each module is named after the suffix of its model file: ``tflite.py`` runs ``model.tflite``.

A backend is a module with two functions, `load` and `describe`; see `Backend`. Only that module imports the runtime's library.
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
    """Options of a backend: the number of threads, XNNPACK on or off, and the path of a delegate library."""

    threads: int = 1
    xnnpack: bool = True
    delegate: str | None = None


class TensorInfo(NamedTuple):
    """An input or output of a model. If `scale` is not 0, it is quantised: real value = scale x (stored value - zero point).

    `shape` is the shape for one picture. If the file leaves that of an output open, it is what a black picture gave.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    scale: float = 0.0
    zero_point: int = 0

    @property
    def is_channels_first(self) -> bool:
        """Whether it is a picture of 1 x 3 x height x width."""
        return len(self.shape) == 4 and self.shape[1] == 3 != self.shape[3]

    @property
    def picture_size(self) -> tuple[int, int]:
        """Height and width of a picture in px; both are 0 if it is no picture."""
        if len(self.shape) != 4:
            return 0, 0
        return (self.shape[2], self.shape[3]) if self.is_channels_first else (self.shape[1], self.shape[2])


class LoadedModel(Protocol):
    """A model that is ready to run. Not thread-safe."""

    inputs: Sequence[TensorInfo]
    outputs: Sequence[TensorInfo]

    def run(self, tensor: Array) -> list[Array]:
        """Returns the outputs for an input, still quantised. Raises `ValueError` or `RuntimeError`."""


class Backend(Protocol):
    """The functions that each module in this package provides."""

    def load(self, model: bytes, options: Options) -> LoadedModel:
        """Loads a model. Raises `ValueError` or `RuntimeError` for a bad model, and `InvalidSetting` for a bad delegate."""

    def describe(self, options: Options) -> str:
        """Returns the library's name, its version and the options, for people."""


def names() -> list[str]:
    """Returns the suffixes of the supported model files."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def get_backend(name: str) -> Backend:
    """Returns the backend with this name, one of `names`."""
    return cast(Backend, importlib.import_module(f"{__name__}.{name}"))
