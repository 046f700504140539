"""The IoT Edge deployment: what its templates come to, on each platform, and for one site."""

import copy
import json
import re
import sys
from pathlib import Path

import pytest
from dotenv import dotenv_values

from bridge.cloud.twin import MODEL, policy_of
from bridge.policy import Policy
from bridge.settings import Settings as Bridge
from bus.settings import BusSettings
from capture.settings import Settings as Capture
from classifier.settings import Settings as Classifier
from display.settings import Settings as Display
from runtime.settings import load, variables_of
from tests.support import deployment, routes
from tests.support.broker import ROOT
from tests.support.deployment import (
    BASE,
    MODULES,
    OUTPUTS,
    PLACE,
    SITE,
    Manifest,
    agent,
    contents,
    copy_of_project,
    edgehub,
    environment,
    layered,
    route_problems,
)

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PLATFORMS = ("arm32v7", "arm64v8", "amd64")
SETTINGS: dict[str, type[BusSettings]] = {"capture": Capture, "classifier": Classifier, "display": Display, "bridge": Bridge}
BROKER_SETTINGS = {"CAMERAS", "DISPLAYS", "CLASSIFIERS", "TLS_NAMES"}
ORDER = ["edgeHub", "mosquitto", "bridge", "classifier", "display", "capture"]


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Manifest]:
    """What `make deployment` writes, by file; `layered.<platform>` is what the device of the site gets."""
    made = deployment.expanded(tmp_path_factory.mktemp("expanded"))
    return made | {f"layered.{one}": layered(made[f"{BASE}.{one}"], made[f"{SITE}.{one}"]) for one in PLATFORMS}


@pytest.fixture(params=[f"{kind}.{platform}" for kind in (BASE, "layered") for platform in PLATFORMS])
def manifest(manifests: dict[str, Manifest], request: pytest.FixtureRequest) -> Manifest:
    """What a device gets, to be changed at will."""
    return copy.deepcopy(manifests[request.param]) | {"platform": request.param.rpartition(".")[2]}


def test_there_is_a_manifest_for_each_platform(manifests: dict[str, Manifest]) -> None:
    """Every template is expanded for all three."""
    assert {name for name in manifests if name.startswith("deployment")} == {
        f"{template}.{platform}" for template in (BASE, SITE) for platform in PLATFORMS
    }


def test_it_is_as_edgeagent_takes_it(manifest: Manifest) -> None:
    """Schema versions, the runtime's own modules, and how each module is started again, and when."""
    assert agent(manifest)["schemaVersion"] == edgehub(manifest)["schemaVersion"] == "1.1"
    assert agent(manifest)["runtime"]["type"] == "docker"
    assert set(agent(manifest)["systemModules"]) == {"edgeAgent", "edgeHub"}
    assert set(agent(manifest)["modules"]) == set(MODULES)
    assert {module["type"] for module in deployment.everyone(manifest).values()} == {"docker"}
    started = {name: module for name, module in deployment.everyone(manifest).items() if name != "edgeAgent"}
    assert {(module["status"], module["restartPolicy"]) for module in started.values()} == {("running", "always")}
    assert sorted(started, key=lambda name: int(started[name]["startupOrder"])) == ORDER
    assert len({module["startupOrder"] for module in started.values()}) == len(ORDER)


def test_images_are_those_that_are_built(manifest: Manifest) -> None:
    """Each is named after its module.json and the platform, and the registry as Docker spells it."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    for name, module in agent(manifest)["modules"].items():
        assert module["settings"]["image"] == f"shop.example:5000/footfall-{name}:{version}-{manifest['platform']}"
    for name, image in (("edgeAgent", "agent"), ("edgeHub", "hub")):
        assert agent(manifest)["systemModules"][name]["settings"]["image"] == f"mcr.microsoft.com/azureiotedge-{image}:1.6"


@pytest.mark.parametrize("module", MODULES)
def test_module_json(module: str) -> None:
    """One Dockerfile for all platforms, built from the root of the project, in the project's version."""
    told = json.loads((ROOT / module / "module.json").read_text())
    image = told["image"]
    assert (told["$schema-version"], told["language"], image["contextPath"]) == ("0.0.1", "python", "../")
    assert image["repository"] == f"$CONTAINER_REGISTRY_SERVER/footfall-{module}"
    assert image["tag"]["version"] == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert image["tag"]["platforms"] == dict.fromkeys(PLATFORMS, "./Dockerfile")
    assert image["buildOptions"] == (["--build-arg MODEL=classifier/model"] if module == "classifier" else [])


