"""``footfall run``: the whole suite without Docker, until Ctrl-C or, of a recording played once, its end.

What keeps it from starting is one line; once predictions flow it says where to look, and what is missing when they do not.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

from honcho.environ import parse_procfile

from footfall.follower import Follower
from footfall.plan import Plan, make_plan
from footfall.recording import load_truth, result_table
from footfall.state import ROOT, lock, modules_port
from footfall.supervisor import Supervisor
from runtime.errors import InvalidSetting

RUN_VARIABLE = "FOOTFALL_RUN"
"""Environment variable with this process's id; as `runtime.process` has it, whose imports are too large for here."""
BROKER_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")
"""Where the broker is besides PATH."""


def main() -> int:
    """The exit code is 0 after Ctrl-C or a recording's end, else that of the program that ended. Raises `InvalidSetting`."""
    try:
        plan = make_plan()
    except subprocess.CalledProcessError as refused:
        return refused.returncode
    environment, locked = prepare(plan)
    if plan.notice:
        print(plan.notice, flush=True)
    procfile = parse_procfile((ROOT / "Procfile").read_text("utf-8")).processes
    supervisor = Supervisor({name: procfile[name] for name in plan.programs}, environment, stop_last="broker")
    signals: list[int] = []

    def stop(number: int, _frame: object) -> None:
        signals.append(number)
        supervisor.stop()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # as nohup has it
            signal.signal(number, stop)
    result: list[str] = []
    with Follower(plan, lambda: supervisor.is_stopping) as follower:
        threading.Thread(target=_follow, args=(plan, follower, supervisor, result), daemon=True).start()
        code = supervisor.run()
    os.close(locked)
    if result and not signals:
        print(f"\n{result[0]}", flush=True)
    if supervisor.cause:
        print(f"\nfootfall run: {supervisor.cause}", file=sys.stderr, flush=True)
    return code


def prepare(plan: Plan) -> tuple[dict[str, str], int]:
    """Makes the run's folders and passwords; returns its programs' environment, and the lock on the folder (a descriptor).

    Raises `InvalidSetting`.
    """
    search = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", ""), *BROKER_FOLDERS])
    if shutil.which("mosquitto", path=search) is None:
        raise InvalidSetting("mosquitto is not installed: make setup installs it, or your package manager (package mosquitto)")
    root = plan.state.root
    try:
        plan.state.create()
        locked = lock(root, exclusive=False)
    except OSError as error:
        raise InvalidSetting(f"STATE_DIR={str(root)!r}: {error.strerror}") from None
    if locked is None:
        raise InvalidSetting(f"STATE_DIR={str(root)!r}: make reset is removing it")
    environment = {"LOG_FORMAT": "plain"} | os.environ | plan.settings | _procfile_settings(plan) | {"PATH": search}
    _create_passwords(environment)
    return environment, locked


def _procfile_settings(plan: Plan) -> dict[str, str]:
    """What the Procfile's commands find: the broker's settings, folders for state, and where the modules connect."""
    state, port = plan.state, str(_free_port(modules_port(plan.state.broker)))
    return {
        "BROKER_STATE": str(state.broker),
        "SECRETS": str(state.broker / "secrets"),
        "RUN": str(state.broker / "run"),
        "ADDRESS": "127.0.0.1",
        "USERS_PORT": port,
        "GUESTS_PORT": str(plan.port),
        "BROKER_CAMERAS": ",".join(plan.cameras),
        "STATE_DIR": str(state.ledger),
        "OUTBOX_DIR": str(state.ledger / "bridge"),
        "MODELS_DIR": str(state.ledger / "models"),
        "FOOTFALL": str(ROOT),
        "MQTT_HOST": "127.0.0.1",
        "MQTT_PORT": port,
        "MQTT_USERNAME": "",
        "MQTT_PASSWORD": "",
        "PYTHONUNBUFFERED": "1",
        RUN_VARIABLE: str(os.getpid()),
    }


def _create_passwords(environment: dict[str, str]) -> None:
    """Before the modules start, which do not wait for them as long as the broker may take."""
    made = subprocess.run([ROOT / "mosquitto" / "secrets.sh"], env=environment, stderr=subprocess.PIPE, text=True, check=False)
    if made.returncode:
        raise InvalidSetting(f"STATE_DIR: the broker's passwords cannot be kept: {made.stderr.strip()}")


def _free_port(last: int) -> int:
    """The modules' own port: that of the last run, as the broker ties what it keeps of a session to it, or else a free one.

    (The port that is set is the one at which everybody reads.)
    """
    for port in (last, 0):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise InvalidSetting("no free port on 127.0.0.1")


def _follow(plan: Plan, follower: Follower, supervisor: Supervisor, result: list[str]) -> None:
    """Says where to look once predictions flow; at the end of a recording that is played once, puts the summary into `result`."""
    if not follower.wait_for_predictions():
        return
    print(_start_message(plan), flush=True)
    if plan.address:
        _open_browser(plan.address)
    if plan.is_played_once and follower.wait_for_end():
        background = {label.casefold() for label in plan.background_labels}
        truth = load_truth(plan.video_path, lambda label: label.casefold() in background)
        result.append(result_table(plan.video_path, follower.counted_labels, truth))
        supervisor.stop()


def _open_browser(address: str) -> None:
    """Opens the dashboard in a browser, where somebody sits before a screen."""
    has_screen = sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    if has_screen and sys.stdout.isatty():
        subprocess.run([sys.executable, "-m", "webbrowser", address], stdout=subprocess.DEVNULL, check=False)


def _start_message(plan: Plan) -> str:
    python = os.path.relpath(sys.executable, ROOT)
    setting = "" if plan.port == 1883 else f" MQTT_PORT={plan.port}"
    ledger = plan.state.ledger / "ledger.db"
    shown_path = ledger.relative_to(ROOT) if ledger.is_relative_to(ROOT) else ledger
    dashboard = f" Dashboard: {plan.address_text}" if plan.address_text else ""
    end = "The recording is played once: the run ends with it" if plan.is_played_once else "Ctrl-C stops everything"
    return f"""
Predictions flow.{dashboard}
Visits are kept in {shown_path}{" (the demo's, apart from all others)" if plan.state.is_demo else ""}.
In another terminal:
  make watch{setting}    who is there now
  make matrix{setting}   the LED matrix, drawn in colour
  mosquitto_sub -p {plan.port} -v -t '{plan.topics["counts"]}'    visits today, by hour
  mosquitto_sub -p {plan.port} -F %x -t '{plan.topics["prediction"]}' | {python} -m bus    every prediction
Each visit is a line below. {end}.
"""
