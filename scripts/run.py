"""The laptop run without Docker: broker and modules under honcho, until Ctrl-C.

Says in one line what keeps it from starting, says where to look once predictions flow, and what is amiss when they do not.
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import webbrowser
from collections.abc import Sequence
from pathlib import Path

from paho.mqtt import client as mqtt

from bridge import settings as bridge
from bus import InvalidMessage, InvalidSetting, Prediction, Status, topics
from bus.environment import warnings as environment_warnings
from bus.process import RUN_VARIABLE
from bus.settings import BusSettings, load
from capture import settings as capture
from classifier import InvalidExport
from classifier import settings as classifier
from classifier.export import read_export
from demo.about import CLIP, MODEL, is_drawn, notice
from display import settings as display

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 20.0
"""Seconds without a prediction after which the modules' states are told."""


def main() -> int:
    """Runs the suite; the exit code is 0 after Ctrl-C, else that of the module that ended."""
    try:
        _fall_back_on_the_demo()
        port = load(BusSettings).mqtt_port
        about, shown = _check_settings()
        environment = _environment(port, shown.display_name)
        _check_ports(port, shown)
        _make_passwords(environment)
    except InvalidSetting as error:
        print(f"make run: {error}", file=sys.stderr)
        return 2
    for warning in environment_warnings(os.environ):
        print(f"make run: {warning}", file=sys.stderr, flush=True)
    if about:
        print(about, flush=True)
    honcho = [sys.executable, "-m", "honcho", "-f", str(ROOT / "Procfile"), "-e", os.devnull]
    if os.environ.get("NO_COLOR"):  # honcho itself writes colour to terminals only
        honcho.append("--no-colour")
    suite = subprocess.Popen([*honcho, "start"], cwd=ROOT, env=environment)
    signals: list[int] = []  # no Event: a second signal inside its set() would wait for the first for ever

    def stop(number: int, _frame: object) -> None:
        signals.append(number)
        if number != signal.SIGINT:  # Ctrl-C reaches honcho as it does us
            suite.terminate()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # as nohup has it
            signal.signal(number, stop)
    threading.Thread(target=_tell, args=(port, about, shown, signals), daemon=True).start()
    code = suite.wait()
    return 0 if signals else code


def _fall_back_on_the_demo() -> None:
    """With neither a model nor a source of one's own, the demo's; but no other pictures for its model unless it is asked for."""
    for name in ("MODEL", "VIDEO_PATH"):
        if not os.environ.get(name):
            os.environ.pop(name, None)  # make run MODEL=
    if "MODEL" in os.environ:
        return
    if not is_drawn(os.environ.setdefault("VIDEO_PATH", str(CLIP))):
        raise InvalidSetting(
            "MODEL is not set: the folder or zip of a Custom Vision export is needed for pictures of your own"
            " (without VIDEO_PATH the demo runs; its MODEL=demo/model knows drawn figures only)"
        )
    os.environ["MODEL"] = str(MODEL)


def _check_settings() -> tuple[str, display.Settings]:
    """Finds a wrong setting before anything is started; what has to be said about model and source, and how it is shown."""
    load(bridge.Settings)
    source = load(capture.Settings).video_path
    try:
        about = notice(read_export(load(classifier.Settings).model), source)
    except InvalidExport as error:
        raise InvalidSetting(f"MODEL: {error}") from None
    return about, load(display.Settings)


def _environment(port: int, display_name: str) -> dict[str, str]:
    """What the Procfile's commands find: the virtual environment first, the broker, a folder for its state, laptop defaults."""
    search = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    if shutil.which("mosquitto", path=search + os.pathsep + "/opt/homebrew/sbin") is None:
        raise InvalidSetting(
            "mosquitto is not installed: make clean and try again, or install it (Debian: apt-get install mosquitto)"
        )
    state = Path(os.environ.get("STATE_DIR") or ROOT / ".state").resolve()
    broker, ledger = state / f"mosquitto-{port}", state / f"bridge-{port}"  # two runs, two brokers
    try:
        broker.mkdir(parents=True, exist_ok=True)
        broker.chmod(0o700)  # the passwords are in there
    except OSError as error:
        raise InvalidSetting(f"STATE_DIR={str(state)!r}: {error.strerror}") from None
    modules_port = str(_modules_port(broker))
    cameras = dict.fromkeys((load(capture.Settings).camera, *load(classifier.Settings).cameras))
    defaults = {"LOG_FORMAT": "plain", "MATRIX": "none"}
    own = {
        "PATH": search,
        "BROKER_STATE": str(broker),
        "SECRETS": str(broker / "secrets"),
        "RUN": str(broker / "run"),
        "ADDRESS": "127.0.0.1",
        "USERS_PORT": modules_port,
        "GUESTS_PORT": str(port),
        "BROKER_CAMERAS": ",".join(cameras),
        "CAMERAS": ",".join(cameras) if os.environ.get("CAMERAS") else "",
        "DISPLAYS": display_name,
        "STATE_DIR": str(ledger),
        "FOOTFALL": str(ROOT),
        "MQTT_HOST": "127.0.0.1",
        "MQTT_PORT": modules_port,
        "MQTT_USERNAME": "",
        "MQTT_PASSWORD": "",
        "PYTHONUNBUFFERED": "1",
        RUN_VARIABLE: str(os.getpid()),
    }
    return defaults | os.environ | own


