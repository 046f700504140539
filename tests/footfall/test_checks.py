"""What a run checks before anything is started, and what it plans."""

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from demo.about import CLIP, MODEL
from footfall import run
from footfall.checks import check
from footfall.plan import Plan
from runtime.errors import InvalidSetting
from tests.support.broker import ROOT, free_port
from tests.support.videos import pictures

pytestmark = pytest.mark.system  # the model is tried in a process of its own
SETTINGS = ("CAMERA", "CAMERAS", "DELEGATE", "DISPLAY_NAME", "HTTP_PORT", "ICONS", "LOOP_VIDEO", "ROTATE", "SOURCE_MODULES")


PlanOf = Callable[..., Plan]


@pytest.fixture
def plan_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PlanOf:
    """Checks some settings on free ports."""
    monkeypatch.setattr(os, "environ", dict(os.environ))
    for name in SETTINGS:
        os.environ.pop(name, None)
    os.environ |= {"STATE_DIR": str(tmp_path / "state"), "MQTT_PORT": str(free_port()), "WEB_PORT": str(free_port())}

    def plan_of(**settings: object) -> Plan:
        os.environ |= {name: str(value) for name, value in settings.items()}
        return check()

    return plan_of


def test_without_settings_it_is_the_demo(plan_of: PlanOf) -> None:
    """Clip and model of the demo, apart from all others; no display without a matrix."""
    plan = plan_of(MODEL="", VIDEO_PATH="")
    assert plan.about == "The demo: drawn figures at a drawn shop door, not people (demo/README.md)."
    assert plan.state.is_demo
    assert plan.programs == ("broker", "capture", "classifier", "counter", "bridge", "dashboard")
    assert (plan.video_path, plan.settings["MODEL"]) == (str(CLIP), str(MODEL))
    assert not plan.is_played_once


def test_a_source_and_a_model_of_ones_own(plan_of: PlanOf, tmp_path: Path) -> None:
    """The demo's model is refused for other pictures, and warned of where it is asked for; a model alone takes the camera."""
    own = pictures(tmp_path / "pictures")
    with pytest.raises(InvalidSetting, match="MODEL is not set"):
        plan_of(VIDEO_PATH=own)
    plan = plan_of(VIDEO_PATH=own, MODEL="demo/model", LOOP_VIDEO="false")
    assert "it knows drawn figures only" in plan.about
    assert plan.is_played_once
    assert plan_of(VIDEO_PATH="", MODEL="demo/model").video_path == "0"


def test_what_runs_beside_the_usual(plan_of: PlanOf) -> None:
    """A display where there is a matrix, no dashboard without a port; the own camera is classified, named in CAMERAS or not."""
    plan = plan_of(MATRIX="terminal", WEB_PORT=0, CAMERAS="back")
    assert plan.programs == ("broker", "capture", "classifier", "counter", "bridge", "display")
    assert plan.dashboard == plan.addresses == ""
    assert plan.cameras == ("door", "back")
    assert plan.settings["CAMERAS"] == "door,back"


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"MODEL": "{tmp}"}, "model.tflite"),
        ({"MODEL": "x", "ROTATE": "45"}, "ROTATE=45"),
        ({"VIDEO_PATH": "{tmp}/none.mp4"}, "VIDEO_PATH: {tmp}/none.mp4: No such file or directory"),
        ({"VIDEO_PATH": "{tmp}/texts"}, "VIDEO_PATH: {tmp}/texts: there is no picture in it"),
        ({"ICONS": "{tmp}/none", "MATRIX": "terminal"}, "ICONS: {tmp}/none: no such folder"),
        ({"ICONS": "{tmp}/texts", "MATRIX": "terminal"}, "ICONS: {tmp}/texts/note.txt: line 1"),
        ({"MODEL": "{tmp}/mislabelled"}, "labels.txt has 2 labels, the model has 3 outputs"),
        ({"DELEGATE": "{tmp}/none.so"}, "DELEGATE='{tmp}/none.so': cannot be loaded"),
    ],
)
def test_what_is_wrong_is_said(settings: dict[str, str], reason: str, plan_of: PlanOf, tmp_path: Path) -> None:
    """The setting or the file is named, and nothing has been made."""
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "note.txt").write_text("no icon")
    (tmp_path / "texts" / "note.png").write_text("no picture")
    mislabelled = Path(shutil.copytree(ROOT / "demo" / "model", tmp_path / "mislabelled"))
    (mislabelled / "labels.txt").write_text("man\nwoman\n")
    given = {name: value.replace("{tmp}", str(tmp_path)) for name, value in settings.items()}
    with pytest.raises(InvalidSetting) as refused:
        plan_of(**({"VIDEO_PATH": "0", "MODEL": "demo/model"} | given))
    assert reason.replace("{tmp}", str(tmp_path)) in str(refused.value)
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("name", ["MQTT_PORT", "WEB_PORT", "HTTP_PORT"])
def test_a_port_in_use_is_named(name: str, plan_of: PlanOf) -> None:
    """And another one is proposed."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(InvalidSetting, match=rf"^port {port} on 127.0.0.1 is taken .* {name}={port + 1}"):
            plan_of(**{name: port})


def test_a_broker_that_is_not_installed(plan_of: PlanOf, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names a command that installs it, and none that deletes what was counted."""
    plan = plan_of()
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(InvalidSetting, match="mosquitto is not installed: make setup") as refused:
        run.prepare(plan)
    assert "clean" not in str(refused.value)
