"""Kinds of sources: one module each, found by the address in VIDEO_PATH.

A new kind is one more module here, with a `capture.source.SourceKind` as its `KIND`. SOURCE_MODULES names modules elsewhere.
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
    """All kinds of sources, those of further modules first. Raises `ValueError` for a module that has none."""
    own = [f"{__name__}.{module.name}" for module in pkgutil.iter_modules(__path__)]
    return [_load_kind(name) for name in (*modules, *own)]


def _load_kind(name: str) -> SourceKind:
    if not all(part.isidentifier() for part in name.split(".")):
        raise ValueError("the name of a Python module is needed, as demo.source")
    try:
        kind = getattr(import_module(name), "KIND", None)
    except Exception as error:  # of any kind: another's code runs
        raise ValueError(f"{name} cannot be imported ({error})") from None
    if not isinstance(kind, SourceKind):
        raise ValueError(f"{name} has no source (KIND)")
    return kind


def create_source(video_path: str, options: SourceOptions, modules: tuple[str, ...] = ()) -> Source:
    """The source at an address, not opened yet; a path on this machine where no other kind takes it.

    Raises `ValueError` for an address that cannot be right.
    """
    kinds = load_kinds(modules)
    kind = next((kind for kind in kinds if kind.takes(video_path)), local.KIND)
    if kind is local.KIND:
        _check_scheme(video_path, [scheme for kind in kinds for scheme in kind.schemes])
    return kind.create(video_path, options)


def _check_scheme(path: str, schemes: Sequence[str]) -> None:
    """Raises `ValueError` for an address of an unknown scheme, or with a typing error such as ``rtsp:/camera``."""
    is_unknown = re.match(r"\s*['\"]?[a-z][a-z0-9+.-]*://", path, re.IGNORECASE)
    is_mistyped = re.match(rf"(?:{'|'.join(schemes)})(?::|//|\\\\)(?!//)", path, re.IGNORECASE)
    if is_unknown or is_mistyped:
        *others, last = [f"{scheme}://" for scheme in schemes]
        raise ValueError(f"an address begins with {', '.join(others)} or {last}")
