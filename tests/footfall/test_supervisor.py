"""The supervisor: programs that start together and end together."""

import re
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from footfall import supervisor
from footfall.supervisor import Supervisor
from tests.support.broker import ROOT
from tests.support.wait import limit, until

pytestmark = pytest.mark.system

RUNS = "trap '{at_end}exit 0' TERM; while :; do sleep 0.05; done"
FOREIGN = "echo '1795701806: Warning: no memory'; echo '1795701806: mosquitto runs'; echo 'INFO: a delegate'; "


@pytest.mark.parametrize(
    ("command", "code", "cause"),
    [
        ("exit 0", 0, "camera was stopped"),
        ("echo '[ERR] no light'; exit 3", 3, "camera ended with exit code 3; its last line: [ERR] no light"),
        ("echo 'camera: MODEL=x: no such folder'; exit 2", 2, "camera: MODEL=x: no such folder"),
        ("kill -KILL $$", 137, "camera was killed (SIGKILL), perhaps because memory ran out"),
        ("kill -SEGV $$", 139, "camera was terminated by SIGSEGV"),
    ],
)
def test_the_first_to_end_is_the_cause(command: str, code: int, cause: str, capfd: pytest.CaptureFixture[str]) -> None:
    """The other programs are stopped. The lines of Mosquitto, TensorFlow Lite and the modules have one format."""
    counter = FOREIGN + RUNS.format(at_end='echo "[ERR] last words"; ')
    programs = {"broker": RUNS.format(at_end=""), "camera": f"sleep 0.5; {command}", "counter": counter}
    run = Supervisor(programs, {name: {"PATH": "/usr/bin:/bin"} for name in programs}, stop_last="broker")
    assert run.run() == code
    assert run.cause == cause
    shown = capfd.readouterr().out
    lines = re.findall(r"^\d\d:\d\d:\d\d counter \| (\[.*)$", shown, re.MULTILINE)
    assert lines == ["[WRN] no memory", "[INF] mosquitto runs", "[INF] a delegate", "[ERR] last words"]
    assert "\x1b" not in shown


def test_the_broker_ends_last(tmp_path: Path) -> None:
    """The broker ends after all modules. A program that does not end is killed, together with its child processes."""
    ends, child = tmp_path / "ends", tmp_path / "child"
    note = 'sleep {}; echo {} >>"$ENDS"; '
    deaf = "trap '' TERM; while :; do sleep 0.05; done"
    programs = {
        "broker": RUNS.format(at_end=note.format(0, "broker")),
        "counter": RUNS.format(at_end=note.format(0.5, "counter")),
        "bridge": RUNS.format(at_end=note.format(0.2, "bridge")),
        "camera": f'({deaf}) & echo $! >"{child}"; {deaf}',
    }
    environments = {name: {"PATH": "/usr/bin:/bin", "ENDS": str(ends)} for name in programs}
    run = Supervisor(programs, environments, stop_last="broker", shutdown_timeout=3.0)

    def stop() -> None:
        until(lambda: child.exists() and child.read_text(), what="the child")
        time.sleep(0.2)  # its parent must ignore SIGTERM too
        run.stop()

    threading.Thread(target=stop).start()
    assert (run.run(), run.cause) == (0, "")
    assert ends.read_text().split() == ["bridge", "counter", "broker"]
    stat = Path(f"/proc/{int(child.read_text())}/stat")
    until(lambda: not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z", 5, "the end of its child")


def test_it_waits_for_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop and the end of a program wake it, not a clock."""
    monkeypatch.setattr(supervisor, "WAKE_INTERVAL", 600.0)
    run = Supervisor({"broker": RUNS.format(at_end="")}, {"broker": {"PATH": "/usr/bin:/bin"}}, stop_last="broker")
    threading.Timer(0.5, run.stop).start()
    assert (run.run(), run.cause) == (0, "")
    ended = Supervisor({"broker": "sleep 0.5; exit 3"}, {"broker": {"PATH": "/usr/bin:/bin"}}, stop_last="broker")
    assert ended.run() == 3


def test_the_broker_ends_after_a_killed_launcher(tmp_path: Path) -> None:
    """The script of the broker waits for the end of its input, which the launcher holds open."""
    (tmp_path / "mosquitto").mkdir()
    (tmp_path / "mosquitto" / "start.sh").write_text("echo $$; exec sleep 600\n")
    environment = {"PATH": "/usr/bin:/bin", "FOOTFALL": str(tmp_path)}
    command = ["sh", str(ROOT / "mosquitto" / "laptop.sh")]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as script:
        assert script.stdin is not None
        assert script.stdout is not None
        broker = int(script.stdout.readline())
        assert script.poll() is None
        script.stdin.close()
        assert script.wait(limit(30)) == 128 + signal.SIGTERM
    assert not Path(f"/proc/{broker}").exists()
