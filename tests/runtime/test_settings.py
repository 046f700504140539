"""Settings: values from the environment, error messages, and warnings about misspelt names."""

import logging
import os
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from bus import InvalidSetting
from bus.fields import Text
from bus.settings import BusSettings
from capture.settings import Settings as CaptureSettings
from classifier.settings import Settings as ClassifierSettings
from runtime import environment, process
from runtime.explanation import first_problem
from runtime.settings import environment_variables, load
from tests.bus.test_messages import FOR_PROGRAMS
from tests.support.broker import ROOT

SETTINGS = {
    module: import_module(f"{module}.settings").Settings
    for module in ("bridge", "capture", "classifier", "counter", "dashboard", "display")
}
BAD_HOSTS = ("mqtt://broker", "me:word@broker", "broker/x", "the broker", "a" * 64)
BAD_TEXTS = ["x", "-1", "nan", "inf", "1e99", "0.5", "45", "9" * 30, "Front Door", "a,B c", "/no/such", "a" * 300, "..", "\x07"]


@pytest.fixture(autouse=True)
def _logging() -> Iterator[None]:
    """Restores the log handlers, which a program replaces when it starts."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize(
    ("variables", "problem", "may_appear"),
    [
        *(({"MQTT_HOST": host}, "must be a host name or IP address", False) for host in BAD_HOSTS),
        ({"MQTT_HOST": "b/" * 5000}, f"MQTT_HOST='{'b/' * 99}b...: must be a host name", False),
        *(({"CAMERA": camera}, "lower-case letters", False) for camera in ("Door", "a/b", "+")),
        *(({"CAMERA": camera}, "is reserved; a camera cannot be called", False) for camera in ("status", "display", "query")),
        ({"LOOP_VIDEO": "1.5", "ROTATE": "45"}, "true or false; ROTATE=45: must be 0, 90, 180 or 270", False),
        *(
            ({"REGION": value}, f"REGION='{value}': must be x,y,w,h", False)
            for value in ("0,0,1", "0,0,1,2", "nan,0,1,1", "a,b,c,d")
        ),
        ({"REGION": "0.5,0,0.6,1"}, "ends outside of the picture: x + w is 1.1; 1 is the maximum", False),
        ({"REGION": "0,0,1,0.01"}, "h is 0.01; 0.05 of the picture is the minimum", False),
        ({"VIDEO_PATH": "ftp://me:secret@host/a"}, "VIDEO_PATH='ftp://host': ", False),
        ({"MQTT_PASSWORD_FILE": "none"}, "No such file", True),
        ({"MQTT_PASSWORD_FILE": "none/none"}, "No such file", True),
        ({"MQTT_PASSWORD_FILE": "empty"}, "is empty", True),
        ({"MQTT_PASSWORD_FILE": "none", "MQTT_PORT": "fast", "MQTT_PASSWORD": "secret"}, "MQTT_PORT='fast': ", False),
        ({"MQTT_PASSWORD_FILE": "."}, "Is a directory", False),
        ({"MQTT_PASSWORD_FILE": "bytes"}, "not UTF-8 text", False),
        (
            {"MQTT_PASSWORD_FILE": "text", "MQTT_PASSWORD": "secret"},
            "set either MQTT_PASSWORD or MQTT_PASSWORD_FILE, not both",
            False,
        ),
        ({"MQTT_CA_FILE": "text"}, "must be a certificate in PEM format", False),
    ],
)
def test_an_invalid_setting_ends_the_module_with_one_line(
    variables: dict[str, str],
    problem: str,
    may_appear: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The exit code is 2, and the line has no secrets. The module first waits for a password file that may still appear."""
    monkeypatch.chdir(tmp_path)
    for name, content in {"empty": b"", "bytes": b"\xff\xfe", "text": b"no certificate"}.items():
        Path(name).write_bytes(content)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert process.run(lambda *_: None, CaptureSettings, "", [], file_timeout=0.5) == 2
    *waiting, refused = capsys.readouterr().err.splitlines()
    assert waiting == ([f"{refused}; waiting for the file"] if may_appear else [])
    assert refused.startswith("capture: ")
    assert next(iter(variables)) in refused
    assert problem in refused
    assert "secret" not in refused


