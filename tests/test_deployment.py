"""The IoT Edge deployment: how `make deployment` expands the templates, and how it reads .env.

tests/golden has the expected manifests. tests/ecosystem/test_iotedgedev.py compares with iotedgedev. They are valid under the
published schema azure-iot-edge-deployment-2.0. Check that again when they change.
"""

import importlib
import io
import json
import os
import re
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

from bridge.policy import Policy
from bridge.results import Kind
from bridge.sinks.edgehub.twin import read_policy
from bus import Line
from counter.settings import Settings as CounterSettings
from runtime.errors import InvalidSetting
from runtime.settings import environment_variables, load
from scripts.deployment import assignments
from tests.support.broker import ROOT
from tests.support.wait import limit

GOLDEN = {path.name: json.loads(path.read_text()) for path in sorted((ROOT / "tests" / "golden").glob("deployment*.json"))}
LINES = '[{"name": "it\\u0027s #1 door", "from": [0.1, 0.5], "to": [0.9, 0.5]}]'
"""In JSON, \\u0027 is the single quote that would end the value in .env."""
LOGIN = {"CONTAINER_REGISTRY_SERVER": "Shop.example:5000", "CONTAINER_REGISTRY_USERNAME": "shop"}
LOGIN |= {"CONTAINER_REGISTRY_PASSWORD": "secret"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the deployment's inputs and no .env."""
    for path in (*ROOT.glob("deployment*.template.json"), ROOT / ".env.template", *ROOT.glob("*/module.json")):
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(path, target)
    return tmp_path


def expand(folder: Path, *platforms: str, **environment: str) -> tuple[int, str, str]:
    """Runs the script in `folder` with this environment only. Returns exit code, output and errors."""
    command = [sys.executable, str(ROOT / "scripts" / "deployment.py"), *platforms]
    environment = {"PATH": os.environ["PATH"], **environment}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=limit(60), check=False)
    return done.returncode, done.stdout, done.stderr


def modules_of(manifest: dict[str, Any]) -> dict[str, Any]:
    """Returns the modules of a deployment or a layer, without those of the IoT Edge runtime."""
    if "modulesContent" in manifest:
        return dict(manifest["modulesContent"]["$edgeAgent"]["properties.desired"]["modules"])
    layer = manifest["content"]["modulesContent"]["$edgeAgent"]
    return {name.removeprefix("properties.desired.modules."): module for name, module in layer.items()}


def variables(module: dict[str, Any]) -> dict[str, str]:
    return {name: entry["value"] for name, entry in module.get("env", {}).items()}


def test_manifests_equal_the_golden_files(project: Path) -> None:
    """The manifest for amd64 has no display."""
    code, output, errors = expand(project, **LOGIN)
    assert (code, errors) == (0, "")
    assert "config/deployment.amd64.json (without display)" in output.splitlines()
    written = {path.name: json.loads(path.read_text()) for path in (project / "config").iterdir()}
    assert len(written) == 6
    assert {name: written[name] for name in GOLDEN} == GOLDEN
    with_display = {name for name in written if "display" in modules_of(written[name])}
    assert with_display == {"deployment.arm32v7.json", "deployment.arm64v8.json"}


