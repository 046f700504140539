"""``footfall install``: the files below a root folder, their properties, and what systemd says of them."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from footfall.install import FOLDERS, UNITS, USERS
from footfall.services import BROKER, SERVICES, SETTINGS
from footfall.settings_file import settings_text, value_in
from runtime.environment import SETTINGS as KNOWN
from tests.footfall.suite import call
from tests.support.broker import ROOT
from tests.support.wait import limit

OWNERS = {"WEB_PASSWORD": "dashboard", "MQTT_SINK_PASSWORD": "bridge", "WEBHOOK_URL": "bridge", "VIDEO_PATH": "capture"}
OWNERS |= {"EdgeHubConnectionString": "bridge"}
"""The program that has each setting with a password or key."""
LINES = 'LINES=[{"name": "the till\'s", "from": [0.1, 0.5], "to": [0.9, 0.5]}]'


def install(root: Path, *settings: str) -> dict[str, str]:
    """Installs below `root`, and returns the text of each file, by path."""
    assert call("install", "--root", str(root), *settings) == 0
    return {f"/{path.relative_to(root)}": path.read_text() for path in root.rglob("*") if path.is_file()}


def units(files: dict[str, str]) -> dict[str, list[str]]:
    """Returns the lines of each service, by the service's name."""
    found = {name: re.fullmatch(rf"{UNITS}/footfall-(\w+)\.service", name) for name in files}
    return {match[1]: files[name].splitlines() for name, match in found.items() if match}


def test_each_service_has_its_own_user_password_and_limits(tmp_path: Path) -> None:
    """The limits are those of the containers. A password can be read by its module's group only.

    The settings file is for all, but no module has the passwords of others in its environment.
    """
    files = install(tmp_path)
    found = units(files)
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert set(found) == {"broker", *SERVICES}
    for name, lines in found.items():
        container = compose.get("mosquitto" if name == "broker" else name)
        limits = container["deploy"]["resources"]["limits"]["memory"] if container else SERVICES[name].memory
        assert {
            f"User=footfall-{name}",
            f"MemoryMax={limits}",
            "Restart=always",
            "RestartSec=0.5",
            "ProtectSystem=strict",
        } <= set(lines)
        assert {"NoNewPrivileges=yes", "PrivateTmp=yes", "CapabilityBoundingSet=", "DevicePolicy=closed"} <= set(lines)
        (unset,) = (set(line.partition("=")[2].split(" ")) for line in lines if line.startswith("UnsetEnvironment="))
        assert {one for one in OWNERS if OWNERS[one] == name} == set(OWNERS) - unset
        assert (f"StateDirectory=footfall/{name}" in lines) == (SERVICES | {"broker": BROKER})[name].has_state
        assert f'u footfall-{name} - "Footfall"' in files[str(USERS)]
        if name != "broker":
            assert {"Type=notify", "WatchdogSec=60", f"EnvironmentFile=-/etc/footfall/{name}.env"} <= set(lines)
            assert f"Environment=MQTT_PASSWORD_FILE=/var/lib/footfall/broker/secrets/{name}/password" in lines
            folder = f"d /var/lib/footfall/broker/secrets/{name} 2750 footfall-broker footfall-{name}"
            assert folder in files[str(FOLDERS)].splitlines()
    devices = {name: [line for line in lines if line.startswith("DeviceAllow=")] for name, lines in found.items()}
    assert {name for name, allowed in devices.items() if allowed} == {"capture", "display"}


@pytest.mark.parametrize(("setting", "runs"), [("MATRIX=none", False), ("MATRIX=sensehat", True)])
def test_the_display_runs_if_there_is_one(tmp_path: Path, setting: str, runs: bool) -> None:
    """All other modules always run."""
    for _ in range(2):  # an upgrade keeps the choice
        target = install(tmp_path, *([] if (tmp_path / "etc").exists() else [setting]))["/etc/systemd/system/footfall.target"]
        assert all(f"footfall-{name}.service" in target for name in SERVICES if name != "display")
        assert ("footfall-display.service" in target) == runs


