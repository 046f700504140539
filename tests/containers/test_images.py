"""Dockerfiles and Compose files, without an engine: what they pin, share and allow."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.broker import ROOT

USERS = {"capture": 10001, "classifier": 10002, "display": 10003, "counter": 10004, "bridge": 10005, "dashboard": 10006}
"""The owners of the volumes: a changed number takes a volume away from its module."""
DEBIAN = {
    "msgpack": "python3-msgpack",
    "numpy": "python3-(opencv|numpy)",
    "opencv-python-headless": "python3-opencv",
    "pillow": "python3-pil",
}
"""Packages without wheels for 32-bit ARM on PyPI, and Debian's packages that replace them."""


def stages() -> dict[str, str]:
    """The instructions of each stage of the Dockerfile with those it is built from."""
    texts: dict[str, str] = {}
    for text in re.split(r"^(?=FROM )", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)[1:]:
        base, name = re.findall(r"^FROM (\S+) AS (\S+)$", text, re.MULTILINE)[0]
        texts[name] = texts.get(base, "") + text
    return texts


def pins(path: Path) -> dict[str, str]:
    """Versions by package, for Python 3.11 on Linux."""
    found = {}
    for line in path.read_text().splitlines():
        requirement, _, marker = line.partition(";")
        other = re.search(r"python_full_version (>= '3\.12|< '3\.11)|sys_platform (== 'win32|!= 'linux)", marker)
        if "==" in requirement and not line.startswith("#") and not other:
            name, _, version = requirement.strip().partition("==")
            found[name] = version
    return found


def compose(name: str) -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load((ROOT / name).read_text())["services"]
    return services


@pytest.mark.parametrize("module", USERS)
def test_a_target_runs_its_module_as_its_own_user(module: str) -> None:
    """Without a shell between, so that signals reach it; with a health check and OCI labels."""
    text = stages()[module]
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE) == [f"{USERS[module]}:{USERS[module]}"]
    assert f"{module}:{USERS[module]}" in text
    assert f"{module}:{USERS[module]}" in (ROOT / "mosquitto" / "Dockerfile").read_text(), "the owner of its password"
    assert re.findall(r"^ENTRYPOINT (.*)$", text, re.MULTILINE) == [json.dumps(["python3", "-m", module])]
    assert text.count("HEALTHCHECK") == 1
    assert set(re.findall(r"org\.opencontainers\.image\.(\w+)=", text)) == {"title", "description", "licenses", "version"}


@pytest.mark.parametrize("module", ["bus", *USERS])
def test_packages_have_the_versions_that_are_tested(module: str) -> None:
    """And what PyPI lacks on 32-bit ARM is Debian's there."""
    tested = pins(ROOT / "constraints.txt")
    wanted = pins(ROOT / module / "requirements.txt")
    assert wanted.items() <= tested.items()
    left_out = re.search(r"\^\(([^)]*)\)==", (ROOT / "scripts" / "packages.sh").read_text())
    assert left_out is not None
    assert set(left_out[1].split("|")) == set(DEBIAN)
    for name in set(DEBIAN) & set(wanted):
        assert re.search(DEBIAN[name], stages()["python" if module == "bus" else module]), name


def test_compose_and_iot_edge_allow_the_same_memory() -> None:
    """Three quarters of the gigabyte of a Raspberry Pi 3; the system and IoT Edge have the rest."""
    template = json.loads((ROOT / "deployment.template.json").read_text())
    modules = template["modulesContent"]["$edgeAgent"]["properties.desired"]["modules"]
    services = compose("docker-compose.override.yml") | compose("docker-compose.yml")
    limits = {name: one["deploy"]["resources"]["limits"]["memory"] for name, one in services.items() if "deploy" in one}
    memory = {name: int(limit.removesuffix("M")) for name, limit in limits.items()}
    for name, module in modules.items():
        assert module["settings"]["createOptions"]["HostConfig"]["Memory"] == memory[name] << 20, name
    assert sum(memory[name] for name in modules) <= 768
    assert sum(memory.values()) - memory["display"] <= 768


def test_every_service_is_confined() -> None:
    """Those of the profiles too: read-only, without capabilities and privileges, published on loopback only."""
    services, override = compose("docker-compose.yml"), compose("docker-compose.override.yml")
    assert (
        "privileged"
        not in ((ROOT / "docker-compose.yml").read_text() + (ROOT / "docker-compose.override.yml").read_text()).lower()
    )
    for name, service in (services | {"display": override["display"]}).items():
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"]), name
        assert service["volumes"][0] == {"type": "tmpfs", "target": "/tmp"}, name  # a swarm ignores the key tmpfs
        assert service["security_opt"] == ["no-new-privileges:true"], name
    for name, service in override.items():
        assert name in (*services, "display") or service["extends"]["file"] == "docker-compose.yml"
        assert all("127.0.0.1" in port for port in service.get("ports", [])), name
