"""The images' and Compose's files, without an engine: what they share, pin and allow."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.broker import ROOT

MODULES = ("capture", "classifier", "display", "bridge")
ALL = (*MODULES, "mosquitto")
MARK = "# ---\n"
DEBIAN = {"msgpack", "numpy", "opencv-python-headless", "pillow"}
"""Of the packages that a device needs, those of which PyPI has no wheels for 32-bit ARM, and Debian 12 has its own."""


def dockerfile(module: str) -> str:
    """Its text without the first line, which says whose it is."""
    return (ROOT / module / "Dockerfile").read_text().partition("\n")[2]


def pins(path: Path) -> dict[str, str]:
    """Versions by package; of those for several Pythons, the one for 3.11 on Linux."""
    lines = [line for line in path.read_text().splitlines() if "==" in line and not line.startswith("#")]
    found = {}
    for line in lines:
        requirement, _, marker = line.partition(";")
        if not marker or not re.search(r"python_full_version (>= '3\.12|< '3\.11)|sys_platform (== 'win32|!= 'linux)", marker):
            name, _, version = requirement.strip().partition("==")
            found[name] = version
    return found


def compose(name: str) -> dict[str, Any]:
    """The services of a Compose file."""
    services: dict[str, Any] = yaml.safe_load((ROOT / name).read_text())["services"]
    return services


def test_the_modules_images_share_their_layers() -> None:
    """Up to the mark the four files are the same, to the letter; capture's and classifier's up to OpenCV."""
    heads = {dockerfile(module).partition(MARK)[0] for module in MODULES}
    assert len(heads) == 1
    assert "HEALTHCHECK" in heads.pop()
    seeing = {dockerfile(module).partition("\nFROM seeing")[0].partition("\nFROM packages AS own")[0] for module in MODULES[:2]}
    assert len(seeing) == 1


@pytest.mark.parametrize("module", ALL)
def test_each_is_a_user_of_its_own_and_its_own_first_process(module: str) -> None:
    """Not root; signals reach the module without a shell between; and progress is looked at."""
    text = dockerfile(module)
    user = re.findall(r"^USER (\d+):(\d+)$", text, re.MULTILINE)[-1]
    assert user[0] == user[1] != "0"
    others = [re.findall(r"^USER (\d+):", dockerfile(other), re.MULTILINE)[-1] for other in ALL if other != module]
    assert user[0] not in others
    entry = json.loads(re.findall(r"^ENTRYPOINT (.*)$", text, re.MULTILINE)[-1])
    assert entry == (["/opt/footfall/start.sh"] if module == "mosquitto" else ["python3", "-m", module])
    assert text.count("HEALTHCHECK") == 1


@pytest.mark.parametrize("module", ["bus", *MODULES])
def test_packages_are_pinned_as_everywhere_else(module: str) -> None:
    """What an image installs is of the versions that the tests run with (`make lock` writes both)."""
    everywhere = pins(ROOT / "constraints.txt")
    for name, version in pins(ROOT / module / "requirements.txt").items():
        assert everywhere[name] == version, name


def test_what_pypi_lacks_on_32_bit_arm_comes_from_debian() -> None:
    """The packages that the script leaves out there are the ones that the Dockerfiles install by apt-get."""
    left_out = re.search(r"\^\(([^)]*)\)==", (ROOT / "scripts" / "packages.sh").read_text())
    assert left_out is not None
    assert set(left_out[1].split("|")) == DEBIAN
    packages = {"msgpack": "python3-msgpack", "opencv-python-headless": "python3-opencv", "pillow": "python3-pil"}
    for module in MODULES:
        text = dockerfile(module)
        wanted = DEBIAN & set(pins(ROOT / module / "requirements.txt"))
        for name in wanted - {"numpy"}:
            assert packages[name] in text, f"{module}: {name}"
        assert "numpy" not in wanted or re.search("python3-(opencv|numpy)", text)


def test_compose_and_iot_edge_allow_the_same_memory() -> None:
    """A module has as much on a laptop as on a device."""
    template = json.loads((ROOT / "deployment.template.json").read_text())
    modules = template["modulesContent"]["$edgeAgent"]["properties.desired"]["modules"]
    for name in ALL:
        limit = compose("docker-compose.yml")[name]["deploy"]["resources"]["limits"]["memory"]
        assert modules[name]["settings"]["createOptions"]["HostConfig"]["Memory"] == int(limit.removesuffix("M")) << 20, name


def test_everything_in_compose_is_confined() -> None:
    """Every service, those of the profiles too, is read-only, without capabilities and privileges, and bound to loopback."""
    text = "".join((ROOT / name).read_text() for name in ("docker-compose.yml", "docker-compose.override.yml"))
    assert "privileged" not in text.lower()
    for service in compose("docker-compose.yml").values():
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
        assert service["volumes"][0] == {"type": "tmpfs", "target": "/tmp"}  # in a swarm, the key tmpfs counts for nothing
        assert service["security_opt"] == ["no-new-privileges:true"]
    for name, service in compose("docker-compose.override.yml").items():
        assert name in compose("docker-compose.yml") or service["extends"]["file"] == "docker-compose.yml"
        for port in service.get("ports", []):
            assert "127.0.0.1" in port, port
