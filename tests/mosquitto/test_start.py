"""start.sh and secrets.sh: invalid settings, names, passwords, and equal results in every shell."""

import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bus import Bus, topics
from bus.settings import BusSettings
from runtime.explanation import NAME_PATTERN
from tests.mosquitto.test_access import ROLES
from tests.support.broker import ROOT
from tests.support.guarded_broker import (
    SEARCH,
    SECRETS,
    START,
    GuardedBroker,
    password_file,
    read_passwords,
    run_script,
    script_environment,
)
from tests.support.wait import limit, until

pytestmark = pytest.mark.broker

SHELLS = {"sh": "sh", "dash": "dash", "bash": "bash --posix", "busybox": "busybox sh"}
"""The broker's image has busybox, Debian has dash, macOS has bash."""
AVAILABLE = [name for name in SHELLS if shutil.which(name)]
APPLETS = (
    "awk",
    "base64",
    "cat",
    "chmod",
    "cut",
    "dirname",
    "grep",
    "head",
    "mkdir",
    "mkfifo",
    "mv",
    "od",
    "paste",
    "rm",
    "sed",
    "sh",
    "sleep",
    "touch",
    "tr",
)
"""The programs that the scripts need, except mosquitto_passwd and openssl. In the image they are part of busybox."""
_STUB = """#!/bin/sh
if [ "$2" = "$RUN/mosquitto.conf" ]; then echo started; else exec sleep 60; fi
"""
"""Mosquitto as the users' broker, which ends at once, as the guests' broker, and as a subscriber."""
NAMED = ("capture-back", "classifier-1", "classifier-2", "display-hall")
OF_NAMED: dict[str, Any] = {"CAMERAS": "door,back", "DISPLAYS": "matrix,hall", "CLASSIFIERS": 2}
"""The settings of a broker with these users."""
USERS = (*ROLES, *NAMED)
BAD = {
    "CAMERAS": ("a/b", "door,+", "Door", ",", "door,query", "classifier", "a" * 65),
    "DISPLAYS": ("#",),
    "CLASSIFIERS": ("x", "-1", "99999999999999999999"),
    "USERS_PORT": ("", "0"),
    "GUESTS_PORT": ("65536",),
    "TLS_PORT": ("8883\n1",),
    "MEMORY_LIMIT": ("1G", "1000000", "0134217728"),
    "TLS_CERT": ("/nowhere",),
    "TLS_NAMES": ("a b", "a,,b", "1.2.3"),
    "SECRETS": ("",),
    "RUN": ("",),
}


def create_path(folder: Path, shell: str = "sh") -> Path:
    """Creates a PATH with the programs that the scripts need, from busybox if that is the shell, and stubs of Mosquitto."""
    (folder / "bin").mkdir(parents=True)
    for name in {*APPLETS, "mosquitto_passwd", "openssl", shell}:
        found = shutil.which("busybox" if shell == "busybox" and name in APPLETS else name, path=SEARCH)
        assert found, name
        (folder / "bin" / name).symlink_to(found)
    for name in ("mosquitto", "mosquitto_sub"):
        (folder / "bin" / name).write_text(_STUB)
        (folder / "bin" / name).chmod(0o755)
    return folder / "bin"


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_an_invalid_setting_ends_the_script_with_one_line(tmp_path: Path, name: str, value: str) -> None:
    """The line names the setting, the broker does not start, and the exit code is 2, as for modules."""
    values = {"USERS_PORT": "1883"} | ({"TLS_PORT": "8883"} if name == "TLS_NAMES" else {}) | {name: value}
    code, output = run_script(START, script_environment(tmp_path, PATH=create_path(tmp_path), **values))
    assert (code, output.count("\n")) == (2, 1), output
    assert name in output


names = st.from_regex(re.compile(NAME_PATTERN), fullmatch=True)
lists = st.lists(names | st.sampled_from(["door", "query", "-n", "é", "A", "a/b", "+", "#"]), max_size=3).map(",".join)
texts = st.text("ab-_, \n\t/+#$*\\<>&%'\"`éA1|[]", max_size=12)


