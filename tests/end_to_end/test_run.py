"""``make run`` and its commands: the suite starts, prints its addresses, obeys commands, and stops."""

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
"""Upper bound of the bytes of memory of all processes except the broker and the modules."""
MODULES = ("bridge", "capture", "classifier", "counter", "dashboard")


def program(process: psutil.Process) -> str:
    """Returns the Python module that a process runs; empty for other programs and ended processes."""
    with contextlib.suppress(psutil.Error):
        words = process.cmdline()
        return words[2] if words[1:2] == ["-m"] else ""
    return ""


def check_start(run: Run, secret: str) -> None:
    """Checks that the printed addresses respond, and that the only warnings, once each, are about a setting and the labels."""
    addresses = re.findall(r"http://([^:\s]+):(\d+)", run.shown)
    assert addresses
    assert all(accepts(int(port), host) for host, port in addresses)
    assert f"make watch MQTT_PORT={run.port}" in run.shown
    start = run.shown.partition("Footfall is counting")[0]
    logged = [line.partition("| ")[2] for line in start.splitlines() if re.match(r"\S+ (?!system)\S+ +\|", line)]
    (warning,) = [line for line in logged if not line.startswith("[INF] ")]
    assert "no label means nobody" in warning
    assert run.shown.count("no label means nobody") == 1
    assert run.shown.count("did you mean THRESHOLD?") == 1
    assert secret not in run.shown


def check_processes(run: Run) -> None:
    """Checks that each module is a process, the launcher is small, and the brokers listen on loopback only.

    Each process has the passwords that are its own: that of the page is the dashboard's.
    """
    family = run.family()
    brokers = [process for process in family if process.name() == "mosquitto"]
    others = [process for process in family if program(process) not in MODULES and process not in brokers]
    assert sorted(name for name in map(program, family) if name in MODULES) == [*MODULES]
    assert sum(process.memory_full_info().pss for process in others) < MAX_LAUNCHER
    assert len(brokers) == 2
    for broker in brokers:
        assert {one.laddr.ip for one in broker.net_connections() if one.status == psutil.CONN_LISTEN} == {"127.0.0.1"}
    environments = {
        program(process): process.environ() for process in family if program(process) in MODULES or process in brokers
    }
    assert {name for name, environment in environments.items() if "WEB_PASSWORD" in environment} == {"dashboard"}
    files = [environments[name]["MQTT_PASSWORD_FILE"] for name in MODULES]
    assert files == [f"{Path(files[0]).parents[1]}/{name}/password" for name in MODULES]


def check_commands(run: Run) -> None:
    """Checks the commands: a camera obeys, is added and is removed, and the matrix is drawn without a running display."""
    assert run.command("command", "DO=pause") == (0, "door: paused\n")
    assert run.command("command", "DO=resume")[0] == 0
    camera = run.start("camera", "CAMERA=back", "VIDEO_PATH=demo:8", "FRAME_RATE=2")
    with Listener(run.port, "footfall/back/#", "footfall/status/capture-back") as back:
        until(lambda: b'"running"' in (back.payloads("capture-back") or [b""])[-1], 30, "the second camera")
        back.wait_for("/prediction")
        assert "still running" in run.command("forget", "CAMERA=back")[1]
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
    """A run with the user's own model, until Ctrl-C ends everything, the broker last. The next run uses the same data."""
    own = {"MODEL": fruits.folder, "VIDEO_PATH": fruits.clip}
    with make_run(tmp_path, **own, CAMERAS="back", WEB_PASSWORD="a pass word", THRESHHOLD=0.8) as run:
        run.wait_for_predictions()
        check_start(run, "a pass word")
        ledger = tmp_path / "state" / f"data-{run.port}" / "ledger.db"
        assert f"Visits are stored in {ledger}." in run.shown
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
        run.wait_for_predictions()  # the modules use the same sessions of the broker
        assert run.press_ctrl_c() in (0, -signal.SIGINT)
        assert "Failed to associate persisted user" not in run.shown


@pytest.mark.parametrize("is_killed", [False, True], ids=["the terminal closes, and SIGTERM arrives", "the launcher is killed"])
def test_no_process_is_left(tmp_path: Path, is_killed: bool) -> None:
    """Modules and broker end too, even if signals arrive repeatedly."""
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


def test_the_last_line_names_a_module_that_refuses_to_start(tmp_path: Path) -> None:
    """The reason is printed after the lines of the other programs that were stopped."""
    with make_run(tmp_path, WEB_PORT=0) as run:
        folder = tmp_path / "state" / "demo" / f"data-{run.port}"
        folder.mkdir(parents=True)
        with (folder / "ledger.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            assert run.process.wait(limit(60)) == 2
        assert re.match(r"footfall run: counter: STATE_DIR=.*: another counter uses it", run.last_line)
        assert "stopped (rc=" in run.shown


@pytest.mark.parametrize("moment", ["while settings are checked", "while the model is tried"])
def test_ctrl_c_during_the_start(tmp_path: Path, moment: str) -> None:
    """A stop during the start is not reported as a problem of the model or of a setting."""
    with make_run(tmp_path, VISITORS="man,woman") as run:  # otherwise the model of the demo is not tried before the start
        wanted = "footfall.checks" if moment == "while settings are checked" else "classifier.trial"
        until(lambda: wanted in map(program, run.family()), 60, wanted)
        run.press_ctrl_c()
        assert not re.search("damaged|Traceback|No prediction yet|started", run.shown)


def test_an_invalid_setting_is_the_only_line(tmp_path: Path) -> None:
    """With an invalid setting, no program is started and no folder is created."""
    with make_run(tmp_path, VIDEO_PATH="none.mp4") as run:
        assert run.process.wait(limit(60)) == 2
        assert run.last_line == run.shown.splitlines()[0]
        assert run.last_line.startswith("footfall run: VIDEO_PATH: none.mp4: No such file or directory")
        assert not (tmp_path / "state").exists()
