"""Environment variables that look like a misspelt setting."""

import os
import re

import pytest

from bus.settings import BusSettings
from runtime import process
from runtime.environment import SETTINGS, misspelt
from runtime.settings import variables_of
from tests.runtime.modules import MODULES, settings_of
from tests.support.broker import ROOT

USUAL = """
PATH HOME USER SHELL LANG LC_ALL PWD TERM DISPLAY XDG_RUNTIME_DIR SSH_CLIENT SSH_TTY TZ TZDIR MAKEFLAGS MAKELEVEL MFLAGS HOSTNAME
HOST HOSTTYPE PORT PYTHONPATH VIRTUAL_ENV MODE http_proxy HTTP_PROXY NO_PROXY IOTEDGE_MODULEID IOTEDGE_MODULEGENERATIONID
IOTEDGE_DEVICEID IOTEDGE_GATEWAYHOSTNAME EdgeHubConnectionString RuntimeLogLevel STATE_DIRECTORY LOGS_DIRECTORY CACHE_DIRECTORY
NOTIFY_SOCKET CI GITHUB_TOKEN LS_COLORS MAIL NO_COLOR DEBUG LOG_LEVEL COMPOSE_PROJECT_NAME OMP_NUM_THREADS TF_NUM_INTRAOP_THREADS
OPENCV_LOG_LEVEL SESSION_MANAGER VTE_VERSION SHLVL COLUMNS LINES NAME WSLENV COMMAND_MODE DB_HOST DB_PORT DB_PASSWORD PGPASSWORD
POSTGRES_PASSWORD
"""
"""Of a desk, a Raspberry Pi, an IoT Edge module, a container and CI."""

OWN_FILES = (
    "Makefile",
    "Procfile",
    ".env.template",
    "mosquitto/*.sh",
    "scripts/*",
    "footfall/*.py",
    "Dockerfile",
    "docker-compose*.yml",
)
"""Files with variables other than the modules' settings."""


def variables(module: str) -> set[str]:
    """The names of a module's settings, in capitals."""
    return {name.upper() for variable in variables_of(settings_of(module)).values() for name in variable.names}


def test_all_settings_are_known() -> None:
    """Otherwise another module would report one as misspelt."""
    assert {name for module in MODULES for name in variables(module)} == SETTINGS


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("THRESHHOLD", "THRESHOLD"),
        ("threshhold", "THRESHOLD"),
        ("FRAMERATE", "FRAME_RATE"),
        ("CAMRA", "CAMERA"),
        ("MQTT_USER", "MQTT_USERNAME"),
        ("VISIT_GAP_SECOND", "VISIT_GAP_SECONDS"),
    ],
)
def test_a_typing_error_is_found(name: str, meant: str) -> None:
    """In capitals or not."""
    assert misspelt([name]) == {name: meant}


def test_other_variables_raise_no_alarm() -> None:
    """Usual ones, those of the suite's own scripts and images, settings in small letters."""
    files = [path for pattern in OWN_FILES for path in ROOT.glob(pattern) if path.is_file()]
    assert files
    own = {name for path in files for name in re.findall(r"\b[A-Z][A-Z_]+\b", path.read_text())} - {
        "LABEL"
    }  # an instruction of Dockerfiles
    assert misspelt({*USUAL.split(), *own, *SETTINGS, *(name.lower() for name in SETTINGS)}) == {}


def test_a_module_warns_of_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Once at its start; in a laptop run, which has warned for all of them, not at all."""
    monkeypatch.setenv("THRESHHOLD", "0.8")
    monkeypatch.delenv(process.RUN_VARIABLE, raising=False)
    assert process.run(lambda *_: None, BusSettings, "", []) == 0
    assert "THRESHHOLD is not a setting, so it changes nothing: is THRESHOLD meant?" in capsys.readouterr().err
    monkeypatch.setenv(process.RUN_VARIABLE, str(os.getpid()))
    assert process.run(lambda *_: None, BusSettings, "", []) == 0
    assert "THRESHHOLD" not in capsys.readouterr().err
