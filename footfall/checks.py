"""The checks before ``footfall run`` starts. Prints the plan, or prints the reason and exits with code 2."""

import os
import signal
import socket
import sys

if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C during the slow imports below prints no traceback
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})

from bridge.settings import Settings as BridgeSettings
from bridge.sinks import check_sink
from bus import InvalidSetting, topics
from bus.settings import BusSettings
from capture.settings import Settings as CaptureSettings
from classifier import InvalidExport
from classifier.export import read_export
from classifier.settings import Settings as ClassifierSettings
from classifier.visitors import means_nobody
from counter.settings import Settings as CounterSettings
from dashboard.settings import Settings as DashboardSettings
from demo.about import DEMOS, notice
from display.icons import load_icons
from display.settings import Settings as DisplaySettings
from footfall.camera import check_source, is_recording, load_settings
from footfall.models import LoadedModels, print_line, set_default_model
from footfall.own_settings import foreign_settings
from footfall.plan import Plan
from footfall.ports import port_problem
from footfall.recording import load_truth
from runtime.address import public_address
from runtime.settings import load

BAD_SETTING = 2
PASSED_ON = ("MODEL", "VIDEO_PATH", "SOURCE_MODULES", "LINES", "ZONES")
"""Settings with defaults of a run, which its programs get."""
USE_OF_MODEL = {"detector", "visitors", "background_labels", "delegate"}
"""Fields that a model may not fit."""


def check() -> Plan:
    """Returns the plan for the environment's settings. Raises `InvalidSetting`."""
    check_source(load_settings())
    set_default_model()
    port = load(BusSettings).mqtt_port
    capture, classifier, dashboard = load_settings(), load(ClassifierSettings), load(DashboardSettings)
    load(CounterSettings)
    display, bridge = load(DisplaySettings), load(BridgeSettings)
    for sink in bridge.sink_names:
        check_sink(sink)
    has_display = display.matrix != "none"
    if has_display:
        load_icons(display.icons)
    notice = _check_model(classifier, capture)
    _check_ports(port, dashboard, classifier)
    cameras = tuple(dict.fromkeys((capture.camera, *classifier.cameras)))
    programs = ["broker", "capture", "classifier", "counter", "bridge"]
    programs += ["dashboard"] if dashboard.web_port else []
    programs += ["display"] if has_display else []
    settings = {"CAMERAS": ",".join(cameras) if classifier.cameras else "", "DISPLAYS": display.display_name}
    return Plan(
        port=port,
        notice=notice,
        programs=tuple(programs),
        settings=settings | {name: os.environ[name] for name in PASSED_ON if name in os.environ},
        camera=capture.camera,
        cameras=cameras,
        video_path=capture.video_path,
        is_played_once=not capture.loop_video and is_recording(capture),
        truth=load_truth(capture.video_path, lambda label: means_nobody(label, classifier.background_labels)),
        dashboard=dashboard.name if dashboard.web_port else "",
        address=dashboard.web_address if dashboard.web_port else "",
        address_text=_address_text(dashboard) if dashboard.web_port else "",
        topics={
            "prediction": topics.prediction(),
            "status": topics.status(),
            "counts": topics.counts(),
            "visit": topics.visit(capture.camera),
        },
        prints_visits="log" in bridge.sink_names and bridge.forward != "none",
        foreign={program: sorted(foreign_settings(program)) for program in programs},
    )


def _check_model(settings: ClassifierSettings, camera: CaptureSettings) -> str:
    """Loads the models as the classifier does, unless they are the demo's, which are known to load.

    Returns the demo's notice for model and source. Raises `InvalidSetting`.
    """
    path = settings.model
    if not _is_plain_demo(settings):
        path = LoadedModels(settings.model_copy(update={"xnnpack": False}), "run").path
    try:
        export = read_export(path)
    except InvalidExport as error:
        raise InvalidSetting(f"MODEL={public_address(str(path))!r}: {error}") from None
    return notice(export, camera.create_source().is_drawn())


def _is_plain_demo(settings: ClassifierSettings) -> bool:
    """Returns whether the model is one of the demo's, and no setting says how to use it."""
    return settings.model in [demo.model for demo in DEMOS.values()] and not settings.model_fields_set & USE_OF_MODEL


def _address_text(settings: DashboardSettings) -> str:
    """Returns the addresses at which the dashboard listens, as text."""
    text = settings.web_address
    if settings.web_host in ("0.0.0.0", "::"):
        text += f", on other machines {text.replace('127.0.0.1', socket.gethostname())}"
    return text + (" (with the password)" if settings.web_secret is not None else "")


def _check_ports(port: int, dashboard: DashboardSettings, classifier: ClassifierSettings) -> None:
    system = "the system's own Mosquitto (sudo systemctl disable --now mosquitto) or "
    _check_free("127.0.0.1", port, f"{system}another run; stop it, or set another port: MQTT_PORT={port + 1}")
    if port := dashboard.web_port:
        hint = f"another run; set another port for the dashboard: WEB_PORT={port + 1}, or WEB_PORT=0 for no dashboard"
        _check_free(dashboard.web_host, port, hint)
    if port := classifier.http_port or 0:
        _check_free(classifier.http_host, port, f"another run; set another port for the classifier: HTTP_PORT={port + 1}")


def _check_free(host: str, port: int, hint: str) -> None:
    if problem := port_problem(host, port):
        raise InvalidSetting(f"port {port} on {host} cannot be used ({problem}), perhaps because of {hint}")


def main() -> int:
    """Prints the plan as JSON. Returns the exit code."""
    try:
        print(check().to_json())
    except InvalidSetting as error:
        print_line("run", str(error))
        return BAD_SETTING
    return 0


if __name__ == "__main__":
    sys.exit(main())
