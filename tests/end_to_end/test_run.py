"""``make run``: one command that starts everything, says where to look, and stops everything."""

import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import psutil
import pytest

from bus import DayCounts, InvalidSetting
from demo.scenes import Scene
from demo.visitors import FRAME_RATE
from scripts import plan
from scripts.recording import summary, truth_beside
from tests.support.broker import ROOT, accepts, free_port
from tests.support.fruits import Fruits
from tests.support.listener import Listener
from tests.support.wait import limit, until
from tests.support.zone import zone_at_noon


class Run:
    """A ``make run`` in a session of its own, as a terminal has it."""

    def __init__(self, process: subprocess.Popen[bytes], out: int) -> None:
        self.process = process
        self._out = out

    @property
    def shown(self) -> str:
        """What is on the screen so far."""
        return os.pread(self._out, os.fstat(self._out).st_size, 0).decode()

    @property
    def last_line(self) -> str:
        """The last line of the run, before what make says about its exit code."""
        return [line for line in self.shown.splitlines() if line and not line.startswith("make: ***")][-1]

    def family(self) -> list[psutil.Process]:
        """Everything that it started and that still runs."""
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def press_ctrl_c(self) -> int:
        """What the terminal does: SIGINT to all in the foreground, make among them, which ends by it. The exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(limit(20))


@contextmanager
def make_run(tmp_path: Path, **settings: object) -> Iterator[Run]:
    """``make run`` with settings on its command line."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    own = {"VENV": os.path.relpath(sys.prefix, ROOT), "STATE_DIR": tmp_path / "state", "WEB_PORT": free_port()}
    words = [f"{name}={value}" for name, value in (own | settings).items()]
    with tempfile.TemporaryFile() as out:
        hang_up = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup it is ignored, and so by all that is started
        process = subprocess.Popen(
            ["make", "run", *words], cwd=ROOT, env=environment, stdout=out, stderr=out, start_new_session=True
        )
        signal.signal(signal.SIGHUP, hang_up)
        run = Run(process, out.fileno())
        try:
            yield run
        except BaseException:
            sys.stderr.write(run.shown)
            raise
        finally:
            family = run.family()
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait(limit(20))
            psutil.wait_procs(family, timeout=limit(20))


def test_runs_until_ctrl_c(fruits: Fruits, tmp_path: Path) -> None:
    """It says where to look once predictions flow; a visit is a line for people; Ctrl-C ends all of it, the broker last.

    Nothing is a warning but that of a misspelt setting, once, and what goes to a file has no colours.
    """
    port = free_port()
    own = {"MODEL": fruits.folder, "VIDEO_PATH": fruits.clip, "WEB_PASSWORD": "12345678", "THRESHHOLD": 0.8}
    with make_run(tmp_path, MQTT_PORT=port, **own) as run:
        until(lambda: "Predictions flow" in run.shown, 60)
        addresses = re.findall(r"http://([^:\s]+):(\d+)", run.shown)
        assert addresses
        assert all(accepts(int(port), host) for host, port in addresses)
        ledger = tmp_path / "state" / f"bridge-{port}" / "ledger.db"
        assert f"Visits are kept in {ledger}." in run.shown
        assert ledger.exists()
        start = run.shown.partition("Predictions flow")[0]
        logged = [line.partition("| ")[2] for line in start.splitlines() if re.match(r"\S+ (?!system)\S+ +\|", line)]
        assert [line[:5] for line in logged if not line.startswith("[INF] ")] == []
        assert f"make watch MQTT_PORT={port}" in run.shown
        visit = r"\d\d:\d\d:\d\d door: Orange, \d+\.\d s \((today|\d{4}-\d\d-\d\d): .*Orange 1"
        until(lambda: re.search(visit, run.shown), 30, "a visit")
        with Listener(port, "footfall/status/#") as listener:
            listener.wait_for("", 4)
            family = run.family()
            (broker,) = (process for process in family if "mosquitto" in process.name())
            assert {one.laddr.ip for one in broker.net_connections() if one.status == psutil.CONN_LISTEN} == {"127.0.0.1"}
            assert run.press_ctrl_c() in (0, -signal.SIGINT)
            states = [payload.decode() for payload in listener.payloads()]
        assert sum('"detail": "stopped"' in state for state in states) == 4
        until(lambda: not [process for process in family if process.is_running() and process.status() != "zombie"])
        assert not accepts(port)
        assert "Traceback" not in run.shown
        assert run.shown.count("is THRESHOLD meant?") == 1
        assert "\x1b" not in run.shown
        assert (tmp_path / "state" / f"mosquitto-{port}" / "mosquitto.db").exists()


