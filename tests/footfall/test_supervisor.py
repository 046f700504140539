"""Programs that start together and end together."""

import re
import threading
import time
from pathlib import Path

import pytest

from footfall.supervisor import Supervisor, in_one_format
from tests.support.wait import limit, until

RUNS = "trap 'exit 0' TERM; while :; do sleep 0.05; done"
DEAF = "trap '' TERM; while :; do sleep 0.05; done"


@pytest.mark.system
@pytest.mark.parametrize(
    ("command", "code", "cause"),
    [
        ("exit 0", 0, "camera was stopped"),
        ("echo '[ERR] no light'; exit 3", 3, "camera ended with exit code 3; its last line: [ERR] no light"),
        ("echo 'camera: MODEL=x: no such folder'; exit 2", 2, "camera: MODEL=x: no such folder"),
        ("kill -KILL $$", 137, "camera was killed (SIGKILL), as the system does when memory runs out"),
        ("kill -SEGV $$", 139, "camera was ended by SIGSEGV"),
    ],
)
def test_the_first_to_end_is_the_cause(command: str, code: int, cause: str, capfd: pytest.CaptureFixture[str]) -> None:
    """The others are stopped, whatever they say then, and however many end at the same time."""
    says_goodbye = "trap 'echo last words; exit 0' TERM; while :; do sleep 0.05; done"
    programs = {"broker": RUNS, "camera": f"sleep 0.2; {command}", "counter": says_goodbye}
    run = Supervisor(programs, {"PATH": "/usr/bin:/bin"}, last="broker")
    assert run.run() == code
    assert run.cause == cause
    shown = capfd.readouterr().out
    assert re.search(r"^\d\d:\d\d:\d\d counter \| last words$", shown, re.MULTILINE)
    assert "\x1b" not in shown


@pytest.mark.system
def test_the_broker_ends_last(tmp_path: Path) -> None:
    """The modules have said goodbye to it by then; who does not end is killed."""
    ends = tmp_path / "ends"
    note = "trap 'sleep {pause}; echo {name} >>\"$ENDS\"; exit 0' TERM; while :; do sleep 0.05; done"
    programs = {
        "broker": note.format(pause=0, name="broker"),
        "counter": note.format(pause=0.5, name="counter"),
        "bridge": note.format(pause=0.2, name="bridge"),
    }
    run = Supervisor(programs, {"PATH": "/usr/bin:/bin", "ENDS": str(ends)}, last="broker")
    threading.Timer(0.5, run.stop).start()
    assert (run.run(), run.cause) == (0, "")
    assert ends.read_text().split() == ["bridge", "counter", "broker"]


@pytest.mark.system
def test_what_does_not_end_is_killed(tmp_path: Path) -> None:
    """With all that it has started."""
    child = tmp_path / "child"
    programs = {"broker": RUNS, "camera": f'({DEAF}) & echo $! >"{child}"; {DEAF}'}
    run = Supervisor(programs, {"PATH": "/usr/bin:/bin"}, last="broker", shutdown_timeout=0.3)
    threading.Timer(0.5, run.stop).start()
    began = time.monotonic()
    assert run.run() == 0
    assert time.monotonic() - began < limit(2)
    stat = Path(f"/proc/{int(child.read_text())}/stat")
    until(lambda: not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z", 5, "the end of its child")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("1795701806: Warning: no memory", "[WRN] no memory"),
        ("1795701806: mosquitto version 2.0.11 running", "[INF] mosquitto version 2.0.11 running"),
        ("INFO: Created TensorFlow Lite XNNPACK delegate for CPU.", "[INF] Created TensorFlow Lite XNNPACK delegate for CPU."),
        ("[ERR] as the modules have it", "[ERR] as the modules have it"),
    ],
)
def test_lines_are_in_one_format(line: str, expected: str) -> None:
    """Mosquitto's, TensorFlow Lite's, and the modules'."""
    assert in_one_format(line) == expected