def test_edgehub_keeps_what_it_has_taken(manifest: Manifest) -> None:
    """Its storage is a folder of the host, or queued messages end with the container; and it is set up for a small device."""
    for name in ("edgeAgent", "edgeHub"):
        module = agent(manifest)["systemModules"][name]
        assert deployment.host_config(module)["Binds"] == [
            f"/var/lib/footfall/{name.lower()}:{environment(module)['storageFolder']}"
        ]
    small = {"OptimizeForPerformance": "false", "amqpSettings__enabled": "false"}
    assert small.items() <= environment(agent(manifest)["systemModules"]["edgeHub"]).items()
    keep = [route["timeToLiveSecs"] for route in edgehub(manifest)["routes"].values()]
    assert edgehub(manifest)["storeAndForwardConfiguration"]["timeToLiveSecs"] == max(keep)


def test_every_result_has_a_route(manifest: Manifest) -> None:
    """What the bridge sends arrives, whatever its policy; visits go before what can be done without, and are kept longer."""
    assert route_problems(manifest) == []
    told = edgehub(manifest)["routes"]
    assert {routes.parse(entry["route"]).output: routes.parse(entry["route"]).sink for entry in told.values()} == dict.fromkeys(
        OUTPUTS["bridge"]
    )
    order = ["visits", "summary", "changes", "predictions"]
    assert sorted(told, key=lambda name: int(told[name]["priority"])) == order
    assert sorted(told, key=lambda name: -int(told[name]["timeToLiveSecs"])) == order


def test_containers_are_confined(manifest: Manifest) -> None:
    """By what Docker is told: capabilities, root file system, memory, logs, ports, volumes; and all of it fits into a twin."""
    assert list(deployment.chunk_problems(manifest)) == []
    assert list(deployment.confinement_problems(manifest)) == []
    assert list(deployment.port_problems(manifest)) == []
    assert list(deployment.volume_problems(manifest)) == []


def test_the_broker_leaves_no_volume_behind(manifest: Manifest) -> None:
    """What its image declares a volume for is in one with a name, or in memory: each update would leave another on the disk."""
    host = deployment.host_config(deployment.everyone(manifest)["mosquitto"])
    covered = {bind.partition(":")[2] for bind in host["Binds"]} | set(host["Tmpfs"])
    assert covered >= {"/mosquitto/data", "/mosquitto/log", "/secrets"}


def test_devices(manifests: dict[str, Manifest]) -> None:
    """The camera is at hand under the name that capture opens, the Sense HAT under the names that its library finds in /sys."""
    modules = agent(manifests[f"{BASE}.arm32v7"])["modules"]
    held = {
        name: [(one["PathOnHost"], one["PathInContainer"]) for one in deployment.host_config(module).get("Devices", [])]
        for name, module in modules.items()
    }
    assert held.pop("capture") == [("/dev/video0", "/dev/video0")]
    assert held.pop("display") == [(path, path) for path in ("/dev/fb1", "/dev/i2c-1")]
    assert not any(held.values())
    assert all("44" in deployment.host_config(modules[name])["GroupAdd"] for name in ("capture", "display"))


def test_without_camera_and_sense_hat(tmp_path: Path) -> None:
    """Where there is none, /dev/null stands in, which every device has: a missing one keeps the container from starting."""
    folder = copy_of_project(tmp_path)
    none = dict.fromkeys(("CAMERA_DEVICE", "SENSE_HAT_LEDS", "SENSE_HAT_I2C"), "/dev/null")
    assert deployment.run(folder, "arm64v8", MATRIX="none", VIDEO_PATH="rtsp://camera.example/1", **PLACE, **none).returncode == 0
    modules = agent(json.loads((folder / "config" / "deployment.arm64v8.json").read_text()))["modules"]
    devices = [device for module in modules.values() for device in deployment.host_config(module).get("Devices", [])]
    assert {device["PathOnHost"] for device in devices} == {"/dev/null"}
    assert environment(modules["display"])["MATRIX"] == "none"
    assert environment(modules["capture"])["VIDEO_PATH"] == "rtsp://camera.example/1"


