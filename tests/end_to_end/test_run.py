"""``make run`` and the commands beside it: everything starts, says where to look, obeys, and stops."""

import contextlib
import fcntl
import os
import re
import signal
from pathlib import Path

import psutil
import pytest

from tests.end_to_end.run import Run, make_run
from tests.support.broker import accepts
from tests.support.fruits import Fruits
from tests.support.listener import Listener
from tests.support.wait import limit, until

pytestmark = pytest.mark.system
MAX_LAUNCHER = 40 * 2**20
"""Bytes of memory for all that is neither broker nor module."""
MODULES = ("bridge", "capture", "classifier", "counter", "dashboard")


def program(process: psutil.Process) -> str:
    """What Python runs as that process; empty for other programs, and when it has ended."""
    with contextlib.suppress(psutil.Error):
        words = process.cmdline()
        return words[2] if words[1:2] == ["-m"] else ""
    return ""


def check_start(run: Run, secret: str) -> None:
    """It says where to look, all of which is there; nothing is a warning but that of the misspelt setting."""
    addresses = re.findall(r"http://([^:\s]+):(\d+)", run.shown)
    assert addresses
    assert all(accepts(int(port), host) for host, port in addresses)
    assert f"make watch MQTT_PORT={run.port}" in run.shown
    start = run.shown.partition("Predictions flow")[0]
    logged = [line.partition("| ")[2] for line in start.splitlines() if re.match(r"\S+ (?!system)\S+ +\|", line)]
    assert [line for line in logged if not line.startswith("[INF] ")] == []
    assert run.shown.count("did you mean THRESHOLD?") == 1
    assert secret not in run.shown


def check_processes(run: Run) -> None:
    """A process per module; the launcher is small; the broker is on loopback only."""
    family = run.family()
    (broker,) = (process for process in family if process.name() == "mosquitto")
    others = [process for process in family if program(process) not in MODULES and process != broker]
    assert sorted(name for name in map(program, family) if name in MODULES) == [*MODULES]
    assert sum(process.memory_full_info().pss for process in others) < MAX_LAUNCHER
    assert {one.laddr.ip for one in broker.net_connections() if one.status == psutil.CONN_LISTEN} == {"127.0.0.1"}


def check_commands(run: Run) -> None:
    """A camera obeys, joins and is forgotten; the matrix is drawn by a display of its own where none runs."""
    assert run.command("tell", "DO=pause") == (0, "door: paused\n")
    assert run.command("tell", "DO=resume")[0] == 0
    camera = run.start("camera", "CAMERA=back", "VIDEO_PATH=demo:8", "FRAME_RATE=2")
    with Listener(run.port, "footfall/back/#", "footfall/status/capture-back") as back:
        until(lambda: b'"running"' in (back.payloads("capture-back") or [b""])[-1], 30, "the second camera")
        back.wait_for("/prediction")
        assert "it still runs" in run.command("forget", "CAMERA=back")[1]
        os.killpg(camera.pid, signal.SIGTERM)
        camera.communicate(timeout=limit(20))
        until(lambda: b'"offline"' in back.payloads("capture-back")[-1], 20)
    assert run.command("forget", "CAMERA=back") == (0, "back: forgotten; its visits stay in the ledger\n")
    matrix = run.start("matrix")
    assert matrix.stdout is not None
    assert matrix.stdout.readline().decode().strip() in ("Apple", "Banana", "Orange", "dark")
    os.killpg(matrix.pid, signal.SIGINT)
    matrix.communicate(timeout=limit(20))


@pytest.mark.timeout(limit(240))
def test_a_run_and_its_commands(fruits: Fruits, tmp_path: Path) -> None:
    """With a model of one's own, up to Ctrl-C, which ends all of it, the broker last; and the next run on its state."""
    own = {"MODEL": fruits.folder, "VIDEO_PATH": fruits.clip}
    with make_run(tmp_path, **own, CAMERAS="back", WEB_PASSWORD="a pass word", THRESHHOLD=0.8) as run:
        run.wait_for_predictions()
        check_start(run, "a pass word")
        ledger = tmp_path / "state" / f"bridge-{run.port}" / "ledger.db"
        assert f"Visits are kept in {ledger}." in run.shown
        visit = r"\d\d:\d\d:\d\d door: (Orange|Apple|Banana), \d+\.\d s"
        until(lambda: re.search(visit, run.shown), 40, "a visit")
        check_processes(run)
        check_commands(run)
        with Listener(run.port, "footfall/status/#") as listener:
            listener.wait_for("", 5)
            family = run.family()
            assert run.press_ctrl_c() in (0, -signal.SIGINT)
            stopped = {message.topic.rpartition("/")[2] for message in listener.messages() if b'"stopped"' in message.payload}
        assert stopped >= set(MODULES)
        _, alive = psutil.wait_procs(family, timeout=limit(5))
        assert not alive
        assert "Traceback" not in run.shown
        assert ledger.exists()
    with make_run(tmp_path, **own, MQTT_PORT=run.port) as run:
        run.wait_for_predictions()  # called at once, its modules have the same places at the broker
        assert run.press_ctrl_c() in (0, -signal.SIGINT)
        assert "Failed to associate persisted user" not in run.shown


@pytest.mark.parametrize("is_killed", [False, True], ids=["the terminal is closed, and SIGTERM comes", "the launcher is killed"])
def test_however_it_ends_nothing_is_left(tmp_path: Path, is_killed: bool) -> None:
    """Modules and broker end too, also when signals come again and again."""
    with make_run(tmp_path) as run:
        run.wait_for_predictions()
        family = run.family()
        if is_killed:
            next(one for one in family if program(one) == "footfall").kill()
        else:
            for number in [signal.SIGHUP] + [signal.SIGTERM] * 2000:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(run.process.pid, number)
        _, alive = psutil.wait_procs(family, timeout=limit(25))
        assert not alive
        assert not accepts(run.port)


def test_a_module_that_refuses_to_start_is_the_last_line(tmp_path: Path) -> None:
    """Below all that was said in stopping the others."""
    with make_run(tmp_path, WEB_PORT=0) as run:
        folder = tmp_path / "state" / "demo" / f"bridge-{run.port}"
        folder.mkdir(parents=True)
        with (folder / "ledger.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            assert run.process.wait(limit(60)) == 2
        assert re.match(r"footfall run: counter: STATE_DIR=.*: another counter uses it", run.last_line)
        assert "stopped (rc=" in run.shown


@pytest.mark.parametrize("moment", ["while settings are checked", "while the model is tried"])
def test_ctrl_c_during_the_start(tmp_path: Path, moment: str) -> None:
    """Being stopped is no fault of the model or of anything else."""
    with make_run(tmp_path) as run:
        wanted = "footfall.checks" if moment == "while settings are checked" else "classifier.trial"
        until(lambda: wanted in map(program, run.family()), 60, wanted)
        run.press_ctrl_c()
        assert not re.search("damaged|Traceback|No prediction yet|started", run.shown)


def test_a_bad_setting_is_the_only_line(tmp_path: Path) -> None:
    """Nothing has been started or made."""
    with make_run(tmp_path, VIDEO_PATH="none.mp4") as run:
        assert run.process.wait(limit(60)) == 2
        assert run.last_line == run.shown.splitlines()[0]
        assert run.last_line.startswith("footfall run: VIDEO_PATH: none.mp4: No such file or directory")
        assert not (tmp_path / "state").exists()
