"""Settings: read from the environment, refused in one line."""

from pathlib import Path

import pytest

from bus import InvalidSetting
from bus.settings import BusSettings, LabelSettings
from capture.settings import Settings as CaptureSettings
from classifier.settings import Settings as ClassifierSettings
from display.settings import Settings as DisplaySettings
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


def test_the_line_names_variable_value_and_what_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Someone who reads only the line knows what to change."""
    assert "MQTT_PORT='99999'" in (line := refused(BusSettings, monkeypatch, MQTT_PORT="99999"))
    assert "a whole number from 1 to 65535" in line


def test_all_bad_settings_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two mistakes do not need two starts."""
    line = refused(CaptureSettings, monkeypatch, FRAME_RATE="fast", ROTATE="45")
    assert "FRAME_RATE='fast'" in line
    assert "ROTATE=45" in line
    assert "0, 90, 180 or 270" in line


def test_secrets_are_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a password nor the credentials in an address is in the line."""
    line = refused(CaptureSettings, monkeypatch, VIDEO_PATH="ftp://me:secret@host/a", MQTT_PASSWORD="secret")
    assert "secret" not in line
    assert "rtsp" in line


@pytest.mark.parametrize(
    "path", ["rtsp:/cam/1", "http//cam", "rtsp:cam", "'rtsp://cam'", "http:\\\\cam", "file:///clip.mp4", "rtmp://cam"]
)
def test_addresses_that_are_none(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """A typing error at the beginning of an address is not taken for a file's name."""
    assert "an address begins with http://" in refused(CaptureSettings, monkeypatch, VIDEO_PATH=path)


@pytest.mark.parametrize("host", ["mqtt://broker", "me:word@broker", "broker/x", "the broker"])
def test_a_broker_that_is_an_address(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """The broker's host is a name or an IP address alone."""
    assert "name or IP address" in refused(CaptureSettings, monkeypatch, MQTT_HOST=host)


@pytest.mark.parametrize("path", ["demo:", "demo:x", "demo:-1", "demo:1.5", "demo:1234567890", "demo:٣"])
def test_scenes_have_numbers(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """What is no seed of the demo's scenes is refused, and the line says how one is written."""
    assert "as demo:7" in refused(CaptureSettings, monkeypatch, VIDEO_PATH=path)


def test_empty_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is passed on empty, as compose does, is as if it were not there."""
    monkeypatch.setenv("RESIZE_WIDTH", "")
    assert load(CaptureSettings).resize_width is None


def test_classic_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """The classic sample's spellings of yes and no are understood."""
    for value in ("True", "TRUE", "1", "yes"):
        monkeypatch.setenv("CONVERT_TO_GRAY", value)
        assert load(CaptureSettings).convert_to_gray


def test_password_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The password comes from the file, without its line end; both at once, or a missing file, are refused."""
    (tmp_path / "password").write_text("secret\n")
    monkeypatch.setenv("MQTT_PASSWORD_FILE", str(tmp_path / "password"))
    assert load(BusSettings).password == "secret"
    assert "set one of them" in refused(BusSettings, monkeypatch, MQTT_PASSWORD="other")
    assert "cannot be read" in refused(BusSettings, monkeypatch, MQTT_PASSWORD_FILE=str(tmp_path))


def test_a_password_that_may_still_come(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file that is missing, or not written yet, is told apart from what cannot be right, unless there is that too."""
    for file in (tmp_path / "none", tmp_path / "none" / "none", tmp_path / "empty"):
        (tmp_path / "empty").touch()
        monkeypatch.setenv("MQTT_PASSWORD_FILE", str(file))
        with pytest.raises(MissingFile, match="MQTT_PASSWORD_FILE="):
            load(BusSettings)
    with pytest.raises(InvalidSetting) as caught:
        load(BusSettings, mqtt_port=0)
    assert not isinstance(caught.value, MissingFile)


def test_with_a_password_the_user_is_the_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless it is told; without a password, nobody is."""
    assert load(CaptureSettings).username is None
    monkeypatch.setenv("MQTT_PASSWORD", "secret")
    assert load(CaptureSettings).username == "capture"
    monkeypatch.setenv("CAMERA", "back")
    assert load(CaptureSettings).username == "capture-back"
    monkeypatch.setenv("MQTT_USERNAME", "eye")
    assert load(CaptureSettings).username == "eye"


def test_files_that_are_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A password file of bytes, and an authority that is no certificate, are refused by the variable's name."""
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    (tmp_path / "text").write_text("no certificate")
    line = refused(BusSettings, monkeypatch, MQTT_PASSWORD_FILE=str(tmp_path / "bytes"), MQTT_CA_FILE=str(tmp_path / "text"))
    assert "MQTT_PASSWORD_FILE=" in line
    assert "MQTT_CA_FILE=" in line
    assert "PEM is needed" in line


def test_names_that_iot_edge_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of IoT Edge may have capitals and dots in its name; on the broker it has none."""
    monkeypatch.setenv("IOTEDGE_MODULEID", "Camera.Capture")
    assert load(BusSettings).name == "camera-capture"


def test_a_home_folder_in_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """``MODEL=~/m`` on make's command line is not replaced by every shell."""
    monkeypatch.setenv("MODEL", "~/m")
    assert load(ClassifierSettings).model == Path.home() / "m"


def test_labels_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spaces around labels and the case of letters do not matter."""
    monkeypatch.setenv("BACKGROUND_LABELS", "empty street , Nobody,")
    settings = load(LabelSettings)
    assert settings.background_labels == ("empty street", "Nobody")
    assert settings.is_background("NOBODY")
    assert not settings.is_background("Negative")


@pytest.mark.parametrize("camera", ["Door", "a/b", "+", "status", "display", "query"])
def test_cameras_that_would_break_topics(monkeypatch: pytest.MonkeyPatch, camera: str) -> None:
    """A camera's name is one level of a topic, and none that the suite needs itself."""
    assert f"CAMERA={camera!r}" in refused(CaptureSettings, monkeypatch, CAMERA=camera)


def test_a_second_of_a_kind_gets_a_name_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two captures, or two displays, do not throw each other off the broker; IoT Edge's name for a module goes before."""
    assert load(CaptureSettings).name == "capture"
    monkeypatch.setenv("CAMERA", "back")
    monkeypatch.setenv("DISPLAY_NAME", "hall")
    assert (load(CaptureSettings).name, load(DisplaySettings).name) == ("capture-back", "display-hall")
    monkeypatch.setenv("IOTEDGE_MODULEID", "cam2")
    assert load(CaptureSettings).name == "cam2"


def test_detail_as_iot_edge_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """RuntimeLogLevel, which edgeAgent sets, counts as VERBOSE does."""
    assert not load(BusSettings).detailed
    monkeypatch.setenv("RuntimeLogLevel", "Debug")
    assert load(BusSettings).detailed


def test_help_lists_every_variable(capsys: pytest.CaptureFixture[str]) -> None:
    """--help names each variable with default and meaning and ends with 0."""
    assert process.run(lambda *_: None, CaptureSettings, "About.", ["--help"]) == 0
    shown = capsys.readouterr().out
    for name, field in CaptureSettings.model_fields.items():
        assert field.description
        assert field.description in shown
        assert name.upper() in shown.upper() or field.validation_alias
    assert "FRAME_RATE [10.0]" in shown


@pytest.mark.parametrize("argv", [["--verbose"], ["run"]])
def test_unknown_arguments(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """An argument is refused with exit code 2: settings are environment variables."""
    assert process.run(lambda *_: None, CaptureSettings, "", argv) == 2
    assert "environment variables" in capsys.readouterr().err