@pytest.mark.parametrize("name", SETTINGS)
def test_modules_take_their_settings(name: str, manifest: Manifest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each variable is one that the module knows, with a value that it takes."""
    kind = SETTINGS[name]
    known = {variable for setting in variables_of(kind).values() for variable in setting.names}
    given_here = environment(agent(manifest)["modules"][name])
    assert set(given_here) <= known
    for variable in known:
        monkeypatch.delenv(variable, raising=False)
    for variable, value in given_here.items():
        if value.startswith("/secrets/"):
            (tmp_path / variable).write_text("a password of the device's own\n")
            value = str(tmp_path / variable)  # noqa: PLW2901
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("IOTEDGE_MODULEID", name)
    settings = load(kind)
    assert settings.name == name
    assert not settings.model_fields_set - {"module_name"} - {variable.lower() for variable in given_here}


def test_modules_agree(manifest: Manifest) -> None:
    """The broker has topics for the camera that there is, and display and bridge count the same labels."""
    modules = agent(manifest)["modules"]
    broker = environment(modules["mosquitto"])
    assert set(broker) <= BROKER_SETTINGS
    assert broker["CAMERAS"].split(",") == [environment(modules["capture"])["CAMERA"]]
    for name in ("THRESHOLD", "BACKGROUND_LABELS"):
        assert environment(modules["display"])[name] == environment(modules["bridge"])[name]


def test_the_twin_is_taken(manifest: Manifest) -> None:
    """Every desired property of the bridge is one that it knows, with a value that it applies."""
    assert set(contents(manifest)) == {"$edgeAgent", "$edgeHub", "bridge"}
    desired = contents(manifest)["bridge"]["properties.desired"]
    other = Policy("none", 0.99, ("nobody at all",), 77.0)
    assert "forward" in desired
    for name, value in desired.items():
        policy, refused = policy_of({name: value}, other)
        assert not refused
        assert name in MODEL or policy != other, name


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_site_is_a_layer(manifests: dict[str, Manifest], platform: str) -> None:
    """It names properties of the base only, and its modules are the base's but for what the site is about."""
    base, site = manifests[f"{BASE}.{platform}"], contents(manifests[f"{SITE}.{platform}"])
    assert set(site) <= set(contents(base))
    paths = {(owner, path) for owner, properties in site.items() for path in properties}
    assert all(path.startswith("properties.desired.") for _, path in paths)
    layers = {path.removeprefix("properties.desired.modules."): one for path, one in site["$edgeAgent"].items()}
    assert set(layers) < set(MODULES)
    for name, layer in layers.items():
        whole = agent(base)["modules"][name]
        assert set(environment(whole)) <= set(environment(layer))
        about_the_site = {"Devices", "GroupAdd", "PortBindings"}
        mine, its = (
            {key: value for key, value in deployment.host_config(module).items() if key not in about_the_site}
            for module in (layer, whole)
        )
        assert mine == its
        assert layer["settings"]["image"] == whole["settings"]["image"]
        assert {**layer, "env": None, "settings": None} == {**whole, "env": None, "settings": None}


def test_no_secret_is_kept() -> None:
    """The registry's login is named and not given, and no module gets a password but as a file."""
    for template in ROOT.glob("deployment*.template.json"):
        for name, value in re.findall(r'"(\w*(?:password|secret|token|key)\w*)": (.*)', template.read_text(), re.IGNORECASE):
            allowed = r'"/secrets/[\w/-]+"' if name.endswith("_FILE") else r'^"\$CONTAINER_REGISTRY_PASSWORD"'
            assert re.search(allowed, value), name
    values = dotenv_values(ROOT / ".env.template")
    assert {name for name, value in values.items() if not value} == set(PLACE)
    assert not any("PASSWORD" in name and value for name, value in values.items())
    assert "/config/" in (ROOT / ".gitignore").read_text().split()
    assert ".env" in (ROOT / ".gitignore").read_text().split()


def test_variables_are_explained_and_used() -> None:
    """Every variable of the templates is in .env.template, and no other."""
    texts = [path.read_text() for path in (*ROOT.glob("deployment*.template.json"), *ROOT.glob("*/module.json"))]
    used = {name for text in texts for name in re.findall(r"\$([A-Z][A-Z0-9_]*)", text)}
    assert used == set(dotenv_values(ROOT / ".env.template"))