@pytest.mark.parametrize(
    ("variables", "setting", "value"),
    [
        ({"RESIZE_WIDTH": ""}, "resize_width", None),  # as Docker Compose passes unset variables
        ({"CONVERT_TO_GRAY": "TRUE"}, "convert_to_gray", True),  # as in the classic sample
        ({"REGION": ""}, "region", None),
        ({"REGION": "0.7, 0,0.3,1"}, "region", (0.7, 0.0, 0.3, 1.0)),
        ({"CONVERT_TO_GRAY": "yes"}, "convert_to_gray", True),
        ({"convert_to_gray": "yes"}, "convert_to_gray", True),
        ({"MODULE_NAME": "", "IOTEDGE_MODULEID": "eye"}, "name", "eye"),
        ({"HEALTH_FILE": "~/m"}, "health_file", Path.home() / "m"),  # not every shell expands ~ after =
        ({"RuntimeLogLevel": "Debug"}, "detailed", True),  # set by edgeAgent
        ({}, "detailed", False),
        ({}, "name", "capture"),
        ({"CAMERA": "back"}, "name", "capture-back"),  # so that a second capture does not disconnect the first
        ({"CAMERA": "back", "IOTEDGE_MODULEID": "Camera.Two"}, "name", "camera-two"),  # IoT Edge allows capitals and dots
        ({}, "username", None),
        ({"MQTT_PASSWORD": "secret"}, "username", "capture"),
        ({"MQTT_PASSWORD": "secret", "CAMERA": "back"}, "username", "capture-back"),
        ({"MQTT_PASSWORD": "secret", "MQTT_USERNAME": "eye"}, "username", "eye"),
    ],
)
def test_variables_become_settings(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], setting: str, value: object
) -> None:
    """Variables override the defaults of fields and properties."""
    for name, text in variables.items():
        monkeypatch.setenv(name, text)
    assert getattr(load(CaptureSettings), setting) == value


def test_labels_are_comma_separated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spaces around labels are removed."""
    monkeypatch.setenv("BACKGROUND_LABELS", "empty street , Nobody,")
    assert load(ClassifierSettings).background_labels == ("empty street", "Nobody")


@pytest.mark.parametrize("module", SETTINGS)
def test_errors_of_settings_are_in_plain_words(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any value of any variable is accepted, or refused without pydantic's technical terms."""
    for name in [variable.names[0] for variable in environment_variables(SETTINGS[module]).values()]:
        for value in BAD_TEXTS:
            with monkeypatch.context() as patch:
                patch.setenv(name, value)
                try:
                    load(SETTINGS[module])
                except InvalidSetting as refused:
                    problem = str(refused).replace(value, "")
                    assert name in problem
                    assert not FOR_PROGRAMS.search(problem), problem
                    assert "not allowed here" not in problem


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (Literal["none", "visits", "all"], "some", "must be none, visits or all"),
        (Text, "", "must be text of 1 to 256 characters, without control characters"),
        (Annotated[float, Field(ge=0, le=86400)], "x", "must be a number from 0 to 86400"),
        (Annotated[float, Field(gt=0)], 0, "must be a number above 0"),
        (Annotated[int, Field(gt=0)], 0, "must be a whole number of at least 1"),
        (Annotated[int, Field(gt=0, json_schema_extra={"allowed": "must be positive"})], 0, "must be positive"),
        (dict[str, int], "now", "must be a map"),
        (dict[str, tuple[int, int] | None], {"a": [1, "x"]}, "a.1: must be a whole number"),
        (dict[str, int], {"a\u202e\n": "x"}, r"a\u202e\n: must be a whole number"),
        (tuple[int, int], [1], "1: is missing"),
        (Annotated[list[int], Field(min_length=1)], [], "must be a list of at least 1"),
    ],
)
def test_errors_say_what_is_allowed(kind: Any, value: object, words: str) -> None:
    """Errors have the location inside the value. Settings, messages, twins and model descriptions share this code."""
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(kind).validate_python(value)
    assert first_problem(kind, refused.value, "value").removeprefix("value: ") == words


