"""Dockerfiles and Compose files, without an engine: what they pin, share and allow."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from tests.support.broker import ROOT

PYTHON = {"python_version": "3.11", "python_full_version": "3.11.2", "sys_platform": "linux"}
"""In the images."""
DEBIAN = {"msgpack": "msgpack", "numpy": "(opencv|numpy)", "opencv-python-headless": "opencv", "pillow": "pil"}
"""Packages without wheels for 32-bit ARM on PyPI, and Debian's packages that replace them."""


def pins(path: Path) -> dict[str, str]:
    """Versions by package."""
    lines = [line for line in path.read_text().splitlines() if "==" in line and not line.startswith("#")]
    found = map(Requirement, lines)
    return {one.name: str(one.specifier) for one in found if not one.marker or one.marker.evaluate(PYTHON)}


def stages() -> dict[str, str]:
    """The instructions of each stage of the Dockerfile with those it is built from."""
    texts: dict[str, str] = {}
    for text in re.split(r"^(?=FROM )", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)[1:]:
        base, name = re.findall(r"^FROM (\S+) AS (\S+)$", text, re.MULTILINE)[0]
        texts[name] = texts.get(base, "") + text
    return texts


def services(*names: str) -> dict[str, dict[str, Any]]:
    """Those of Compose files, of which a later one replaces an earlier one."""
    return {key: one for name in names for key, one in yaml.safe_load((ROOT / name).read_text())["services"].items()}


@pytest.mark.parametrize("module", ["bus", "capture", "classifier", "display", "counter", "bridge", "dashboard"])
def test_packages_have_the_versions_that_are_tested(module: str) -> None:
    """And what PyPI lacks on 32-bit ARM is Debian's there."""
    wanted = pins(ROOT / module / "requirements.txt")
    assert wanted.items() <= pins(ROOT / "constraints.txt").items()
    left_out = re.search(r"\^\(([^)]*)\)==", (ROOT / "scripts" / "packages.sh").read_text())
    assert left_out is not None
    assert set(left_out[1].split("|")) == set(DEBIAN)
    for name in set(DEBIAN) & set(wanted):
        assert re.search(f"python3-{DEBIAN[name]}", stages()["python" if module == "bus" else module]), name


def test_compose_and_iot_edge_allow_the_same_memory() -> None:
    """Three quarters of the gigabyte of a Raspberry Pi 3; the system and IoT Edge have the rest."""
    template = json.loads((ROOT / "deployment.template.json").read_text())
    modules = template["modulesContent"]["$edgeAgent"]["properties.desired"]["modules"]
    found = services("docker-compose.override.yml", "docker-compose.yml").items()
    limits = {name: one["deploy"]["resources"]["limits"]["memory"] for name, one in found if "deploy" in one}
    memory = {name: int(limit.removesuffix("M")) for name, limit in limits.items()}
    for name, module in modules.items():
        assert module["settings"]["createOptions"]["HostConfig"]["Memory"] == memory[name] << 20, name
    assert sum(memory[name] for name in modules) <= 768
    assert sum(memory.values()) - memory["display"] <= 768


def test_every_service_is_confined() -> None:
    """Those of the profiles too: read-only, without capabilities and privileges, published on loopback only."""
    base, override = services("docker-compose.yml"), services("docker-compose.override.yml")
    for name, service in (base | {"display": override["display"]}).items():
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"]), name
        assert service["volumes"][0] == {"type": "tmpfs", "target": "/tmp"}, name  # a swarm ignores the key tmpfs
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "privileged" not in service, name
    for name, service in override.items():
        assert "privileged" not in service, name
        assert name in (*base, "display") or service["extends"]["file"] == "docker-compose.yml"
        assert all("127.0.0.1" in port for port in service.get("ports", [])), name
