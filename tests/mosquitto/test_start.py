"""start.sh and secrets.sh: invalid settings, names, passwords, and equal results in every shell."""

import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bus import topics
from runtime.explanation import NAME_PATTERN
from tests.mosquitto.test_access import ROLES
from tests.support.broker import ROOT
from tests.support.guarded_broker import SEARCH, SECRETS, START, GuardedBroker, read_passwords, run_script, script_environment
from tests.support.wait import limit

pytestmark = pytest.mark.broker

SHELLS = {"sh": "sh", "dash": "dash", "bash": "bash --posix", "busybox": "busybox sh"}
"""The broker's image has busybox, Debian has dash, macOS has bash."""
AVAILABLE = [name for name in SHELLS if shutil.which(name)]
APPLETS = ("awk", "base64", "cat", "chmod", "cut", "dirname", "grep", "head", "mkdir", "mv", "paste", "rm", "sed", "sh", "tr")
"""The programs that the scripts need, except mosquitto_passwd and openssl. In the image they are part of busybox."""
_STUB = """#!/bin/sh
case $1 in -h) echo "mosquitto version {version}" && exit 3 ;; *) echo started ;; esac
"""
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


def create_path(folder: Path, shell: str = "sh", version: str = "2.0.11") -> Path:
    """Creates a PATH with the programs that the scripts need, from busybox if that is the shell, and a stub of mosquitto."""
    (folder / "bin").mkdir(parents=True)
    for name in {*APPLETS, "mosquitto_passwd", "openssl", shell}:
        found = shutil.which("busybox" if shell == "busybox" and name in APPLETS else name, path=SEARCH)
        assert found, name
        (folder / "bin" / name).symlink_to(found)
    (folder / "bin" / "mosquitto").write_text(_STUB.format(version=version))
    (folder / "bin" / "mosquitto").chmod(0o755)
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
    of_cameras -= {topics.discovery()}
    assert {topic for topic in written if topic.endswith("/frame")} == {topics.frame(name) for name in given_names}
    assert {(topic.count("/"), topic.split("/")[1]) for topic in of_cameras} == {(2, name) for name in given_names}


def files_of_start(shell: str, folder: Path) -> list[str]:
    """Starts with this shell, and returns the contents of the broker's files without the folder's name."""
    values = {"CAMERAS": "-n,door, back,,back ", "DISPLAYS": "hall", "CLASSIFIERS": 2, "TLS_NAMES": "a.example,192.0.2.1,::1"}
    values |= {"USERS_PORT": 1883, "GUESTS_PORT": 1884, "TLS_PORT": 8883, "MEMORY_LIMIT": 70_000_000}
    environment = script_environment(folder, PATH=create_path(folder, shell), **values)
    assert run_script(START, environment, shell=SHELLS[shell]) == (0, "started\n")
    assert {len(password) for password in read_passwords(folder / "secrets", ROLES).values()} == {32}
    paths = (folder / "run" / "access.acl", folder / "run" / "mosquitto.conf", folder / "secrets" / "tls" / "names")
    return [path.read_text().replace(str(folder), "") for path in paths]


@pytest.mark.parametrize("shell", AVAILABLE)
def test_results_are_equal_in_every_shell(shell: str, tmp_path: Path) -> None:
    assert files_of_start(shell, tmp_path / "other") == files_of_start("sh", tmp_path / "reference")
    for name, value in {"CAMERAS": "a\\nb", "DISPLAYS": "*", "MEMORY_LIMIT": "1G"}.items():
        environment = script_environment(tmp_path / name, PATH=tmp_path / "other" / "bin", USERS_PORT=1883, **{name: value})
        code, output = run_script(START, environment, shell=SHELLS[shell])
        assert (code, output.count("\n")) == (2, 1), output


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("2.0.11", ["per_listener_settings true", "allow_anonymous false", "allow_anonymous true"]),
        ("2.1.2", ["listener_allow_anonymous false", "listener_allow_anonymous true"]),
        ("2.10.0", ["listener_allow_anonymous false", "listener_allow_anonymous true"]),
        ("3.0.0", ["listener_allow_anonymous false", "listener_allow_anonymous true"]),
    ],
)
def test_guests_have_a_listener_in_every_version(tmp_path: Path, version: str, expected: list[str]) -> None:
    """Mosquitto 2.0 needs settings for each listener. Mosquitto 2.1 warns of them, and 3.0 will not have them.

    tests/ecosystem/test_mosquitto.py has a real Mosquitto 2.1.
    """
    environment = script_environment(tmp_path, PATH=create_path(tmp_path, version=version), USERS_PORT=1883, GUESTS_PORT=1884)
    assert run_script(START, environment) == (0, "started\n")
    lines = (tmp_path / "run" / "mosquitto.conf").read_text().splitlines()
    assert [line for line in lines if "anonymous" in line or "per_listener" in line] == expected
    listeners = [number for number, line in enumerate(lines) if line.startswith("listener ")]
    for option in ("password_file", "acl_file"):
        places = [number for number, line in enumerate(lines) if line.startswith(option)]
        assert len(places) == (2 if version == "2.0.11" else 1)
        assert (min(places) > listeners[0]) == (version == "2.0.11")