@settings(max_examples=25)
@given(cameras=lists | texts)
def test_the_access_list_has_rules_for_valid_names_only(tmp_path_factory: pytest.TempPathFactory, cameras: str) -> None:
    """For any CAMERAS: if all names are valid, they get the topics of cameras; otherwise the broker does not start."""
    folder = tmp_path_factory.mktemp("names")
    given_names = [name for name in re.split(r"[, \n]", cameras or "door") if name.strip("\t")]
    valid = [name for name in given_names if re.fullmatch(NAME_PATTERN, name) and name not in topics.RESERVED_CAMERAS]
    path = create_path(folder)
    code, output = run_script(START, script_environment(folder, PATH=path, USERS_PORT=1883, CAMERAS=cameras, CLASSIFIERS=0))
    if not valid or valid != given_names:
        assert (code, output.count("\n")) == (2, 1), output
        assert not (folder / "run").exists()
        return
    assert (code, output) == (0, "started\n")
    lines = (folder / "run" / "access.acl").read_text().splitlines()
    users = [line.removeprefix("user ") for line in lines if line.startswith("user ")]
    assert users == [line.split(":")[0] for line in (folder / "run" / "passwords").read_text().splitlines()]
    assert set(users) == {*ROLES, *(f"capture-{name}"[:64] for name in given_names if name != "door")}
    rules = [line.split(" ") for line in lines if not line.startswith("user ")]
    assert all((len(rule), rule[0]) == (3, "topic") and rule[1] in ("read", "write", "readwrite") for rule in rules)
    written = {topic for _, right, topic in rules if right != "read"}
    of_cameras = {topic for topic in written if topic.split("/")[1] not in topics.RESERVED_CAMERAS}
    of_cameras -= {topics.label(), topics.counts(), topics.occupancy(), topics.alerts()}  # these may be cleared for any camera
    of_cameras -= {topics.discovery(), topics.site()}
    assert {topic for topic in written if topic.endswith("/frame")} == {topics.frame(name) for name in given_names}
    assert {(topic.count("/"), topic.split("/")[1]) for topic in of_cameras} == {(2, name) for name in given_names}


def files_of_start(shell: str, folder: Path) -> list[str]:
    """Starts with this shell, and returns the contents of the broker's files without the folder's name."""
    values = {"CAMERAS": "-n,door, back,,back ", "DISPLAYS": "hall", "CLASSIFIERS": 2, "TLS_NAMES": "a.example,192.0.2.1,::1"}
    values |= {"USERS_PORT": 1883, "GUESTS_PORT": 1884, "TLS_PORT": 8883, "MEMORY_LIMIT": 70_000_000}
    environment = script_environment(folder, PATH=create_path(folder, shell), **values)
    assert run_script(START, environment, shell=SHELLS[shell]) == (0, "started\n")
    assert {len(password) for password in read_passwords(folder / "secrets", ROLES).values()} == {32}
    names = ("run/access.acl", "run/mosquitto.conf", "run/guests/access.acl", "run/guests/mosquitto.conf", "secrets/tls/names")
    texts = [(folder / name).read_text().replace(str(folder), "") for name in names]
    return [
        re.sub(r"(?<=remote_password ).{32}$|(?<=remote_clientid guests-)[0-9a-f]{24}$", "", one, flags=re.M) for one in texts
    ]


@pytest.mark.parametrize("shell", AVAILABLE)
def test_results_are_equal_in_every_shell(shell: str, tmp_path: Path) -> None:
    assert files_of_start(shell, tmp_path / "other") == files_of_start("sh", tmp_path / "reference")
    for name, value in {"CAMERAS": "a\\nb", "DISPLAYS": "*", "MEMORY_LIMIT": "1G"}.items():
        environment = script_environment(tmp_path / name, PATH=tmp_path / "other" / "bin", USERS_PORT=1883, **{name: value})
        code, output = run_script(START, environment, shell=SHELLS[shell])
        assert (code, output.count("\n")) == (2, 1), output


def test_shellcheck_finds_nothing() -> None:
    """All scripts, including the set-up's, pass `sh -n`, and shellcheck if it is installed."""
    scripts = [str(path) for folder in ("mosquitto", "scripts") for path in sorted((ROOT / folder).glob("*.sh"))]
    for command in [["sh", "-n", script] for script in scripts] + [["shellcheck", "-x", "-s", "sh", *scripts]]:
        if shutil.which(command[0]):
            done = subprocess.run(command, capture_output=True, timeout=limit(60), check=False)
            assert (done.returncode, done.stdout) == (0, b"")


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_only_its_role_can_read_a_password(tmp_path: Path) -> None:
    """Each user has its own. A role's group can read its passwords; only the broker can read its own files, which have hashes.

    The umask is irrelevant. No temporary file stays. The next start keeps passwords, and replaces missing and empty ones.
    """
    ports = {"USERS_PORT": 1883, "GUESTS_PORT": 1884, "TLS_PORT": 8883}
    environment = script_environment(tmp_path, PATH=create_path(tmp_path), **OF_NAMED, **ports)
    assert run_script(START, environment) == (0, "started\n")
    secrets = tmp_path / "secrets"
    before = read_passwords(secrets, USERS)
    assert [len(password) for password in set(before.values())] == [32] * len(USERS)
    hashes = dict(line.split(":") for line in (tmp_path / "run" / "passwords").read_text().splitlines())
    assert set(hashes) == {*ROLES, *NAMED, "guests"}
    assert all(value.startswith("$7$") for value in hashes.values())
    assert {(mode(file.parent), mode(file)) for file in (password_file(secrets, user) for user in USERS)} == {(0o750, 0o640)}
    assert (mode(secrets / "tls" / "key.pem"), mode(secrets / "tls" / "certificate.pem")) == (0o640, 0o644)
    assert [mode(path) for path in (tmp_path / "run").rglob("*") if path.is_file()] == [0o600] * 9
    assert not [path for path in secrets.rglob("*") if path.suffix in (".new", ".cnf")]
    (secrets / "reader" / "password").unlink()
    (secrets / "display" / "password").write_text("")
    (secrets / "capture" / "back.password").unlink()
    assert run_script(START, environment) == (0, "started\n")
    after = read_passwords(secrets, USERS)
    assert {user for user in USERS if before[user] != after[user]} == {"reader", "display", "capture-back"}
    assert all(after.values())


