"""The checks before a run starts, and its plan."""

import json
import os
import shutil
import socket
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from demo.about import CLIP, DEMOS, DETECTOR, MODEL, PEOPLE
from footfall import checks, run
from footfall.checks import check
from footfall.plan import Plan
from runtime.errors import InvalidSetting
from tests.support.broker import ROOT, free_port
from tests.support.people import People
from tests.support.videos import pictures

pytestmark = pytest.mark.system  # the model is tried in another process
PlanOf = Callable[..., Plan]


@pytest.fixture
def plan_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PlanOf:
    """Returns a function that checks settings on free ports. In them, {tmp} is a folder."""
    ports = {"MQTT_PORT": str(free_port()), "WEB_PORT": str(free_port())}
    environment = {"STATE_DIR": f"{tmp_path}/state", "XDG_CACHE_HOME": f"{tmp_path}/cache", **ports}
    monkeypatch.setattr(os, "environ", {"PATH": os.environ["PATH"]} | environment)
    pictures(tmp_path / "pictures")

    def plan_of(**settings: object) -> Plan:
        os.environ |= {name: str(value).replace("{tmp}", str(tmp_path)) for name, value in settings.items()}
        return check()

    return plan_of


EDGEHUB = {
    "EdgeHubConnectionString": "HostName=h;GatewayHostName=g;DeviceId=d;ModuleId=m;SharedAccessKey=k",
    "EdgeModuleCACertificateFile": "/edgehub.pem",
}
DEMO, NOT_FOR_PEOPLE = "The demo: drawn figures", "it knows drawn figures only"
TRUTH, SHOP_TRUTH = (
    Counter(one["label"] for one in json.loads(clip.with_suffix(".json").read_text())["visitors"]) for clip in (PEOPLE, CLIP)
)
USUAL = ("broker", "capture", "classifier", "counter", "bridge")


@pytest.mark.parametrize(
    ("settings", "about", "expected"),
    [
        (
            {"MODEL": "", "VIDEO_PATH": ""},
            DEMO,
            {"video_path": str(PEOPLE), "is_played_once": False, "cameras": ("door",), "truth": TRUTH},
        ),
        ({"DEMO": "classifier"}, DEMO, {"video_path": str(CLIP), "truth": SHOP_TRUTH}),
        ({"LOOP_VIDEO": "false"}, DEMO, {"programs": (*USUAL, "dashboard"), "is_played_once": True, "truth": TRUTH}),
        ({"BACKGROUND_LABELS": "MAN"}, DEMO, {"truth": {"woman": TRUTH["woman"]}}),
        ({"MATRIX": "terminal", "WEB_PORT": "0"}, DEMO, {"programs": (*USUAL, "display"), "dashboard": "", "address_text": ""}),
        ({"LOG_RESULTS": "json"}, DEMO, {"prints_visits": True}),
        ({"SINKS": "edgehub", **EDGEHUB}, DEMO, {"prints_visits": False}),
        ({"FORWARD": "none"}, DEMO, {"prints_visits": False}),
        ({"CAMERAS": "back"}, DEMO, {"cameras": ("door", "back")}),  # includes the run's own camera
        ({"MODEL": "demo/model", "LOOP_VIDEO": "false"}, NOT_FOR_PEOPLE, {"video_path": "0", "is_played_once": False}),
        (
            {"MODEL": "demo/model", "VIDEO_PATH": "{tmp}/pictures", "LOOP_VIDEO": "false"},
            NOT_FOR_PEOPLE,
            {"is_played_once": True, "truth": None},
        ),
    ],
)
def test_the_plan(plan_of: PlanOf, settings: dict[str, str], about: str, expected: dict[str, object]) -> None:
    """A run has the demo's clip and model by default, a display if MATRIX is set, and a dashboard if it has a port.

    The truth of a recording excludes background labels, whatever their case. The plan survives JSON. The checks
    write nothing.
    """
    plan = plan_of(**settings)
    assert about in plan.notice
    assert plan.state.is_demo
    assert {name: getattr(plan, name) for name in expected} == expected
    assert Plan.from_json(plan.to_json()) == plan
    assert not Path(os.environ["STATE_DIR"]).exists()
    assert plan.settings["CAMERAS"] == ("door,back" if "CAMERAS" in settings else "")


@pytest.mark.parametrize(
    ("settings", "model", "counts_crossings"),
    [
        ({"DEMO": ""}, DETECTOR, True),
        ({"DEMO": "classifier"}, MODEL, False),
        ({"VIDEO_PATH": "demo:7"}, DETECTOR, True),
        ({"VIDEO_PATH": "demo:classifier:7"}, MODEL, False),
        ({"VIDEO_PATH": str(CLIP)}, MODEL, False),
        ({"MODEL": "demo/model", "VIDEO_PATH": "0"}, "demo/model", False),
        ({"MODEL": "demo/detector", "VIDEO_PATH": "0"}, "demo/detector", False),
    ],
)
def test_the_demos(plan_of: PlanOf, settings: dict[str, str], model: Path | str, counts_crossings: bool) -> None:
    """Each drawn scene gets the model that knows it; a hall gets its line and its zone. Lines of your own come first.

    A number is none: some programs export LINES, the height of the terminal.
    """
    plan = plan_of(**settings, LINES="24")
    assert plan.settings["MODEL"] == str(model)
    found = {name: value for name, value in plan.settings.items() if name in ("LINES", "ZONES")}
    assert found == (DEMOS["people"].settings if counts_crossings else {})
    assert plan_of(LINES="[]").settings["LINES"] == "[]"


