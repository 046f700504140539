"""``footfall run``: runs the suite without Docker, until Ctrl-C or the end of a recording that is played once.

It prints one line if it cannot start, what is missing until predictions arrive, and then where to see the results.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

from honcho.environ import parse_procfile

from footfall.follower import Follower
from footfall.plan import Plan, make_plan
from footfall.ports import free_port
from footfall.recording import result_table
from footfall.state import BROKER_FOLDERS, ROOT, lock, modules_port
from footfall.supervisor import Supervisor
from runtime.environment import SETTINGS, without
from runtime.errors import InvalidSetting

RUN_VARIABLE = "FOOTFALL_RUN"
"""Environment variable with this process's id. Copied from `runtime.process`, whose imports take too much memory."""


def main() -> int:
    """Returns 0 after Ctrl-C or a recording's end, else the exit code of the first program to end. Raises `InvalidSetting`."""
    try:
        plan = make_plan()
    except subprocess.CalledProcessError as refused:
        return refused.returncode
    environment, locked = prepare(plan)
    if plan.notice:
        print(plan.notice, flush=True)
    procfile = parse_procfile((ROOT / "footfall" / "Procfile").read_text("utf-8")).processes
    environments = {name: without(environment, plan.foreign[name]) for name in plan.programs}
    supervisor = Supervisor({name: procfile[name] for name in plan.programs}, environments, stop_last="broker")
    signals: list[int] = []

    def stop(number: int, _frame: object) -> None:
        signals.append(number)
        supervisor.stop()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup ignores SIGHUP
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
    """Creates the run's folders and passwords. Returns the environment of its programs, and the descriptor of the folder's lock.

    Raises `InvalidSetting`.
    """
    search = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", ""), *BROKER_FOLDERS])
    if shutil.which("mosquitto", path=search) is None:
        raise InvalidSetting("mosquitto is not installed; install it with make setup, or with your package manager")
    root = plan.state.root
    try:
        plan.state.create()
        locked = lock(root, exclusive=False)
    except OSError as error:
        raise InvalidSetting(f"STATE_DIR={str(root)!r}: {error.strerror}") from None
    if locked is None:
        raise InvalidSetting(f"STATE_DIR={str(root)!r}: in use by make reset; try again when it has ended")
    environment = {"LOG_FORMAT": "plain"} | os.environ | plan.settings | _procfile_settings(plan) | {"PATH": search}
    _create_passwords(environment)
    return environment, locked


def _procfile_settings(plan: Plan) -> dict[str, str]:
    """Returns the variables for the Procfile's commands: the broker's settings, the state folders, the modules' connection."""
    state, port = plan.state, str(free_port(modules_port(plan.state.broker)))
    return {
        "BROKER_STATE": str(state.broker),
        "SECRETS": str(state.broker / "secrets"),
        "RUN": str(state.broker / "run"),
        "ADDRESS": "127.0.0.1",
        "USERS_PORT": port,
        "GUESTS_PORT": str(plan.port),
        "BROKER_CAMERAS": ",".join(plan.cameras),
        "STATE_DIR": str(state.data),
        "OUTBOX_DIR": str(state.data / "bridge"),
        "MODELS_DIR": str(state.data / "models"),
        "FOOTFALL": str(ROOT),
        "MQTT_HOST": "127.0.0.1",
        "MQTT_PORT": port,
        "MQTT_USERNAME": "",
        "MQTT_PASSWORD": "",
        "PYTHONUNBUFFERED": "1",
        RUN_VARIABLE: str(os.getpid()),
    }


def _create_passwords(environment: dict[str, str]) -> None:
    """Creates the broker's passwords before the modules start, because these do not wait long enough for them."""
    own = without(environment, SETTINGS) | {"CAMERAS": environment["BROKER_CAMERAS"]}
    made = subprocess.run([ROOT / "mosquitto" / "secrets.sh"], env=own, stderr=subprocess.PIPE, text=True, check=False)
    if made.returncode:
        raise InvalidSetting(f"STATE_DIR: the broker's passwords cannot be stored: {made.stderr.strip()}")


def _follow(plan: Plan, follower: Follower, supervisor: Supervisor, result: list[str]) -> None:
    """Prints where to see the results once predictions arrive. Appends the result of a recording that is played once."""
    if not follower.wait_for_predictions():
        return
    print(_start_message(plan), flush=True)
    if plan.address:
        _open_browser(plan.address)
    if plan.is_played_once and follower.wait_for_end():
        result.append(result_table(plan.video_path, follower.counted_labels, plan.truth))
        supervisor.stop()


def _open_browser(address: str) -> None:
    """Opens the dashboard in a browser, if this is a terminal on a machine with a screen."""
    has_screen = sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    if has_screen and sys.stdout.isatty():
        subprocess.run([sys.executable, "-m", "webbrowser", address], stdout=subprocess.DEVNULL, check=False)


def _start_message(plan: Plan) -> str:
    python = os.path.relpath(sys.executable, ROOT)
    setting = "" if plan.port == 1883 else f" MQTT_PORT={plan.port}"
    ledger = plan.state.data / "ledger.db"
    shown_path = ledger.relative_to(ROOT) if ledger.is_relative_to(ROOT) else ledger
    dashboard = f" Dashboard: {plan.address_text}" if plan.address_text else ""
    end = "The run ends with the recording" if plan.is_played_once else "Ctrl-C stops everything"
    return f"""
Footfall is counting.{dashboard}
Visits are stored in {shown_path}{" (the demo has its own ledger)" if plan.state.is_demo else ""}.
In another terminal:
  make watch{setting}    the current label, and today's visits
  make matrix{setting}   the LED matrix in colour
  mosquitto_sub -p {plan.port} -v -t '{plan.topics["counts"]}'    today's visits by hour
  mosquitto_sub -p {plan.port} -F %x -t '{plan.topics["prediction"]}' | {python} -m bus    every prediction
{"Each crossing and visit is printed below. " if plan.prints_visits else ""}{end}.
"""
