"""What `make deployment` runs: where values come from, and what is said when something is wrong."""

import io
import json
import re
import stat
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.settings import Settings as Bridge
from bus import InvalidSetting
from bus.settings import BusSettings
from capture.settings import Settings as Capture
from display.settings import Settings as Display
from runtime.settings import load
from tests.support import deployment
from tests.support.deployment import PLACE, agent, contents, copy_of_project, environment


def test_it_says_what_is_missing(tmp_path: Path) -> None:
    """In one line, with exit code 2, and writes nothing."""
    done = deployment.run(copy_of_project(tmp_path), CONTAINER_REGISTRY_USERNAME="shop", CONTAINER_REGISTRY_SERVER="")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "CONTAINER_REGISTRY_PASSWORD, CONTAINER_REGISTRY_SERVER;" in done.stderr
    assert not (tmp_path / "config").exists()


def test_env_and_environment(tmp_path: Path) -> None:
    """The environment goes before .env, which goes before the defaults; a password is told to nobody but the file's owner."""
    folder = copy_of_project(tmp_path)
    (folder / ".env").write_text(
        "# a comment\nCONTAINER_REGISTRY_SERVER=one.example\nexport CONTAINER_REGISTRY_USERNAME = shop  # who\n"
        "CONTAINER_REGISTRY_PASSWORD='p\"w#\\ $HOME'\nCAMERA=back\nFORWARD=all\nTZ=\n"
    )
    done = deployment.run(folder, "amd64", CAMERA="yard")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["config/deployment.amd64.json", "config/deployment.site.amd64.json"]
    path = folder / "config" / "deployment.amd64.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    manifest = json.loads(path.read_text())
    login = agent(manifest)["runtime"]["settings"]["registryCredentials"]["footfall"]
    assert login == {"address": "one.example", "username": "shop", "password": 'p"w#\\ $HOME'}
    modules = agent(manifest)["modules"]
    assert environment(modules["capture"])["CAMERA"] == environment(modules["mosquitto"])["CAMERAS"] == "yard"
    assert environment(modules["bridge"])["TZ"] == "Etc/UTC"
    assert contents(manifest)["bridge"]["properties.desired"] == {"forward": "all"}


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        (".env", "CAMERA=door\nhunter2\n", ".env, line 2: NAME=value is needed"),
        (".env", "PASSWORD='hunter2\n", ".env, line 1: NAME=value is needed"),
        ("deployment.template.json", "{", "deployment.template.json: Expecting"),
        ("deployment.template.json", "[]", "deployment.template.json: a JSON object is needed"),
        ("capture/module.json", '{"image": {"tag": {}}}', "capture/module.json: image has no 'version'"),
        (
            "capture/module.json",
            '{"image": {"repository": "x", "tag": {"version": "1", "platforms": {"amd64": ""}}}}',
            "capture/module.json: no platform arm32v7; there are amd64",
        ),
        (
            "deployment.template.json",
            json.dumps({"settings": {"image": "x", "createOptions": {"Labels": "hunter" * 700}}}),
            "createOptions of x: 4213 characters, 4096 are allowed",
        ),
    ],
)
def test_it_says_what_is_wrong(tmp_path: Path, file: str, text: str, said: str) -> None:
    """In one line that names the place, with exit code 2, and without the line, which may be a secret."""
    folder = copy_of_project(tmp_path)
    (folder / file).write_text(text)
    done = deployment.run(folder, **PLACE)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith(f"deployment: {said}")
    assert "hunter" not in done.stderr
    assert not (folder / "config").exists()


PLAIN = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="'\"\\`"), max_size=20)
FORMS = st.sampled_from(["{}", "'{}'", '"{}"', " {} # why", "'{}'# why"])
LINES = st.tuples(
    st.from_regex(r"[A-Z][A-Z0-9_]{0,9}", fullmatch=True), PLAIN, st.sampled_from(["{}", "'{}'", '"{}"', " {} # why"])
)


@given(st.lists(LINES, max_size=5))
@example([("A", "#", "{}"), ("B", "#", " {} # why"), ("C", "", " {} # why"), ("D", "a#b", "{}")])
def test_env_is_read_as_others_read_it(lines: list[tuple[str, str, str]]) -> None:
    """As python-dotenv does, with which iotedgedev reads the same file."""
    text = "\n".join(f"{name}={form.format(value)}" for name, value, form in lines)
    assert deployment.script().assignments(text, "here") == dotenv_values(stream=io.StringIO(text), interpolate=False)


@given(st.text())
def test_any_text_is_env_or_not(text: str) -> None:
    """No text makes the reader of .env fail in another way than by naming the line."""
    script = deployment.script()
    try:
        values = script.assignments(text, "here")
    except script.Problem as problem:
        assert re.fullmatch(r"here, line \d+: NAME=value is needed", str(problem))
    else:
        assert all(name in text and value in text for name, value in values.items())


@pytest.mark.parametrize(
    ("name", "value", "module"),
    [
        ("CAMERA", "door,Back", Capture),
        ("FRAME_RATE", "abc", Capture),
        ("ROTATE", "45", Capture),
        ("MATRIX", "terminal", Display),
        ("THRESHOLD", "7", Bridge),
        ("KEEP_DAYS", "0", Bridge),
        ("FORWARD", "some", Bridge),
    ],
)
def test_a_value_that_no_module_takes_is_said(
    tmp_path: Path, name: str, value: str, module: type[BusSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the devices have it, where each would end its module by it again and again; in the module's words."""
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSetting) as refused:
        load(module)
    words = str(refused.value).partition(": ")[2]
    done = deployment.run(deployment.copy_of_project(tmp_path), **deployment.PLACE, **{name: value})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"deployment: {name}={value}: {words}\n"
    assert not (tmp_path / "config").exists()