@pytest.mark.parametrize("name", GOLDEN)
def test_modules_accept_their_settings(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each variable is a setting of the module and has a valid value. The bridge's desired properties are valid too."""
    for module, content in modules_of(GOLDEN[name]).items():
        if module == "mosquitto":
            assert set(variables(content)) == {"CAMERAS"}
            continue
        kind = importlib.import_module(f"{module}.settings").Settings
        assert set(variables(content)) <= {name for one in environment_variables(kind).values() for name in one.names}, module
        with monkeypatch.context() as patch:
            for variable, value in variables(content).items():
                (tmp_path / variable).write_text("a password\n")
                patch.setenv(variable, str(tmp_path / variable) if value.startswith("/secrets/") else value)
            patch.setenv("IOTEDGE_MODULEID", module)
            assert load(kind).name == module
    bridge = GOLDEN[name].get("content", GOLDEN[name])["modulesContent"]["bridge"]
    desired = bridge.get("properties.desired") or {key.removeprefix("properties.desired."): bridge[key] for key in bridge}
    assert desired
    assert read_policy(desired, Policy())[1] == {}


def test_the_outputs_of_the_bridge_have_routes() -> None:
    """Every kind of result has a route. Visits, crossings, alerts and summaries come first, and are kept for the longest time."""
    routes = next(iter(GOLDEN.values()))["modulesContent"]["$edgeHub"]["properties.desired"]["routes"]
    source = "FROM /messages/modules/bridge/outputs/{} INTO $upstream"
    assert sorted(one["route"] for one in routes.values()) == sorted(source.format(kind.output) for kind in Kind)
    order = ["visits", "crossings", "alerts", "summary", "changes", "predictions"]
    assert sorted(routes, key=lambda name: int(routes[name]["priority"])) == order
    assert sorted(routes, key=lambda name: -int(routes[name]["timeToLiveSecs"])) == order


def test_the_layer_of_a_site_keeps_other_options() -> None:
    """A layer replaces whole modules, so it must repeat all options that do not depend on the site."""
    base, layer = (modules_of(json.loads((ROOT / f"deployment{one}.template.json").read_text())) for one in ("", ".site"))
    for name in base.keys() & layer.keys():
        both = layer[name], base[name]
        assert set(variables(both[0])) == set(variables(both[1]))
        for module in both:
            module["env"] = {}
            for of_the_site in ("Devices", "GroupAdd", "PortBindings"):
                module["settings"]["createOptions"]["HostConfig"].pop(of_the_site, None)
        assert both[0] == both[1]


@pytest.mark.parametrize("name", ["capture", "classifier", "counter", "bridge", "dashboard", "display", "mosquitto"])
def test_module_json_names_the_dockerfile_and_its_target(name: str) -> None:
    """module.json has the format of iotedgedev. The display is built for devices only."""
    description = json.loads((ROOT / name / "module.json").read_text())
    image = description["image"]
    assert (description["$schema-version"], image["contextPath"]) == ("0.0.1", "../")
    assert f'\nversion = "{image["tag"]["version"]}"\n' in (ROOT / "pyproject.toml").read_text()
    assert image["repository"] == f"$CONTAINER_REGISTRY_SERVER/footfall-{name}"
    file = "./Dockerfile" if name == "mosquitto" else "../Dockerfile"
    platforms = {"amd64", "arm64v8", "arm32v7"} - ({"amd64"} if name == "display" else set())
    assert image["tag"]["platforms"] == dict.fromkeys(platforms, file)
    assert (ROOT / name / file).exists()
    assert image["buildOptions"][:1] == ([] if name == "mosquitto" else [f"--target={name}"])


def test_templates_have_no_secrets_and_env_template_lists_each_variable() -> None:
    texts = [path.read_text() for path in (*ROOT.glob("deployment*.template.json"), *ROOT.glob("*/module.json"))]
    for name, value in re.findall(r'"(\w*(?:password|secret|token|key)\w*)": (.*)', "\n".join(texts), re.IGNORECASE):
        allowed = r'"/secrets/[\w/-]+"' if name.endswith("_FILE") else r'^"\$CONTAINER_REGISTRY_PASSWORD"'
        assert re.search(allowed, value), name
    values = dotenv_values(ROOT / ".env.template")
    assert {name for name, value in values.items() if not value} == set(LOGIN)
    assert {name for text in texts for name in re.findall(r"\$([A-Z][A-Z0-9_]*)", text)} == set(values)
    assert {"/config/", ".env"} <= set((ROOT / ".gitignore").read_text().split())


def test_the_environment_overrides_env_and_that_the_defaults(project: Path) -> None:
    """Only the owner can read the manifest, which has the registry's password. LINES=24 is the height of a terminal."""
    (project / ".env").write_text(
        "# a comment\nCONTAINER_REGISTRY_SERVER=one.example\nexport CONTAINER_REGISTRY_USERNAME = shop  # who\n"
        "CONTAINER_REGISTRY_PASSWORD='p\"w#\\ $HOME'\nCAMERA=back\nFORWARD=all\nTZ=\n"
        f"LINES='{LINES}'\n"
    )
    assert expand(project, "arm32v7", CAMERA="yard", SENSE_HAT_LEDS="/dev/null", LINES="24")[::2] == (0, "")
    path = project / "config" / "deployment.arm32v7.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    manifest = json.loads(path.read_text())
    desired = manifest["modulesContent"]["$edgeAgent"]["properties.desired"]
    login = {"address": "one.example", "username": "shop", "password": 'p"w#\\ $HOME'}
    assert desired["runtime"]["settings"]["registryCredentials"]["footfall"] == login
    modules = modules_of(manifest)
    assert variables(modules["capture"])["CAMERA"] == variables(modules["mosquitto"])["CAMERAS"] == "yard"
    assert variables(modules["counter"])["TZ"] == "Etc/UTC"
    assert variables(modules["counter"])["LINES"] == LINES
    assert load(CounterSettings, lines=LINES).lines == (Line("it's #1 door", (0.1, 0.5), (0.9, 0.5)),)
    assert '"PathOnHost":"/dev/null"' in modules["display"]["settings"]["createOptions"]
    assert manifest["modulesContent"]["bridge"]["properties.desired"] == {"forward": "all"}


TOO_LONG = {"settings": {"image": "x", "createOptions": {"Labels": "hunter" * 700}}}


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        (".env", "CONTAINER_REGISTRY_SERVER=\n", "not set: CONTAINER_REGISTRY_SERVER; in .env"),
        (".env", "CAMERA=door\nhunter2\n", ".env, line 2: NAME=value is needed"),
        (".env", "PASSWORD='hunter2\n", ".env, line 1: NAME=value is needed"),
        ("deployment.template.json", "{", "deployment.template.json: Expecting"),
        ("deployment.template.json", json.dumps(TOO_LONG), "createOptions of x: 4213 characters, 4096 are allowed"),
    ],
)
def test_an_invalid_file_ends_the_script_with_one_line(project: Path, file: str, text: str, message: str) -> None:
    """The line names the place without quoting it, because it may be a secret. The exit code is 2, and no file is written."""
    (project / file).write_text(text)
    code, output, errors = expand(project, **(LOGIN | {"CONTAINER_REGISTRY_SERVER": "" if "REGISTRY" in text else "x"}))
    assert (code, output, errors.count("\n")) == (2, "", 1)
    assert errors.startswith(f"deployment: {message}")
    assert "hunter" not in errors
    assert not (project / "config").exists()