@pytest.mark.parametrize(
    ("settings", "model"),
    [
        ({"VIDEO_PATH": "{tmp}/pictures"}, "person"),
        ({"VIDEO_PATH": "0"}, "person"),
        ({"MODEL": "person"}, "person"),
        ({"MODEL": "demo/model", "DETECTOR": "person"}, "demo/model"),
    ],
)
def test_the_person_detector(
    plan_of: PlanOf, people: People, settings: dict[str, str], model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is the default for pictures of your own. A line about the fetch is printed once, not on standard output."""
    for lines in (1, 0):
        plan = plan_of(PERSON_MODEL_URL=people.detector, **settings)
        assert plan.settings["MODEL"] == model
        assert plan.state.is_demo == bool(plan.notice) == (model != "person")
        printed = capsys.readouterr()
        assert printed.err.count("footfall run: fetching the person detector") == len(printed.err.splitlines()) == lines
        assert not printed.out


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"MODEL": "", "PERSON_MODEL_URL": "{tmp}/none"}, "the person detector cannot be fetched: {tmp}/none: No such file"),
        ({"MODEL": "person", "PERSON_MODEL_URL": "{tmp}/texts"}, "{tmp}/texts: not a file"),
        ({"PERSON_MODEL_URL": "ftp://example.org/a"}, "PERSON_MODEL_URL='ftp://example.org': must begin with https://"),
        ({"MODEL": "{tmp}"}, "model.tflite"),
        ({"MODEL": "x", "ROTATE": "45"}, "ROTATE=45"),
        ({"VIDEO_PATH": "{tmp}/none.mp4"}, "VIDEO_PATH: {tmp}/none.mp4: No such file or directory"),
        ({"VIDEO_PATH": "{tmp}/texts"}, "VIDEO_PATH: {tmp}/texts: contains no picture"),
        ({"ICONS": "{tmp}/none", "MATRIX": "terminal"}, "ICONS: {tmp}/none: no such folder"),
        ({"MODEL": "{tmp}/mislabelled"}, "2 labels, but the model has 3 outputs"),
        ({"VISITORS": "zebra"}, "VISITORS='zebra'; its labels are man, woman, nobody"),
        ({"BACKGROUND_LABELS": "man,woman,nobody"}, "makes a visitor with BACKGROUND_LABELS='man,woman,nobody'"),
        ({"DETECTOR": "demo/model"}, "DETECTOR='demo/model': model@"),
        ({"DETECTOR": "{tmp}/none"}, "DETECTOR='{tmp}/none': {tmp}/none: No such file or directory"),
        ({"SINKS": "edgehub"}, "SINKS='edgehub' needs the variables of IoT Edge"),
        ({"DELEGATE": "{tmp}/none.so"}, "DELEGATE='{tmp}/none.so': cannot be loaded"),
    ],
)
def test_invalid_settings_are_explained(settings: dict[str, str], reason: str, plan_of: PlanOf, tmp_path: Path) -> None:
    """The message names the setting or the file, and no folder is created."""
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "note.png").write_text("no picture")
    mislabelled = Path(shutil.copytree(ROOT / "demo" / "model", tmp_path / "mislabelled"))
    (mislabelled / "labels.txt").write_text("man\nwoman\n")
    with pytest.raises(InvalidSetting) as refused:
        plan_of(**{"VIDEO_PATH": "0", "MODEL": "demo/model"} | settings)
    assert reason.replace("{tmp}", str(tmp_path)) in str(refused.value)
    assert not (tmp_path / "state").exists()


def test_the_model_of_the_demo_is_not_tried(plan_of: PlanOf, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is known to load, so the demo starts sooner. It is tried if a setting says how to use it."""

    def refuse(*_: object) -> None:
        raise InvalidSetting("tried")

    monkeypatch.setattr(checks, "LoadedModels", refuse)
    assert plan_of().notice.startswith(DEMO)
    for name, value in {"VISITORS": "man", "BACKGROUND_LABELS": "none", "MODEL": str(PEOPLE)}.items():
        with pytest.raises(InvalidSetting, match="tried"):
            plan_of(**{name: value})
        del os.environ[name]


@pytest.mark.parametrize("name", ["MQTT_PORT", "WEB_PORT", "HTTP_PORT"])
def test_a_port_in_use_is_named(name: str, plan_of: PlanOf) -> None:
    """The message names the port and suggests another."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(InvalidSetting, match=rf"^port {port} on 127.0.0.1 cannot be used .* {name}={port + 1}"):
            plan_of(**{name: port})


def test_a_missing_broker(plan_of: PlanOf, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names a command that installs Mosquitto and deletes no data."""
    plan = plan_of()
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(InvalidSetting, match="mosquitto is not installed; install it with make setup") as refused:
        run.prepare(plan)
    assert "clean" not in str(refused.value)
