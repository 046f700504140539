"""Writes an SBOM in CycloneDX 1.6 for the wheel and for each image: ``make sbom``.

An SBOM lists the packages of `make lock`, the libraries of the dashboard's page and the base image. It does not list the packages
that an image has from Debian. `dpkg-query -W` in the image lists those.
"""

import re
import sys
from collections.abc import Mapping
from importlib.metadata import requires, version
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement

from scripts.dependencies import CONSTRAINTS, IMAGES, LISTS, PYTHON, ROOT, licences, pins, vendored

FOLDER = ROOT / "sbom"
WHEEL = "footfall"
WHEEL_EXTRAS = ("run", "parquet")
"""The extras that name packages which no image has."""


def documents() -> dict[str, str]:
    """Returns the SBOMs as JSON, by the name of the wheel or image."""
    own = version(WHEEL)
    wheel = Component(name=WHEEL, version=own, type=ComponentType.APPLICATION, purl=PackageURL("pypi", None, WHEEL, own))
    found = {WHEEL: _sbom(wheel, [*_packages(_wheel_pins()), *_page_libraries()])}
    for image in IMAGES:
        libraries = _page_libraries() if image == "dashboard" else []
        contents = [_base("Dockerfile"), *_packages(pins(LISTS[image])), *libraries]
        found[f"footfall-{image}"] = _sbom(_image(f"footfall-{image}", own), contents)
    found["footfall-mosquitto"] = _sbom(_image("footfall-mosquitto", own), [_base("mosquitto/Dockerfile")])
    return found


def _wheel_pins() -> Mapping[str, str]:
    """Returns the packages of all images, and those that the wheel's extras name in addition. The latter have no dependencies."""
    images = {name: number for image in IMAGES for name, number in pins(LISTS[image]).items()}
    named = {
        one.name
        for one in map(Requirement, requires(WHEEL) or [])
        if one.name != WHEEL
        and any((not one.marker or one.marker.evaluate({**PYTHON, "extra": extra})) for extra in WHEEL_EXTRAS)
    }
    return images | {name: number for name, number in pins(CONSTRAINTS).items() if name in named}


def _packages(versions: Mapping[str, str]) -> list[Component]:
    known = licences()
    return [_library(PackageURL("pypi", None, name, number), known[name]) for name, number in versions.items()]


def _page_libraries() -> list[Component]:
    found = []
    for one in vendored():
        namespace, _, name = one.name.rpartition("/")
        found.append(_library(PackageURL("npm", namespace or None, name, one.version), one.licence))
    return found


def _library(purl: PackageURL, licence: str) -> Component:
    return Component(
        name=purl.name,
        group=purl.namespace,
        version=purl.version,
        type=ComponentType.LIBRARY,
        purl=purl,
        bom_ref=purl.to_string(),
        licenses=[LicenseFactory().make_from_string(licence)],
    )


def _base(dockerfile: str) -> Component:
    """Returns the base image that a Dockerfile names."""
    name, tag = re.findall(r"^ARG BASE=(\S+):(\S+)$", (ROOT / dockerfile).read_text(), re.MULTILINE)[0]
    return Component(name=name, version=tag, type=ComponentType.CONTAINER, purl=PackageURL("docker", None, name, tag))


def _image(name: str, number: str) -> Component:
    return Component(name=name, version=number, type=ComponentType.CONTAINER)


def _sbom(subject: Component, contents: list[Component]) -> str:
    subject.licenses.add(LicenseFactory().make_from_string("MIT"))
    bom = Bom(components=contents)
    bom.metadata.component = subject
    bom.register_dependency(subject, contents)
    return JsonV1Dot6(bom).output_as_string(indent=2)


def main(folder: Path) -> None:
    """Writes the SBOMs into a folder, and prints their paths."""
    folder.mkdir(exist_ok=True)
    for name, text in documents().items():
        path = folder / f"{name}.cdx.json"
        path.write_text(text + "\n")
        print(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else FOLDER)