INVALID_VALUES = {
    "CAMERA": "door,Back",
    "FRAME_RATE": "abc",
    "ROTATE": "45",
    "THRESHOLD": "7",
    "KEEP_DAYS": "0",
    "LINES": "door",
    "ZONES": "5",
    "OCCUPANCY_RESET": "25:00",
    "OPENING_HOURS": "daily",
    "ALERTS": "5",
    "SHOW": "both",
    "FORWARD": "some",
}


@pytest.mark.parametrize("name", INVALID_VALUES)
def test_an_invalid_value_of_a_setting_is_refused(project: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error has the module's words. Without it, the module would end repeatedly on every device."""
    value = INVALID_VALUES[name]
    modules = {"capture": ("CAMERA", "FRAME_RATE", "ROTATE"), "bridge": ("FORWARD",), "display": ("SHOW",)}
    module = next((one for one, names in modules.items() if name in names), "counter")
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSetting) as refused:
        load(importlib.import_module(f"{module}.settings").Settings)
    problem = str(refused.value).partition(": ")[2]
    assert expand(project, **LOGIN, **{name: value}) == (2, "", f"deployment: {name}={value}: {problem}\n")


PLAIN = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="'\"\\`"), max_size=20)
FORMS = st.sampled_from(["{}", "'{}'", '"{}"', " {} # why"])


@given(st.lists(st.tuples(st.from_regex(r"[A-Z][A-Z0-9_]{0,9}", fullmatch=True), PLAIN, FORMS), max_size=5))
@example([("A", "#", "{}"), ("B", "#", " {} # why"), ("C", "", " {} # why"), ("D", "a#b", "{}")])
def test_env_is_read_as_python_dotenv_reads_it(lines: list[tuple[str, str, str]]) -> None:
    """iotedgedev reads the same file with python-dotenv."""
    text = "\n".join(f"{name}={form.format(value)}" for name, value, form in lines)
    assert assignments(text, "here") == dotenv_values(stream=io.StringIO(text), interpolate=False)
