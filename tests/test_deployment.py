"""The IoT Edge deployment: what `make deployment` makes of the templates, and how it reads .env.

tests/golden has the manifests. They equal what iotedgedev 3.3.9 expands (for amd64 without the display), and are valid by the
published schema azure-iot-edge-deployment-2.0; check both again when they change.
"""

import importlib
import io
import json
import os
import re
import runpy
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values
from hypothesis import example, given
from hypothesis import strategies as st

from runtime.errors import InvalidSetting
from runtime.settings import load, variables_of
from tests.support.broker import ROOT
from tests.support.wait import limit

GOLDEN = sorted((ROOT / "tests" / "golden").glob("deployment*.json"))
LOGIN = {
    "CONTAINER_REGISTRY_SERVER": "Shop.example:5000",
    "CONTAINER_REGISTRY_USERNAME": "shop",
    "CONTAINER_REGISTRY_PASSWORD": "secret",
}
MODULES = ("capture", "classifier", "counter", "bridge", "dashboard", "display", "mosquitto")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the deployment's inputs and no .env."""
    for path in (*ROOT.glob("deployment*.template.json"), ROOT / ".env.template", *ROOT.glob("*/module.json")):
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(path, target)
    return tmp_path


def expand(folder: Path, *platforms: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the script there with this environment only."""
    command = [sys.executable, str(ROOT / "scripts" / "deployment.py"), *platforms]
    environment = {"PATH": os.environ["PATH"], **environment}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=limit(60), check=False)


def modules_of(manifest: dict[str, Any]) -> dict[str, Any]:
    """The modules of a deployment or a layer, the runtime's apart."""
    if "modulesContent" in manifest:
        return dict(manifest["modulesContent"]["$edgeAgent"]["properties.desired"]["modules"])
    layer = manifest["content"]["modulesContent"]["$edgeAgent"]
    return {name.removeprefix("properties.desired.modules."): module for name, module in layer.items()}


def variables(module: dict[str, Any]) -> dict[str, str]:
    return {name: entry["value"] for name, entry in module.get("env", {}).items()}


def test_manifests_equal_the_golden_ones(project: Path) -> None:
    """On amd64 there is no display."""
    done = expand(project, **LOGIN)
    assert (done.returncode, done.stderr) == (0, "")
    assert "config/deployment.amd64.json (without display)" in done.stdout.splitlines()
    made = {path.name: json.loads(path.read_text()) for path in (project / "config").iterdir()}
    assert len(made) == 6
    for path in GOLDEN:
        assert made[path.name] == json.loads(path.read_text()), path.name
    assert [name for name, one in made.items() if "display" in modules_of(one)] == [
        name for name in made if name in ("deployment.arm32v7.json", "deployment.arm64v8.json")
    ]


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_modules_accept_their_settings(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each variable is one that the module knows, with a valid value."""
    for name, module in modules_of(json.loads(path.read_text())).items():
        if name == "mosquitto":
            assert set(variables(module)) == {"CAMERAS"}
            continue
        kind = importlib.import_module(f"{name}.settings").Settings
        known = {variable for setting in variables_of(kind).values() for variable in setting.names}
        assert set(variables(module)) <= known, name
        with monkeypatch.context() as patch:
            for variable, value in variables(module).items():
                (tmp_path / variable).write_text("a password\n")
                patch.setenv(variable, str(tmp_path / variable) if value.startswith("/secrets/") else value)
            patch.setenv("IOTEDGE_MODULEID", name)
            assert load(kind).name == name


def test_the_bridges_outputs_have_routes_and_its_twin_is_valid() -> None:
    """Visits and summaries go first and are kept longest; no result of the bridge is without a route."""
    results = importlib.import_module("bridge.results")
    manifest = json.loads(GOLDEN[0].read_text())["modulesContent"]
    routes = manifest["$edgeHub"]["properties.desired"]["routes"]
    source = "FROM /messages/modules/bridge/outputs/{} INTO $upstream"
    assert sorted(one["route"] for one in routes.values()) == sorted(source.format(kind.output) for kind in results.Kind)
    order = ["visits", "summary", "changes", "predictions"]
    assert sorted(routes, key=lambda name: int(routes[name]["priority"])) == order
    assert sorted(routes, key=lambda name: -int(routes[name]["timeToLiveSecs"])) == order
    read_policy = importlib.import_module("bridge.sinks.edgehub.twin").read_policy
    default = importlib.import_module("bridge.policy").Policy()
    layer = json.loads((ROOT / "tests/golden/deployment.site.amd64.json").read_text())["content"]["modulesContent"]["bridge"]
    desired = {name.removeprefix("properties.desired."): value for name, value in layer.items()}
    for properties in (manifest["bridge"]["properties.desired"], desired):
        assert read_policy(properties, default)[1] == {}


def test_the_layer_of_a_site_keeps_the_rest_of_each_module() -> None:
    """A layer replaces whole modules: what is not about the site must be the base's."""
    base = modules_of(json.loads((ROOT / "deployment.template.json").read_text()))
    about_the_site = {"Devices", "GroupAdd", "PortBindings"}
    for name, layer in modules_of(json.loads((ROOT / "deployment.site.template.json").read_text())).items():
        if name in base:
            assert set(variables(layer)) == set(variables(base[name]))
            hosts = [one["settings"].pop("createOptions")["HostConfig"] for one in (layer, base[name])]
            mine, its = ({key: value for key, value in host.items() if key not in about_the_site} for host in hosts)
            assert mine == its
            assert layer | {"env": {}} == base[name] | {"env": {}}


@pytest.mark.parametrize("name", MODULES)
def test_module_json_names_the_dockerfile_and_its_target(name: str) -> None:
    """In the form that iotedgedev reads; the display is built for devices only."""
    description = json.loads((ROOT / name / "module.json").read_text())
    image = description["image"]
    version = re.search(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert (description["$schema-version"], image["contextPath"]) == ("0.0.1", "../")
    assert version is not None
    assert image["tag"]["version"] == version[1]
    assert image["repository"] == f"$CONTAINER_REGISTRY_SERVER/footfall-{name}"
    platforms = ["arm64v8", "arm32v7"] if name == "display" else ["amd64", "arm64v8", "arm32v7"]
    file = "./Dockerfile" if name == "mosquitto" else "../Dockerfile"
    assert image["tag"]["platforms"] == dict.fromkeys(platforms, file)
    assert (ROOT / name / file).exists()
    assert image["buildOptions"][:1] == ([] if name == "mosquitto" else [f"--target={name}"])


def test_templates_hold_no_secret_and_env_template_explains_each_variable() -> None:
    texts = [path.read_text() for path in (*ROOT.glob("deployment*.template.json"), *ROOT.glob("*/module.json"))]
    for text in texts:
        for name, value in re.findall(r'"(\w*(?:password|secret|token|key)\w*)": (.*)', text, re.IGNORECASE):
            allowed = r'"/secrets/[\w/-]+"' if name.endswith("_FILE") else r'^"\$CONTAINER_REGISTRY_PASSWORD"'
            assert re.search(allowed, value), name
    values = dotenv_values(ROOT / ".env.template")
    assert {name for name, value in values.items() if not value} == set(LOGIN)
    assert {name for text in texts for name in re.findall(r"\$([A-Z][A-Z0-9_]*)", text)} == set(values)
    assert {"/config/", ".env"} <= set((ROOT / ".gitignore").read_text().split())


def test_the_environment_goes_before_env_and_that_before_the_defaults(project: Path) -> None:
    """Only the owner can read the manifest, which has the registry's password."""
    (project / ".env").write_text(
        "# a comment\nCONTAINER_REGISTRY_SERVER=one.example\nexport CONTAINER_REGISTRY_USERNAME = shop  # who\n"
        "CONTAINER_REGISTRY_PASSWORD='p\"w#\\ $HOME'\nCAMERA=back\nFORWARD=all\nTZ=\n"
    )
    done = expand(project, "arm32v7", CAMERA="yard", SENSE_HAT_LEDS="/dev/null")
    assert (done.returncode, done.stderr) == (0, "")
    path = project / "config" / "deployment.arm32v7.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    manifest = json.loads(path.read_text())
    desired = manifest["modulesContent"]["$edgeAgent"]["properties.desired"]
    login = {"address": "one.example", "username": "shop", "password": 'p"w#\\ $HOME'}
    assert desired["runtime"]["settings"]["registryCredentials"]["footfall"] == login
    modules = modules_of(manifest)
    assert variables(modules["capture"])["CAMERA"] == variables(modules["mosquitto"])["CAMERAS"] == "yard"
    assert variables(modules["counter"])["TZ"] == "Etc/UTC"
    assert '"PathOnHost":"/dev/null"' in modules["display"]["settings"]["createOptions"]
    assert manifest["modulesContent"]["bridge"]["properties.desired"] == {"forward": "all"}


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        (".env", "CONTAINER_REGISTRY_SERVER=\n", "not set: CONTAINER_REGISTRY_SERVER; in .env"),
        (".env", "CAMERA=door\nhunter2\n", ".env, line 2: NAME=value is needed"),
        (".env", "PASSWORD='hunter2\n", ".env, line 1: NAME=value is needed"),
        ("deployment.template.json", "{", "deployment.template.json: Expecting"),
        (
            "deployment.template.json",
            json.dumps({"settings": {"image": "x", "createOptions": {"Labels": "hunter" * 700}}}),
            "createOptions of x: 4213 characters, 4096 are allowed",
        ),
    ],
)
def test_a_bad_file_ends_it_with_one_line(project: Path, file: str, text: str, message: str) -> None:
    """The line names the place and does not quote it, as it may be a secret; exit code 2, and nothing is written."""
    (project / file).write_text(text)
    done = expand(project, **(LOGIN if "REGISTRY" not in text else LOGIN | {"CONTAINER_REGISTRY_SERVER": ""}))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith(f"deployment: {message}")
    assert "hunter" not in done.stderr
    assert not (project / "config").exists()


@pytest.mark.parametrize(
    ("name", "value", "module"),
    [
        ("CAMERA", "door,Back", "capture"),
        ("FRAME_RATE", "abc", "capture"),
        ("ROTATE", "45", "capture"),
        ("THRESHOLD", "7", "counter"),
        ("KEEP_DAYS", "0", "counter"),
        ("FORWARD", "some", "bridge"),
    ],
)
def test_a_value_that_a_module_refuses_is_refused_here(
    project: Path, name: str, value: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the module's words, before it ends again and again on every device."""
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSetting) as refused:
        load(importlib.import_module(f"{module}.settings").Settings)
    done = expand(project, **LOGIN, **{name: value})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"deployment: {name}={value}: {str(refused.value).partition(': ')[2]}\n"


ASSIGNMENTS = runpy.run_path(str(ROOT / "scripts" / "deployment.py"))["assignments"]
PLAIN = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="'\"\\`"), max_size=20)
LINES = st.tuples(
    st.from_regex(r"[A-Z][A-Z0-9_]{0,9}", fullmatch=True), PLAIN, st.sampled_from(["{}", "'{}'", '"{}"', " {} # why"])
)


@given(st.lists(LINES, max_size=5))
@example([("A", "#", "{}"), ("B", "#", " {} # why"), ("C", "", " {} # why"), ("D", "a#b", "{}")])
def test_env_is_read_as_python_dotenv_reads_it(lines: list[tuple[str, str, str]]) -> None:
    """iotedgedev reads the same file with python-dotenv."""
    text = "\n".join(f"{name}={form.format(value)}" for name, value, form in lines)
    assert ASSIGNMENTS(text, "here") == dotenv_values(stream=io.StringIO(text), interpolate=False)
