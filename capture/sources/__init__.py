"""The kinds of sources, one module each. The address in VIDEO_PATH selects one.

A new kind is a new module here, with a `capture.source.SourceKind` as its `KIND`. SOURCE_MODULES adds modules from elsewhere.
"""

import pkgutil
import re
from collections.abc import Sequence
from functools import cache
from importlib import import_module

from capture.source import Source, SourceKind, SourceOptions
from capture.sources import local


@cache
def load_kinds(modules: tuple[str, ...] = ()) -> Sequence[SourceKind]:
    """Returns all kinds of sources, those of `modules` first. Raises `ValueError` for a module without one."""
    own = [f"{__name__}.{module.name}" for module in pkgutil.iter_modules(__path__)]
    return [_load_kind(name) for name in (*modules, *own)]


def _load_kind(name: str) -> SourceKind:
    if not all(part.isidentifier() for part in name.split(".")):
        raise ValueError("must be the name of a Python module, such as demo.source")
    try:
        kind = getattr(import_module(name), "KIND", None)
    except Exception as error:  # any exception: this runs third-party code
        raise ValueError(f"{name} cannot be imported ({error})") from None
    if not isinstance(kind, SourceKind):
        raise ValueError(f"{name} declares no kind of source (KIND)")
    return kind


def create_source(video_path: str, options: SourceOptions, modules: tuple[str, ...] = ()) -> Source:
    """Creates the source for an address without opening it.

    Raises `ValueError` for an invalid address.
    """
    kind = find_kind(video_path, modules)
    if kind is local.KIND:
        _check_scheme(video_path, [scheme for kind in load_kinds(modules) for scheme in kind.schemes])
    return kind.create(video_path, options)


def find_kind(video_path: str, modules: tuple[str, ...] = ()) -> SourceKind:
    """Returns the kind of source that an address means: the first that accepts it, or else a local path."""
    return next((kind for kind in load_kinds(modules) if kind.takes(video_path)), local.KIND)


def _check_scheme(path: str, schemes: Sequence[str]) -> None:
    """Raises `ValueError` for an address with an unknown scheme, or with a typo such as ``rtsp:/camera``."""
    is_unknown = re.match(r"\s*['\"]?[a-z][a-z0-9+.-]*://", path, re.IGNORECASE)
    is_mistyped = re.match(rf"(?:{'|'.join(schemes)})(?::|//|\\\\)(?!//)", path, re.IGNORECASE)
    if is_unknown or is_mistyped:
        *others, last = [f"{scheme}://" for scheme in schemes]
        raise ValueError(f"an address must begin with {', '.join(others)} or {last}")
