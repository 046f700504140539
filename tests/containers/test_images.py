"""Checks of the Dockerfile and the Compose files that need no engine: versions, memory, confinement."""

import json
import re
from typing import Any

import pytest
import yaml

from scripts.dependencies import pins
from tests.support.broker import ROOT

DEBIAN = {"av": "av", "msgpack": "msgpack", "numpy": "(opencv|numpy)", "opencv-python-headless": "opencv", "pillow": "pil"}
"""Packages without wheels for 32-bit ARM on PyPI, and the Debian packages that replace them."""


def stages() -> dict[str, str]:
    """Returns the instructions of each stage of the Dockerfile, including those of its base stages."""
    texts: dict[str, str] = {}
    for text in re.split(r"^(?=FROM )", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)[1:]:
        base, name = re.findall(r"^FROM (\S+) AS (\S+)$", text, re.MULTILINE)[0]
        texts[name] = texts.get(base, "") + text
    return texts


def services(*names: str) -> dict[str, dict[str, Any]]:
    """Returns the services of Compose files. A later file overrides an earlier one."""
    return {key: one for name in names for key, one in yaml.safe_load((ROOT / name).read_text())["services"].items()}


@pytest.mark.parametrize("module", ["bus", "capture", "classifier", "display", "counter", "bridge", "dashboard"])
def test_images_have_the_tested_versions(module: str) -> None:
    """Images pin the tested versions. Packages that PyPI lacks for 32-bit ARM come from Debian there."""
    wanted = pins(ROOT / module / "requirements.txt")
    assert wanted.items() <= pins(ROOT / "constraints.txt").items()
    left_out = re.search(r"\^\(([^)]*)\)==", (ROOT / "scripts" / "packages.sh").read_text())
    assert left_out is not None
    assert set(left_out[1].split("|")) == set(DEBIAN)
    for name in set(DEBIAN) & set(wanted):
        assert re.search(f"python3-{DEBIAN[name]}", stages()["python" if module == "bus" else module]), name


def test_compose_and_iot_edge_allow_the_same_memory() -> None:
    """Compose and IoT Edge set the same limits: three quarters of the 1 GB of a Raspberry Pi 3 in total."""
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
    """All services, including those of profiles, are read-only, without capabilities, and published on loopback only."""
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