@pytest.mark.parametrize(
    "end", ["the terminal is closed", "it is told so again and again", "run.py is killed", "the suite is killed"]
)
def test_however_it_ends_nothing_is_left(fruits: Fruits, tmp_path: Path, end: str) -> None:
    """A closed terminal, many signals at once, or a part of the run killed, ends modules and broker too."""
    port = free_port()
    with make_run(tmp_path, MODEL=fruits.folder, VIDEO_PATH=fruits.clip, MQTT_PORT=port) as run:
        until(lambda: "Predictions flow" in run.shown, 60)
        family = run.family()
        if end == "the terminal is closed":
            os.killpg(run.process.pid, signal.SIGHUP)
        elif end == "it is told so again and again":
            for _ in range(2000):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(run.process.pid, signal.SIGTERM)
        else:
            name = "scripts.run" if end == "run.py is killed" else "scripts.suite"
            next(process for process in family if any(name in word for word in process.cmdline())).kill()
        _, alive = psutil.wait_procs(family, timeout=limit(25))
        assert not alive
        assert not accepts(port)


def test_the_next_run_takes_up_where_the_last_ended(tmp_path: Path) -> None:
    """The broker has the same places for the modules, so that what it keeps of the bridge's session is the bridge's again."""
    port = free_port()
    for _ in range(2):
        with make_run(tmp_path, MQTT_PORT=port) as run:
            until(lambda: "Predictions flow" in run.shown, 60)  # called at once
            assert run.press_ctrl_c() in (0, -signal.SIGINT)
            assert "Failed to associate persisted user" not in run.shown


def test_without_settings_it_is_the_demo(tmp_path: Path) -> None:
    """Clip and model of the demo: visitors are counted apart from all others, and that they are drawn is said once, at first."""
    port, drawn = free_port(), "drawn figures at a drawn shop door, not people"
    with make_run(tmp_path, MQTT_PORT=port, TZ=zone_at_noon()) as run:
        until(lambda: "Predictions flow" in run.shown, 60)
        assert drawn in run.shown.splitlines()[0]
        assert run.shown.count(drawn) == 1
        folder = tmp_path / "state" / "demo"
        assert f"Visits are kept in {folder / f'bridge-{port}' / 'ledger.db'} (the demo's" in run.shown
        assert {path.name for path in (tmp_path / "state").iterdir()} == {"demo", f"current-{port}", "lock"}
        until(lambda: re.search(r"door: (wo)?man, ", run.shown), 60, "a visit")
        with Listener(port, "footfall/door/counts") as listener:
            until(lambda: any(DayCounts.unpack(one).totals for one in listener.payloads("counts")), what="counts")
            assert all(set(DayCounts.unpack(one).totals) <= {"man", "woman"} for one in listener.payloads("counts"))
        assert run.press_ctrl_c() in (0, -signal.SIGINT)


def test_cameras_beside_the_first_do_not_replace_it(tmp_path: Path) -> None:
    """CAMERAS names those that may join later; the run's own camera is classified, whether it is named there or not."""
    with make_run(tmp_path, MQTT_PORT=free_port(), CAMERAS="back") as run:
        until(lambda: "Predictions flow" in run.shown, 60)
        assert run.press_ctrl_c() in (0, -signal.SIGINT)


def test_the_demo_model_takes_no_camera_unasked(fruits: Fruits, tmp_path: Path) -> None:
    """Whoever has a source and no model has to choose one; the demo's is warned of."""
    with make_run(tmp_path, MODEL="", VIDEO_PATH=fruits.clip, MQTT_PORT=free_port()) as run:
        assert run.process.wait(limit(20)) == 2
        assert "MODEL is not set" in run.shown.splitlines()[0]
        assert "started" not in run.shown
    with make_run(tmp_path, MODEL="demo/model", VIDEO_PATH=fruits.clip, MQTT_PORT=free_port()) as run:
        until(lambda: "Predictions flow" in run.shown, 60)
        assert "it knows drawn figures only" in run.shown.splitlines()[0]


def test_a_model_of_ones_own_looks_through_the_camera(fruits: Fruits, tmp_path: Path) -> None:
    """With a model and no source, the source is the camera and not the demo's clip."""
    with make_run(tmp_path, MODEL=fruits.folder, VIDEO_PATH="", MQTT_PORT=free_port()) as run:
        until(lambda: "camera 0: " in run.shown, 60, "the camera")
        assert "drawn" not in run.shown