def back_camera(broker: GuardedBroker) -> Bus:
    """Returns the connection of the camera `back`, with the settings that its container has."""
    file = broker.secrets / "capture" / "password"
    return Bus(BusSettings.model_validate({"MODULE_NAME": "capture-back", "mqtt_port": broker.port, "mqtt_password_file": file}))


def test_new_passwords_apply_from_the_next_start(tmp_path: Path) -> None:
    """This applies to passwords from --rotate, and to one that the user sets, which may have special characters of a shell.

    A module that is refused reads its file again: that of its camera, beside that of its role.
    """
    with GuardedBroker(tmp_path, **OF_NAMED) as broker, back_camera(broker) as camera:
        until(lambda: camera.connected)
        old = read_passwords(broker.secrets, USERS)
        assert run_script(SECRETS, broker.environment, "--rotate") == (0, "")
        new = read_passwords(broker.secrets, USERS)
        assert not set(old.values()) & set(new.values())
        assert broker.connect_code("bridge", old["bridge"]) == 0
        new["reader"] = "a\\nb $HOME `id` *"
        (broker.secrets / "reader" / "password").write_text(new["reader"] + "\n")
        broker.end(signal.SIGTERM)
        broker.start()
        for port, right in ((broker.port, 0), (broker.guests, 5)):  # no user can sign in where guests read
            assert {broker.connect_code(user, old[user], port) for user in USERS} == {5}
            assert {broker.connect_code(user, new[user], port) for user in USERS} == {right}
        assert broker.connect_code("reader", "a\nb $HOME `id` *") == 5
        until(lambda: camera.connected, 30, "the camera with its new password")


def test_an_older_installation_goes_on_with_the_passwords_of_roles(tmp_path: Path) -> None:
    """Its second camera signs in with the password of capture, until --rotate. A camera added later has its own at once."""
    secrets = tmp_path / "secrets"
    (secrets / "capture").mkdir(parents=True)
    (secrets / "capture" / "password").write_text("known")
    cameras: dict[str, Any] = {"PATH": create_path(tmp_path), "CLASSIFIERS": 0, "CAMERAS": "door,back"}
    code, output = run_script(SECRETS, script_environment(tmp_path, **cameras))
    assert (code, output) == (0, "mosquitto: with the password of their role, which other users have too: capture-back\n")
    cameras["CAMERAS"] += ",yard"
    for arguments in ((), ("--rotate",)):
        assert run_script(SECRETS, script_environment(tmp_path, **cameras), *arguments) == (0, "")
        found = read_passwords(secrets, ("capture", "capture-back", "capture-yard"))
        assert len(set(found.values())) == (3 if arguments else 2)
        assert found["capture-yard"] != "known"
        assert (found["capture"], found["capture-back"]) == ("known", "known") or arguments


def test_users_without_a_password_of_their_own_have_that_of_their_role(tmp_path: Path) -> None:
    """This is how the classifiers of a swarm sign in: its secrets cannot be written, and the replicas share one."""
    secrets = tmp_path / "secrets"
    for user in (*ROLES, "capture-back"):
        password_file(secrets, user).parent.mkdir(parents=True, exist_ok=True)
        password_file(secrets, user).write_text(f"that of {user}")
    (secrets / "classifier" / "1.password.new").mkdir()  # so that no file can be written there, even by root
    with GuardedBroker(tmp_path, CAMERAS="door,back", CLASSIFIERS=1) as broker:
        assert broker.connect_code("classifier-1", "that of classifier") == 0
        assert broker.connect_code("capture-back", "that of capture-back") == 0
        assert broker.connect_code("capture-back", "that of capture") == 5
        assert "classifier-1" in broker.log
