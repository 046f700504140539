"""The laptop run without Docker: broker and modules under honcho, until Ctrl-C or, of a recording played once, its end.

Says in one line what keeps it from starting, says where to look once predictions flow, and what is missing when they do not.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import webbrowser
from collections.abc import Callable

if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # what is imported below takes a while, and Ctrl-C is no traceback

from bus import InvalidSetting, topics
from classifier import TrialInterrupted
from runtime.environment import warnings as environment_warnings
from runtime.logs import one_line
from scripts.follow import Follower
from scripts.plan import Plan, make_plan, prepare
from scripts.recording import summary, truth_beside
from scripts.state import ROOT

BAD_SETTING = 2


def main() -> int:
    """Runs the suite; the exit code is 0 after Ctrl-C or a recording's end, else that of the module that ended."""
    try:
        plan = make_plan()
        environment, locked = prepare(plan)
    except InvalidSetting as error:
        print(f"make run: {one_line(str(error))}", file=sys.stderr)
        return BAD_SETTING
    except TrialInterrupted as error:
        print(f"make run: {error}", file=sys.stderr)
        return 1
    for warning in environment_warnings(os.environ):
        print(f"make run: {warning}", file=sys.stderr, flush=True)
    if plan.about:
        print(plan.about, flush=True)
    command = [sys.executable, "-m", "scripts.suite", str(ROOT / "Procfile")]
    suite = subprocess.Popen(command, cwd=ROOT, env=environment, pass_fds=[locked])
    signals: list[int] = []  # no Event: a second signal inside its set() would wait for the first for ever

    def stop(number: int, _frame: object) -> None:
        signals.append(number)
        if number != signal.SIGINT:  # Ctrl-C reaches the suite as it does us
            suite.terminate()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # as nohup has it
            signal.signal(number, stop)

    def is_over() -> bool:
        return bool(signals) or suite.poll() is not None

    with Follower(plan.port, plan.capture.camera, plan.display.name, is_over) as follower:
        ended: list[str] = []
        threading.Thread(target=_follow, args=(plan, follower, suite.terminate, ended), daemon=True).start()
        code = suite.wait()
    if ended and not signals:
        print(f"\n{ended[0]}", flush=True)
        return 0
    return 0 if signals else code


def _follow(plan: Plan, follower: Follower, terminate: Callable[[], object], ended: list[str]) -> None:
    """Says where to look once predictions flow; at the end of a recording that is played once, puts the summary into `ended`."""
    if not follower.wait_for_predictions():
        return
    print(_where_to_look(plan), flush=True)
    if plan.display.web_port:
        _open(plan.display.web_address)
    if plan.is_played_once and follower.wait_for_the_end():
        truth = truth_beside(plan.capture.video_path, plan.bridge.is_background)
        ended.append(summary(plan.capture.video_path, follower.counted, truth))
        terminate()


def _open(address: str) -> None:
    """Opens the dashboard in a browser, where somebody sits before a screen."""
    has_screen = sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    if has_screen and sys.stdout.isatty():
        webbrowser.open(address)


def _where_to_look(plan: Plan) -> str:
    python = os.path.relpath(sys.executable, ROOT)
    setting = "" if plan.port == 1883 else f" MQTT_PORT={plan.port}"
    ledger = plan.state.ledger / "ledger.db"
    shown_path = ledger.relative_to(ROOT) if ledger.is_relative_to(ROOT) else ledger
    end = "The recording is played once: the run ends with it" if plan.is_played_once else "Ctrl-C stops everything"
    return f"""
Predictions flow.{_dashboard(plan)}
Visits are kept in {shown_path}{" (the demo's, apart from all others)" if plan.state.is_demo else ""}.
In another terminal:
  make watch{setting}    who is there now
  make matrix{setting}   the LED matrix, drawn in colour
  mosquitto_sub -p {plan.port} -v -t '{topics.counts()}'    visits today, by hour
  mosquitto_sub -p {plan.port} -N -t '{topics.prediction()}' | {python} -m bus    every prediction
Each visit is a line below. {end}.
"""


def _dashboard(plan: Plan) -> str:
    """Where the dashboard is: at addresses that listen, and no others."""
    shown = plan.display
    if not shown.web_port:
        return ""
    text = f" Dashboard: {shown.web_address}"
    if shown.web_host in ("0.0.0.0", "::"):
        text += f", on other machines {shown.web_address.replace('127.0.0.1', socket.gethostname())}"
    return text + (" (with the password)" if shown.web_secret is not None else "")


if __name__ == "__main__":
    sys.exit(main())
