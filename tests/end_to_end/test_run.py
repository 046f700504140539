"""``make run``: one command that starts everything, says where to look, and stops everything."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from bus import DayCounts
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

    A misspelt setting is warned of once, and what goes to a file has no colours.
    """
    port = free_port()
    with make_run(tmp_path, MODEL=fruits.folder, VIDEO_PATH=fruits.clip, MQTT_PORT=port, THRESHHOLD=0.8) as run:
        until(lambda: "Predictions flow" in run.shown, 60)
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
    "end", ["the terminal is closed", "it is told so again and again", "run.py is killed", "honcho is killed"]
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
            name = "run.py" if end == "run.py is killed" else "honcho"
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
    """Clip and model of the demo: visitors are counted, and that they are drawn is said, at first and where predictions flow."""
    port, drawn = free_port(), "drawn figures at a drawn shop door, not people"
    with make_run(tmp_path, MQTT_PORT=port, TZ=zone_at_noon()) as run:
        until(lambda: "Predictions flow" in run.shown, 60)
        assert drawn in run.shown.splitlines()[0]
        assert run.shown.partition("Predictions flow")[0].count(drawn) == 2
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


def test_a_bad_setting_ends_it_all(tmp_path: Path) -> None:
    """The line about the setting is the first there is, and nothing has been started."""
    for settings, reason in (({"MODEL": tmp_path}, "model.tflite is missing"), ({"MODEL": "x", "ROTATE": 45}, "ROTATE=45")):
        with make_run(tmp_path, VIDEO_PATH="0", MQTT_PORT=free_port(), **settings) as run:
            assert run.process.wait(limit(30)) == 2
            assert reason in run.shown.splitlines()[0]
            assert "started" not in run.shown


def test_what_is_amiss_is_said(fruits: Fruits, tmp_path: Path) -> None:
    """Without a camera it waits, and says after a while that the camera is what is missing."""
    with make_run(tmp_path, MODEL=fruits.folder, VIDEO_PATH=97, MQTT_PORT=free_port()) as run:
        until(lambda: "No prediction yet" in run.shown, 60)
        assert re.search(r"capture is camera-lost \(camera 97: there is no /dev/video97", run.shown)
        assert run.press_ctrl_c() in (0, -signal.SIGINT)
