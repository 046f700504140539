"""The packages that Footfall depends on: their versions in the lists that `make lock` writes, and their licences.

The licences are in docs/licences.md. `make docs` takes them from the metadata of the installed packages.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints.txt"
LISTS = {"-".join((path.parent.name, *path.stem.split("-")[1:])): path for path in sorted(ROOT.glob("*/requirements*.txt"))}
"""The lists of packages of the images, by image. `bus` is in every image, and `classifier-onnx` is a variant of an image."""
IMAGES = tuple(name for name in LISTS if name != "bus")
PAGE = ROOT / "docs" / "licences.md"
PYTHON = {"python_version": "3.11", "python_full_version": "3.11.2", "sys_platform": "linux"}
"""The Python of the images."""
UNKNOWN = "unknown"
ROW = re.compile(r"^\| `([^`]+)` \| ([^|]+) \|", re.MULTILINE)
SPDX = re.compile(r"(MIT|ISC|[A-Z]\w*-\d[\w.-]*)( (AND|OR) (MIT|ISC|[A-Z]\w*-\d[\w.-]*))*")
NAMES = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
"""SPDX identifiers of licences as metadata name them. Other names, such as `BSD License`, do not say which version."""
TITLES = {"Apache License": "Apache-2.0", "MIT License": "MIT"}
"""SPDX identifiers by what the first lines of a licence's text have."""
NO_LICENCES = ("OSI Approved", "DFSG approved")


class Vendored(NamedTuple):
    """A library whose files are copied into the repository: its name on npm, version, licence, and the file with the licence."""

    name: str
    version: str
    licence: str
    text: Path


@cache
def pins(path: Path) -> Mapping[str, str]:
    """Returns the versions of a list that the Python of the images gets, by package."""
    found = map(Requirement, _lines(path))
    return {one.name: _version(one) for one in found if not one.marker or one.marker.evaluate(dict(PYTHON))}


def all_pins(path: Path) -> list[tuple[str, str]]:
    """Returns the packages and versions of a list, for every Python and system."""
    return [(one.name, _version(one)) for one in map(Requirement, _lines(path))]


def vendored() -> list[Vendored]:
    """Returns the libraries of the dashboard's page."""
    folder = ROOT / "dashboard" / "page" / "vendor"
    npm = {"fluent-bundle": "@fluent/bundle", "uPlot": "uplot"}
    found = []
    for path in sorted(folder.glob("*.js")):
        name, version = re.findall(r"^(.+?)-(\d+\.\d+\.\d+)\.", path.name)[0]
        text = folder / f"{name.partition('-')[0]}-LICENSE.txt"
        found.append(Vendored(npm[name], version, _title(text.read_text()), text))
    return found


def licences() -> dict[str, str]:
    """Returns the licences in docs/licences.md, by package."""
    return dict(ROW.findall(PAGE.read_text()))


def licence(installed: Distribution) -> str:
    """Returns the licence in a package's metadata, as an SPDX expression if that is known; otherwise its licence file's title."""
    expression, text = (next(iter(installed.metadata.get_all(field, [])), "") for field in ("License-Expression", "License"))
    if expression:
        return expression
    if SPDX.fullmatch(text):
        return text
    last = [one.rpartition(" :: ")[2] for one in installed.metadata.get_all("Classifier", []) if one.startswith("License :: ")]
    classified = [NAMES.get(one, one) for one in last if one not in NO_LICENCES]
    texts = [_title(one.read_text()) for one in installed.files or () if one.name.startswith("LICENSE")]
    first = text.partition("\n")[0]
    return " OR ".join(classified) or NAMES.get(first, first) or next(iter(texts), UNKNOWN)


def image_rows() -> Sequence[tuple[str, str, str]]:
    """Returns each package of the images, its licence, and the images that have it."""
    found = {image: pins(LISTS[image]) for image in IMAGES}
    names = sorted({name for one in found.values() for name in one})
    return [(f"`{name}`", _current(name), _images([image for image in IMAGES if name in found[image]])) for name in names]


def laptop_rows() -> Sequence[tuple[str, str]]:
    """Returns each package that is in no image, and its licence."""
    in_images = {name for image in IMAGES for name in pins(LISTS[image])}
    return [(f"`{name}`", _current(name)) for name in sorted(pins(CONSTRAINTS).keys() - in_images)]


def vendored_rows() -> Sequence[tuple[str, str, str]]:
    """Returns each library of the dashboard's page, its licence, and a link to the licence's text."""
    return [(f"`{one.name}`", one.licence, f"[{one.text.name}](../{one.text.relative_to(ROOT)})") for one in vendored()]


def _title(text: str) -> str:
    """Returns the licence whose text this is."""
    return next((identifier for title, identifier in TITLES.items() if title in text[:300]), UNKNOWN)


def _current(name: str) -> str:
    """Returns the licence in the metadata of the pinned version if that is installed, otherwise the one in docs/licences.md."""
    try:
        installed = distribution(name)
    except PackageNotFoundError:
        installed = None
    if installed and installed.version == pins(CONSTRAINTS)[name]:
        return licence(installed)
    return licences().get(name, UNKNOWN)


def _images(images: list[str]) -> str:
    return "all" if len(images) == len(IMAGES) else ", ".join(images)


def _lines(path: Path) -> list[str]:
    return [line.removesuffix(" \\") for line in path.read_text().splitlines() if "==" in line]


def _version(requirement: Requirement) -> str:
    return str(requirement.specifier).removeprefix("==")
