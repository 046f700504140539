"""What ``make run`` is to run: found and checked before anything is started."""

import logging
import os
import shutil
import socket
import subprocess
import sys
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from bridge import settings as bridge
from bus import InvalidSetting
from bus.settings import BusSettings
from capture import settings as capture
from capture.scenes import is_drawn
from capture.source import SourceLost
from capture.sources import Local, source_of
from classifier import InvalidExport
from classifier import settings as classifier
from classifier.export import read_export
from classifier.interpreter import Classifier
from classifier.runtime import Runtime
from demo.about import CLIP, MODEL, notice
from display import icons
from display import settings as display
from runtime.address import public_address
from runtime.process import RUN_VARIABLE
from runtime.settings import load
from scripts.state import ROOT, RunState, lock, modules_port, state_dir

SEARCHED = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")
"""Where the broker is besides PATH."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The settings of a run, all of them checked; `about` is what has to be said about the demo, or empty."""

    port: int
    about: str
    state: RunState
    capture: capture.Settings
    classifier: classifier.Settings
    display: display.Settings
    bridge: bridge.Settings

    @property
    def is_played_once(self) -> bool:
        """Whether the source is a recording with an end, at which the run ends too."""
        return not self.capture.loop_video and _is_recording(self.capture)


def make_plan() -> Plan:
    """The plan that the environment asks for. Raises `InvalidSetting`, with one line, for whatever is wrong with it."""
    check_source(load(capture.Settings))
    _fall_back_on_the_demo()
    port = load(BusSettings).mqtt_port
    settings = load(bridge.Settings), load(capture.Settings), load(classifier.Settings), load(display.Settings)
    counting, camera, model, shown = settings
    _check_icons(shown)
    about = _check_model(model, camera)
    plan = Plan(port, about, RunState(state_dir(), port, bool(about)), camera, model, shown, counting)
    _check_ports(plan)
    return plan


def prepare(plan: Plan) -> tuple[dict[str, str], int]:
    """Makes the run's folders and passwords; returns its processes' environment, and the lock on the folder (a descriptor).

    Raises `InvalidSetting`.
    """
    search = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", ""), *SEARCHED])
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
    environment = _environment(plan, search)
    _make_passwords(environment)
    return environment, locked


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


def _is_recording(settings: capture.Settings) -> bool:
    return isinstance(source_of(settings.video_path, settings.frame_rate), Local)


def check_source(settings: capture.Settings) -> None:
    """A file or a folder must give a picture; a camera or a stream may come later. Raises `InvalidSetting`."""
    if not _is_recording(settings):
        return
    needed = "a video file or a folder of pictures is needed"
    logger = logging.getLogger("capture")
    level = logger.level
    logger.setLevel(logging.ERROR)  # capture itself warns of the files that it skips
    try:
        with closing(source_of(settings.video_path, settings.frame_rate).pictures()) as pictures:
            if all(picture is None for picture in pictures):
                raise InvalidSetting(f"VIDEO_PATH: {settings.video_path}: there is no picture in it; {needed}")
    except SourceLost as error:
        raise InvalidSetting(f"VIDEO_PATH: {error}; {needed}") from None
    finally:
        logger.setLevel(level)


def _check_icons(settings: display.Settings) -> None:
    try:
        icons.read_icons(*([settings.icons] if settings.icons else []), icons.OWN)
    except icons.InvalidIcon as error:
        raise InvalidSetting(f"ICONS: {error}") from None


def _check_model(settings: classifier.Settings, camera: capture.Settings) -> str:
    """Loads the model as the classifier will; what has to be said about it and the source."""
    try:
        export = read_export(settings.model)
        Classifier(export, Runtime(settings.num_threads, xnnpack=False, delegate=settings.delegate))
    except InvalidExport as error:
        raise InvalidSetting(f"MODEL={public_address(str(settings.model))!r}: {error}") from None
    return notice(export, camera.video_path)


def _environment(plan: Plan, search: str) -> dict[str, str]:
    """What the Procfile's commands find: the virtual environment first, the broker, folders for their state, laptop defaults."""
    state = plan.state
    modules_port = str(_modules_port(state.broker))
    cameras = dict.fromkeys((plan.capture.camera, *plan.classifier.cameras))
    defaults = {"LOG_FORMAT": "plain"}
    own = {
        "PATH": search,
        "BROKER_STATE": str(state.broker),
        "SECRETS": str(state.broker / "secrets"),
        "RUN": str(state.broker / "run"),
        "ADDRESS": "127.0.0.1",
        "USERS_PORT": modules_port,
        "GUESTS_PORT": str(plan.port),
        "BROKER_CAMERAS": ",".join(cameras),
        "CAMERAS": ",".join(cameras) if plan.classifier.cameras else "",
        "DISPLAYS": plan.display.display_name,
        "STATE_DIR": str(state.ledger),
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
    for port in (modules_port(broker), 0):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise InvalidSetting("no free port on 127.0.0.1")


def _check_ports(plan: Plan) -> None:
    port, shown, served = plan.port, plan.display, plan.classifier
    _check_free(
        "127.0.0.1",
        port,
        "perhaps by the system's own Mosquitto (sudo systemctl disable --now mosquitto) or another run: stop that, or choose"
        f" another, as MQTT_PORT={port + 1}",
    )
    if shown.web_port:
        other = f"perhaps by another run: choose another for the dashboard, as WEB_PORT={shown.web_port + 1}, or none, WEB_PORT=0"
        _check_free(shown.web_host, shown.web_port, other)
    if served.http_port is not None:
        other = f"perhaps by another run: choose another for the classifier, as HTTP_PORT={served.http_port + 1}"
        _check_free(served.http_host, served.http_port, other)


def _check_free(host: str, port: int, otherwise: str) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise InvalidSetting(f"port {port} on {host} is taken ({error.strerror}), {otherwise}") from None