@pytest.mark.parametrize("name", ["MQTT_PORT", "WEB_PORT"])
def test_a_port_in_use_is_said(name: str, tmp_path: Path) -> None:
    """The port is named, what may have it, and how to choose another."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with make_run(tmp_path, **({"MQTT_PORT": free_port()} | {name: port})) as run:
            assert run.process.wait(limit(20)) == 2
            assert f"port {port} on 127.0.0.1 is taken" in run.shown
            assert f"{name}={port + 1}" in run.shown


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"MODEL": "{tmp}"}, "model.tflite is missing"),
        ({"MODEL": "x", "ROTATE": "45"}, "ROTATE=45"),
        ({"VIDEO_PATH": "{tmp}/none.mp4"}, "VIDEO_PATH: {tmp}/none.mp4: No such file or directory"),
        ({"VIDEO_PATH": "{tmp}/text.mp4"}, "VIDEO_PATH: {tmp}/text.mp4: OpenCV cannot open it"),
        ({"VIDEO_PATH": "{tmp}/empty"}, "VIDEO_PATH: {tmp}/empty: there is no picture in it"),
        ({"VIDEO_PATH": "{tmp}/texts"}, "VIDEO_PATH: {tmp}/texts: there is no picture in it"),
        ({"ICONS": "{tmp}/none"}, "ICONS: {tmp}/none: no such folder"),
        ({"ICONS": "{tmp}/texts"}, "ICONS: {tmp}/texts/note.txt: line 1"),
        ({"MODEL": "{tmp}/mislabelled"}, "labels.txt has 2 labels, the model has 3 outputs"),
        ({"DELEGATE": "{tmp}/none.so"}, "DELEGATE='{tmp}/none.so': cannot be loaded"),
    ],
)
def test_a_bad_setting_ends_it_all(settings: dict[str, str], reason: str, tmp_path: Path) -> None:
    """The line about the setting or the file is the only one there is, and nothing has been started."""
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "empty").mkdir()
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "note.txt").write_text("no icon")
    (tmp_path / "texts" / "note.png").write_text("no picture")
    mislabelled = Path(shutil.copytree(ROOT / "demo" / "model", tmp_path / "mislabelled"))
    (mislabelled / "labels.txt").write_text("man\nwoman\n")
    own = {"VIDEO_PATH": "0", "MODEL": "demo/model", "MQTT_PORT": free_port()}
    given = {name: value.replace("{tmp}", str(tmp_path)) for name, value in settings.items()}
    with make_run(tmp_path, **(own | given)) as run:
        assert run.process.wait(limit(60)) == 2
        assert reason.replace("{tmp}", str(tmp_path)) in run.shown.splitlines()[0]
        assert run.last_line == run.shown.splitlines()[0]
        assert not (tmp_path / "state").exists()


def test_a_broker_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names a command that installs it, and none that deletes what was counted."""
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    monkeypatch.setenv("MQTT_PORT", str(free_port()))
    monkeypatch.setenv("WEB_PORT", "0")
    wanted = plan.make_plan()
    monkeypatch.setattr("scripts.plan.shutil.which", lambda *_, **__: None)
    with pytest.raises(InvalidSetting, match="mosquitto is not installed: make setup") as caught:
        plan.prepare(wanted)
    assert "clean" not in str(caught.value)


@pytest.mark.parametrize("end", ["a module is killed", "a module refuses to start"])
def test_the_cause_is_the_last_line(tmp_path: Path, end: str) -> None:
    """Why everything ended, by the module that was the first to end, stands below all that was said in stopping the others."""
    port = free_port()
    ledger = tmp_path / "state" / "demo" / f"bridge-{port}"
    ledger.mkdir(parents=True)
    with (ledger / "ledger.lock").open("w") as lock, make_run(tmp_path, MQTT_PORT=port) as run:
        if end == "a module refuses to start":
            fcntl.flock(lock, fcntl.LOCK_EX)
            assert run.process.wait(limit(60)) == 2
            assert re.match(r"make run: bridge: STATE_DIR=.*: another bridge uses it", run.last_line)
        else:
            until(lambda: "Predictions flow" in run.shown, 60)
            next(process for process in run.family() if "classifier" in process.cmdline()).kill()
            assert run.process.wait(limit(30)) == 2  # as make has it
            assert run.last_line == "make run: classifier was killed (SIGKILL), as the system does when memory runs out"
        assert "stopped (rc=" in run.shown