COMMON = """
PATH DISPLAY TZ TZDIR MAKEFLAGS MAKELEVEL HOSTNAME HOST HOSTTYPE PORT MODE http_proxy HTTP_PROXY NO_PROXY IOTEDGE_MODULEID
IOTEDGE_MODULEGENERATIONID IOTEDGE_DEVICEID IOTEDGE_GATEWAYHOSTNAME RuntimeLogLevel STATE_DIRECTORY LOGS_DIRECTORY CACHE_DIRECTORY
NOTIFY_SOCKET DEBUG LOG_LEVEL COMPOSE_PROJECT_NAME OMP_NUM_THREADS TF_NUM_INTRAOP_THREADS OPENCV_LOG_LEVEL SESSION_MANAGER
VTE_VERSION COLUMNS COMMAND_MODE DB_HOST DB_PORT DB_PASSWORD PGPASSWORD POSTGRES_PASSWORD
"""
"""Variables of a desktop, a Raspberry Pi, an IoT Edge module, a container and CI."""
OWN_FILES = "Makefile footfall/Procfile .env.template mosquitto/*.sh scripts/* footfall/*.py Dockerfile docker-compose*.yml"
"""Files that use other variables than the modules' settings."""


def test_other_variables_cause_no_warning() -> None:
    """These are common variables, those of our scripts and images, and the settings of all modules, also in lower case."""
    known = {name.upper() for kind in SETTINGS.values() for one in environment_variables(kind).values() for name in one.names}
    assert known == environment.SETTINGS
    files = [path for pattern in OWN_FILES.split() for path in ROOT.glob(pattern) if path.is_file()]
    own = {name for path in files for name in re.findall(r"\b[A-Z][A-Z_]+\b", path.read_text())}
    own.remove("LABEL")  # an instruction of Dockerfiles
    assert environment.misspelt({*COMMON.split(), *own, *known, *(name.lower() for name in known)}) == {}


def test_a_misspelt_setting_causes_a_warning(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Upper and lower case are checked. In a laptop run, which warns for all modules, a module does not warn again."""
    meant = {"THRESHHOLD": "THRESHOLD", "threshhold": "THRESHOLD", "FRAMERATE": "FRAME_RATE", "CAMRA": "CAMERA"}
    meant |= {"MQTT_USER": "MQTT_USERNAME", "VISIT_GAP_SECOND": "VISIT_GAP_SECONDS"}
    assert environment.misspelt(meant) == meant
    monkeypatch.setenv("THRESHHOLD", "0.8")
    for run, number in ((None, 1), (str(os.getpid()), 0)):
        if run:
            monkeypatch.setenv(process.RUN_VARIABLE, run)
        assert process.run(lambda *_: None, BusSettings, "", []) == 0
        assert capsys.readouterr().err.count("THRESHHOLD is not a setting and is ignored; did you mean THRESHOLD?") == number


def test_help_lists_every_variable(capsys: pytest.CaptureFixture[str]) -> None:
    """It lists each with its default and meaning. Other arguments are refused."""
    assert process.run(lambda *_: None, CaptureSettings, "About.", ["--help"]) == 0
    shown = capsys.readouterr().out
    for variable in environment_variables(CaptureSettings).values():
        assert variable.meaning
        assert f"  {' or '.join(variable.names)}" in shown
        assert variable.meaning in shown
    assert "FRAME_RATE [10.0]" in shown
    assert process.run(lambda *_: None, CaptureSettings, "", ["--verbose"]) == 2
    assert "environment variables" in capsys.readouterr().err