def _make_passwords(environment: dict[str, str]) -> None:
    """Before the modules start, which do not wait for them as long as the broker may take."""
    made = subprocess.run([ROOT / "mosquitto" / "secrets.sh"], env=environment, stderr=subprocess.PIPE, text=True, check=False)
    if made.returncode:
        raise InvalidSetting(f"STATE_DIR: the broker's passwords cannot be kept: {made.stderr.strip()}")


def _modules_port(broker: Path) -> int:
    """The modules' own: that of the last run, as the broker ties what it keeps of a session to it, or else a free one.

    (The port that is set is the one at which everybody reads.)
    """
    told = broker / "run" / "operator" / "mosquitto_pub"
    last = re.search(r"^-p (\d+)$", told.read_text() if told.exists() else "", re.MULTILINE)
    for port in (int(last[1]) if last else 0, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise InvalidSetting("no free port on 127.0.0.1")


def _check_ports(port: int, shown: display.Settings) -> None:
    _check_free(
        "127.0.0.1",
        port,
        "perhaps by the system's own Mosquitto (sudo systemctl disable --now mosquitto) or another run: stop that, or choose"
        f" another, as MQTT_PORT={port + 1}",
    )
    if shown.web_port:
        other = f"perhaps by another run: choose another for the dashboard, as WEB_PORT={shown.web_port + 1}, or none, WEB_PORT=0"
        _check_free(shown.web_host, shown.web_port, other)


def _check_free(host: str, port: int, otherwise: str) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise InvalidSetting(f"port {port} on {host} is taken ({error.strerror}), {otherwise}") from None


def _open(address: str) -> None:
    """Opens the dashboard in a browser, where somebody sits before a screen."""
    has_screen = sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    if has_screen and sys.stdout.isatty():
        webbrowser.open(address)


def _tell(port: int, about: str, shown: display.Settings, signals: Sequence[int]) -> None:
    """Waits for the first prediction and says where to look; says now and then what is amiss until then."""
    flows = threading.Event()
    states: dict[str, Status] = {}

    def take_in(client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        try:
            if message.topic.startswith(topics.status("")):
                status = Status.unpack(message.payload)
                states[status.module] = status
            else:
                Prediction.unpack(message.payload)
                flows.set()
                client.unsubscribe(topics.prediction())
        except InvalidMessage:
            return

    client = mqtt.Client()
    client.on_connect = lambda *_: client.subscribe([(topics.prediction(), 0), (topics.status(), 0)])
    client.on_message = take_in
    client.reconnect_delay_set(1, 5)
    client.connect_async("127.0.0.1", port)
    client.loop_start()
    while not flows.wait(PATIENCE) and not signals:
        amiss = [f"{one.module} is {one.state}{one.detail and f' ({one.detail})'}" for one in states.values()]
        print(f"\nNo prediction yet: {'; '.join(sorted(amiss)) or 'no module has reported'}\n", flush=True)
    client.disconnect()
    if not signals:
        print(_where_to_look(port, about, shown), flush=True)
        if shown.web_port:
            _open(shown.web_address)


def _where_to_look(port: int, about: str, shown: display.Settings) -> str:
    python = os.path.relpath(sys.executable, ROOT)
    setting = "" if port == 1883 else f" MQTT_PORT={port}"
    dashboard = f" Dashboard: {shown.web_address}" if shown.web_port else ""
    if dashboard and shown.web_secret is not None:
        dashboard += f", and with the password {shown.web_address.replace('127.0.0.1', socket.gethostname())}"
    return f"""
{about}
Predictions flow.{dashboard}
In another terminal:
  make watch{setting}    who is there now
  make matrix{setting}   the LED matrix, drawn in colour
  mosquitto_sub -p {port} -v -t '{topics.counts()}'    visits today, by hour
  mosquitto_sub -p {port} -N -t '{topics.prediction()}' | {python} -m bus    every prediction
Each visit is a line below. Ctrl-C stops everything.
"""


if __name__ == "__main__":
    sys.exit(main())