@pytest.mark.parametrize("moment", ["while it is loaded", "while settings are checked", "while the model is tried"])
def test_ctrl_c_during_the_start(tmp_path: Path, moment: str) -> None:
    """Being stopped is no fault of the model or of anything else."""
    with make_run(tmp_path, MQTT_PORT=free_port()) as run:
        if moment == "while it is loaded":
            until(lambda: [one for one in run.family() if _is_importing(one)], 60, "an import")
        else:
            parent = "scripts.run" if moment == "while settings are checked" else "classifier"
            until(lambda: [one for one in run.family() if _is_trial_of(one, parent)], 60, "the trial of the model")
        run.press_ctrl_c()
        assert "damaged" not in run.shown
        assert "Traceback" not in run.shown
        assert "No prediction yet" not in run.shown


def _is_importing(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return any("pydantic_core" in one.path for one in process.memory_maps())
    return False


def _is_trial_of(process: psutil.Process, parent: str) -> bool:
    with contextlib.suppress(psutil.Error):
        above = process.parent()
        return "classifier.trial" in process.cmdline() and above is not None and parent in above.cmdline()
    return False


def film(path: Path, seed: int, frames: int) -> Path:
    """A video of the beginning of a scene."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), FRAME_RATE, (640, 480))  # type: ignore[attr-defined]
    scene = Scene(seed)
    for moment, _ in zip(scene.moments(), range(frames), strict=False):
        writer.write(scene.frame(moment))
    writer.release()
    return path


def test_a_recording_played_once_ends_with_a_summary(tmp_path: Path) -> None:
    """Two visitors, the second still in view at its end, are both counted; it ends by itself, with their labels and the truth."""
    clip = film(tmp_path / "door.avi", 178, 83)  # a man from frame 23 to 51, a woman from 61 to 87
    (tmp_path / "door.json").write_text(json.dumps({"visitors": [{"label": "man"}, {"label": "woman"}]}))
    with make_run(tmp_path, MODEL="demo/model", VIDEO_PATH=clip, LOOP_VIDEO="false", MQTT_PORT=free_port()) as run:
        assert run.process.wait(limit(120)) == 0
        told = run.shown.splitlines()
        assert [line.split() for line in told[-4:]] == [
            ["visitors", "counted", "truth"],
            ["man", "1", "1"],
            ["woman", "1", "1"],
            ["all", "2", "2"],
        ]
        assert told[-5] == f"{clip} was played to its end."
        assert "the run ends with it" in run.shown


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ('{"visitors": [{"label": "man"}, {"label": "man"}, {"label": "woman"}]}', {"man": 2, "woman": 1}),
        (
            '{"segments": [{"label": "Apple"}, {"label": "Apple"}, {"label": "nobody"}, {"label": "Apple"}, {"label": "Lemon"}]}',
            {"Apple": 2, "Lemon": 1},
        ),
        ('{"visitors": []}', {}),
        ('{"other": 7}', None),
        ('{"visitors": 7}', None),
        ('{"segments": [{"photo": "x"}]}', None),
        ("[]", None),
        ("{", None),
    ],
)
def test_the_truth_beside_a_recording(document: str, expected: dict[str, int] | None, tmp_path: Path) -> None:
    """Visitors, or segments of which equal ones in a row are one visitor; a file about something else is no truth."""
    (tmp_path / "door.json").write_text(document)
    assert truth_beside(str(tmp_path / "door.mp4"), lambda label: label == "nobody") == expected
    assert truth_beside(str(tmp_path / "other.mp4"), lambda label: False) is None


def test_a_summary_without_a_truth() -> None:
    """Only what was counted; labels that the truth has and nobody counted stand in the other one."""
    assert summary("x.mp4", ["man", "man"], None).splitlines()[1:] == [
        "visitors  counted",
        "man             2",
        "all             2",
    ]
    assert "woman           0      1" in summary("x.mp4", ["man"], {"woman": 1}).splitlines()


def test_what_is_amiss_is_said(fruits: Fruits, tmp_path: Path) -> None:
    """Without a camera it waits, and says after a while that the camera is what is missing."""
    with make_run(tmp_path, MODEL=fruits.folder, VIDEO_PATH=97, MQTT_PORT=free_port()) as run:
        until(lambda: "No prediction yet" in run.shown, 60)
        assert re.search(r"capture is camera-lost \(camera 97: there is no /dev/video97", run.shown)
        assert run.press_ctrl_c() in (0, -signal.SIGINT)