def test_an_upgrade_keeps_the_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only the example changes. Settings can be given at the first time only, and only root can read them."""
    path = tmp_path / SETTINGS.relative_to("/")
    first = install(tmp_path, "VIDEO_PATH=rtsp://user:password@camera/1", "SHOW=occupancy")
    assert path.stat().st_mode & 0o777 == 0o600
    assert value_in(first[str(SETTINGS)], "VIDEO_PATH") == "rtsp://user:password@camera/1"
    path.write_text("VIDEO_PATH=2 # mine\n")
    assert install(tmp_path)[str(SETTINGS)] == "VIDEO_PATH=2 # mine\n"
    assert call("install", "--root", str(tmp_path), "VIDEO_PATH=3") == 2
    assert "exists already; change the settings there: VIDEO_PATH" in capsys.readouterr().err


@pytest.mark.parametrize("setting", ["FRAME_RATE=fast", 'LINES=[{"name": 1}]'])
def test_an_invalid_setting_installs_nothing(tmp_path: Path, setting: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It is one line, as from the module."""
    assert call("install", "--root", str(tmp_path / "root"), setting) == 2
    assert capsys.readouterr().err.startswith(f"footfall install: {setting.split('=', maxsplit=1)[0]}=")
    assert not (tmp_path / "root").exists()


def test_a_dry_run_prints_the_files_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It needs no root, and no systemd."""
    assert call("install", "--dry-run", "--root", str(tmp_path)) == 0
    printed = capsys.readouterr().out
    assert "# /etc/systemd/system/footfall-counter.service\n[Unit]" in printed
    assert not list(tmp_path.iterdir())


def test_the_settings_file_describes_every_setting() -> None:
    """Each once, as a comment, except those that the units set. The names are settings that the modules know."""
    listed = re.findall(r"^#([A-Z_]+)=", settings_text({}), re.MULTILINE)
    assert len(listed) == len(set(listed)) > 60
    assert set(listed) - KNOWN == {"DISPLAYS", "GUESTS_PORT", "USERS_PORT"}
    assert {"VIDEO_PATH", "MODEL", "KEEP_DAYS", "SINKS", "WEB_PASSWORD", "MATRIX"} <= set(listed)
    assert not {"STATE_DIR", "MQTT_PASSWORD_FILE", "MODULE_NAME"} & set(listed)


@pytest.mark.system
def test_systemd_accepts_the_units_and_finds_them_safe(tmp_path: Path) -> None:
    """`systemd-analyze verify` has nothing to say, and `security` gives each service less than 2 of 10."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("there is no systemd-analyze")
    install(tmp_path, LINES)
    found = sorted((tmp_path / UNITS.relative_to("/")).iterdir())
    verify = ["systemd-analyze", "verify", "--man=no", *map(str, found)]
    verified = subprocess.run(verify, capture_output=True, text=True, timeout=limit(60), check=False)
    own = [line for line in verified.stderr.splitlines() if "footfall" in line]
    assert (verified.returncode, own) == (0, [])
    services = [str(one) for one in found if one.suffix == ".service"]
    judge = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", *services]
    judged = subprocess.run(judge, capture_output=True, text=True, timeout=limit(60), check=False)
    assert judged.returncode == 0, judged.stdout


def test_uninstall_removes_what_install_writes_but_not_the_ledger(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each file, or the folder that it is in."""
    files = install(tmp_path)
    capsys.readouterr()
    assert call("uninstall", "--dry-run") == 0
    removed = capsys.readouterr().out.split("\n")
    assert all(removed.count(name) or removed.count(str(Path(name).parent)) for name in files)
    assert not [one for one in removed if "counter" in one and one.startswith("/var")]
    assert "user footfall-counter" in removed