def test_shellcheck_finds_nothing() -> None:
    """All scripts, including the set-up's, pass `sh -n`, and shellcheck if it is installed."""
    scripts = [str(path) for folder in ("mosquitto", "scripts") for path in sorted((ROOT / folder).glob("*.sh"))]
    for command in [["sh", "-n", script] for script in scripts] + [["shellcheck", "-s", "sh", *scripts]]:
        if shutil.which(command[0]):
            done = subprocess.run(command, capture_output=True, timeout=limit(60), check=False)
            assert (done.returncode, done.stdout) == (0, b"")


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_only_its_role_can_read_a_password(tmp_path: Path) -> None:
    """A role's group can read its password; only the broker can read its own files, which have hashes. The umask is irrelevant.

    No temporary file stays. The next start keeps passwords, and replaces missing and empty ones.
    """
    ports = {"USERS_PORT": 1883, "GUESTS_PORT": 1884, "TLS_PORT": 8883}
    environment = script_environment(tmp_path, PATH=create_path(tmp_path), CLASSIFIERS=2, **ports)
    assert run_script(START, environment) == (0, "started\n")
    secrets = tmp_path / "secrets"
    before = read_passwords(secrets, ROLES)
    assert [len(password) for password in set(before.values())] == [32] * len(ROLES)
    hashes = dict(line.split(":") for line in (tmp_path / "run" / "passwords").read_text().splitlines())
    assert set(hashes) == {*ROLES, "classifier-1", "classifier-2"}
    assert all(value.startswith("$7$") for value in hashes.values())
    assert {(mode(secrets / role), mode(secrets / role / "password")) for role in ROLES} == {(0o750, 0o640)}
    assert (mode(secrets / "tls" / "key.pem"), mode(secrets / "tls" / "certificate.pem")) == (0o640, 0o644)
    assert [mode(path) for path in (tmp_path / "run").rglob("*") if path.is_file()] == [0o600] * 6
    assert not [path for path in secrets.rglob("*") if path.suffix in (".new", ".cnf")]
    (secrets / "reader" / "password").unlink()
    (secrets / "display" / "password").write_text("")
    assert run_script(START, environment) == (0, "started\n")
    after = read_passwords(secrets, ROLES)
    assert {role for role in ROLES if before[role] != after[role]} == {"reader", "display"}
    assert all(after.values())


def test_new_passwords_apply_from_the_next_start(tmp_path: Path) -> None:
    """This applies to passwords from --rotate, and to one that the user sets, which may have special characters of a shell."""
    with GuardedBroker(tmp_path) as broker:
        old = read_passwords(broker.secrets, ROLES)
        assert run_script(SECRETS, broker.environment, "--rotate") == (0, "")
        new = read_passwords(broker.secrets, ROLES)
        assert not set(old.values()) & set(new.values())
        assert broker.connect_code("bridge", old["bridge"]) == 0
        new["reader"] = "a\\nb $HOME `id` *"
        (broker.secrets / "reader" / "password").write_text(new["reader"] + "\n")
        broker.end(signal.SIGTERM)
        broker.start()
        for port in (broker.port, broker.guests):
            assert {broker.connect_code(role, old[role], port) for role in ROLES} == {5}
            assert {broker.connect_code(role, new[role], port) for role in ROLES} == {0}
        assert broker.connect_code("reader", "a\nb $HOME `id` *") == 5
