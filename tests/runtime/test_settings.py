"""Settings: read from the environment, refused in one line."""

from pathlib import Path

import pytest

from bus import InvalidSetting
from bus.settings import BusSettings, LabelSettings
from capture.settings import Settings as CaptureSettings
from runtime import process
from runtime.errors import MissingFile
from runtime.settings import load


def refused(kind: type[BusSettings], monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    """The one line with which settings are refused."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSetting) as caught:
        load(kind)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a password nor the credentials in an address; all bad settings are named at once."""
    bad = {"VIDEO_PATH": "ftp://me:secret@host/a", "MQTT_PASSWORD": "secret", "FRAME_RATE": "fast", "ROTATE": "45"}
    bad |= {"LOOP_VIDEO": "perhaps", "RESIZE_WIDTH": "wide"}
    line = refused(CaptureSettings, monkeypatch, **bad)
    assert "secret" not in line
    for problem in (
        "FRAME_RATE='fast': must be a number from 0.01 to 240",
        "ROTATE=45: must be 0, 90, 180 or 270",
        "LOOP_VIDEO='perhaps': must be true or false",
        "RESIZE_WIDTH='wide': must be a whole number from 16 to 8192",
    ):
        assert problem in line
    assert "rtsp" in line


@pytest.mark.parametrize("host", ["mqtt://broker", "me:word@broker", "broker/x", "the broker", "a" * 64])
def test_the_broker_is_a_host(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """A name or an IP address alone."""
    assert "name or IP address" in refused(BusSettings, monkeypatch, MQTT_HOST=host)


@pytest.mark.parametrize("camera", ["Door", "a/b", "+", "status", "display", "query"])
def test_cameras_that_would_break_topics(monkeypatch: pytest.MonkeyPatch, camera: str) -> None:
    """A camera's name is one level of a topic, and none that the suite needs itself."""
    assert f"CAMERA={camera!r}" in refused(CaptureSettings, monkeypatch, CAMERA=camera)


@pytest.mark.parametrize(
    ("variables", "setting", "value"),
    [
        ({"RESIZE_WIDTH": ""}, "resize_width", None),  # as compose passes on what is not set
        ({"CONVERT_TO_GRAY": "TRUE"}, "convert_to_gray", True),  # as the classic sample spells it
        ({"CONVERT_TO_GRAY": "yes"}, "convert_to_gray", True),
        ({"HEALTH_FILE": "~/m"}, "health_file", Path.home() / "m"),  # not every shell replaces ~ after a =
        ({"RuntimeLogLevel": "Debug"}, "detailed", True),  # set by edgeAgent
        ({}, "detailed", False),
        ({}, "name", "capture"),
        ({"CAMERA": "back"}, "name", "capture-back"),  # a second capture does not disconnect the first
        ({"CAMERA": "back", "IOTEDGE_MODULEID": "Camera.Two"}, "name", "camera-two"),  # IoT Edge allows capitals and dots
        ({}, "username", None),
        ({"MQTT_PASSWORD": "secret"}, "username", "capture"),
        ({"MQTT_PASSWORD": "secret", "CAMERA": "back"}, "username", "capture-back"),
        ({"MQTT_PASSWORD": "secret", "MQTT_USERNAME": "eye"}, "username", "eye"),
    ],
)
def test_values(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], setting: str, value: object) -> None:
    """What variables mean."""
    for name, text in variables.items():
        monkeypatch.setenv(name, text)
    assert getattr(load(CaptureSettings), setting) == value


def test_labels_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spaces around labels and the case of letters do not matter."""
    monkeypatch.setenv("BACKGROUND_LABELS", "empty street , Nobody,")
    settings = load(LabelSettings)
    assert settings.background_labels == ("empty street", "Nobody")
    assert settings.is_background("NOBODY")
    assert not settings.is_background("Negative")


def test_password_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without its line end; both at once, or a file that is none, are refused."""
    (tmp_path / "password").write_text("secret\n")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    (tmp_path / "text").write_text("no certificate")
    monkeypatch.setenv("MQTT_PASSWORD_FILE", str(tmp_path / "password"))
    assert load(BusSettings).password == "secret"
    assert "set one of them" in refused(BusSettings, monkeypatch, MQTT_PASSWORD="other")
    assert "cannot be read" in refused(BusSettings, monkeypatch, MQTT_PASSWORD_FILE=str(tmp_path))
    line = refused(BusSettings, monkeypatch, MQTT_PASSWORD_FILE=str(tmp_path / "bytes"), MQTT_CA_FILE=str(tmp_path / "text"))
    for words in ("MQTT_PASSWORD_FILE=", "MQTT_CA_FILE=", "PEM is needed"):
        assert words in line


@pytest.mark.parametrize("file", ["none", "none/none", "empty"])
def test_a_password_that_may_still_appear(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, file: str) -> None:
    """A missing or empty file is another error than what cannot be right, unless there is that too."""
    (tmp_path / "empty").touch()
    monkeypatch.setenv("MQTT_PASSWORD_FILE", str(tmp_path / file))
    with pytest.raises(MissingFile, match="MQTT_PASSWORD_FILE="):
        load(BusSettings)
    with pytest.raises(InvalidSetting) as caught:
        load(BusSettings, mqtt_port=0)
    assert not isinstance(caught.value, MissingFile)


def test_help_lists_every_variable(capsys: pytest.CaptureFixture[str]) -> None:
    """With default and meaning; other arguments are refused."""
    assert process.run(lambda *_: None, CaptureSettings, "About.", ["--help"]) == 0
    shown = capsys.readouterr().out
    for name, field in CaptureSettings.model_fields.items():
        assert field.description
        assert field.description in shown
        assert name.upper() in shown.upper() or field.validation_alias
    assert "FRAME_RATE [10.0]" in shown
    assert process.run(lambda *_: None, CaptureSettings, "", ["--verbose"]) == 2
    assert "environment variables" in capsys.readouterr().err
