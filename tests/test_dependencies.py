"""The packages that Footfall depends on: licences, SBOMs, and the audit with the real pip-audit and an advisory service here."""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from importlib.metadata import distribution
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement

from scripts import audit, sbom
from scripts.dependencies import IMAGES, LISTS, PYTHON, UNKNOWN, licences, pins, vendored
from tests.support.broker import ROOT
from tests.support.wait import limit
from tests.support.web import QuietHandler, serve

SBOMS = sbom.documents()
VULNERABLE = {"package": {"name": "idna", "ecosystem": "PyPI"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"fixed": "3.7"}]}]}


def purls(name: str) -> set[str]:
    """Returns the packages that an SBOM lists."""
    return {one["purl"] for one in json.loads(SBOMS[name])["components"]}


def test_the_licence_of_every_package_is_known() -> None:
    """docs/licences.md has a licence for each, and the text of each library in the page is next to it."""
    assert [name for name, text in licences().items() if text == UNKNOWN] == [], "install these packages, then run: make docs"
    assert {name for path in LISTS.values() for name in pins(path)} <= licences().keys()
    assert [one.licence for one in vendored()] == [licences()[one.name] for one in vendored()]


@pytest.mark.parametrize("name", SBOMS)
def test_an_sbom_is_valid(name: str) -> None:
    """Each SBOM has the schema of CycloneDX 1.6."""
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(SBOMS[name]) is None


def test_the_sboms_are_complete() -> None:
    """There is one for each image, with every package of its list, and one for the wheel, with what these packages depend on."""
    page = {one for one in purls("footfall-dashboard") if one.startswith("pkg:npm/")}
    assert page == {f"pkg:npm/{one.name.replace('@', '%40')}@{one.version}" for one in vendored()}
    assert {f"footfall-{path.parent.name}" for path in ROOT.glob("*/module.json")} <= SBOMS.keys()
    for image in IMAGES:
        packages = {f"pkg:pypi/{name}@{number}" for name, number in pins(LISTS[image]).items()}
        assert packages < purls(f"footfall-{image}")
        assert packages < purls("footfall")
    assert page < purls("footfall")


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="another Python than the images' has other versions")
@pytest.mark.parametrize("name", [name for name in SBOMS if name != "footfall-mosquitto"])
def test_no_dependency_is_missing(name: str) -> None:
    """What a listed package requires is listed too."""
    listed = {one.partition("@")[0] for one in purls(name)}
    for package in [one.removeprefix("pkg:pypi/") for one in listed if one.startswith("pkg:pypi/")]:
        for wanted in map(Requirement, distribution(package).requires or []):
            if not wanted.marker or wanted.marker.evaluate({**PYTHON, "extra": ""}):
                assert f"pkg:pypi/{re.sub('[-_.]+', '-', wanted.name.lower())}" in listed, package


@contextmanager
def advisories(status: int) -> Iterator[str]:
    """Runs an advisory service with the interface of OSV, which knows one vulnerability, and yields its address."""

    class Handler(QuietHandler, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found = question["package"]["name"] == "idna" and question["version"] == "3.6"
            answer: dict[str, Any] = {"vulns": [{"id": "PYSEC-2024-60", "affected": [VULNERABLE]}]} if found else {}
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with serve(Handler) as server:
        yield f"http://127.0.0.1:{server.server_port}/v1/query"


@pytest.mark.system
@pytest.mark.parametrize(
    ("status", "versions", "code", "line"),
    [
        (200, ["idna==3.7", "six==1.17.0"], 0, "audit: 2 versions audited, 0 known vulnerabilities"),
        (200, ["idna==3.6", "six==1.17.0"], 1, "idna 3.6: PYSEC-2024-60, fixed in 3.7"),
        (503, ["idna==3.6", "six==1.17.0"], 2, "audit: 2 versions not audited: "),
    ],
    ids=["none", "vulnerable", "outage"],
)
def test_the_audit_tells_an_outage_from_no_vulnerabilities(status: int, versions: list[str], code: int, line: str) -> None:
    """A known vulnerability is named with its fix, and what the advisory service did not answer counts as not audited."""
    found = audit.Audit()
    with advisories(status) as address:
        found.run(versions, ["--vulnerability-service", "osv", "--osv-url", address, "--timeout", str(int(limit(10)))])
    assert found.exit_code == code
    assert any(one.startswith(line) for one in found.lines()), found.lines()
    assert not any("127.0.0.1" in one for one in found.lines())


def test_every_version_of_the_constraints_is_audited() -> None:
    """pip-audit takes a package once per call, and the constraints have several versions of some."""
    assert audit.batches([("a", "1"), ("a", "2"), ("b", "1")]) == [["a==1", "b==1"], ["a==2"]]
