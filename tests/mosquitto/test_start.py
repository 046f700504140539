"""start.sh and secrets.sh: bad settings, names, and the same result in every shell."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bus import topics
from runtime.explanation import NAME_PATTERN
from tests.mosquitto.access_table import ROLES
from tests.support.broker import ROOT
from tests.support.guarded_broker import SEARCH, START, environment_of, passwords_in, run_script
from tests.support.wait import limit

pytestmark = pytest.mark.broker

SHELLS = {"sh": "sh", "dash": "dash", "bash": "bash --posix", "busybox": "busybox sh"}
"""The broker's image has busybox, Debian dash, macOS bash."""
AVAILABLE = [name for name in SHELLS if shutil.which(name)]
APPLETS = ("awk", "base64", "cat", "chmod", "cut", "dirname", "grep", "head", "mkdir", "mv", "paste", "rm", "sed", "sh", "tr")
"""All that the scripts need besides mosquitto_passwd and openssl; in the image they are busybox's."""
RULE = re.compile(r"topic (read|write|readwrite) (\S+)")

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


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_a_bad_setting_ends_it_with_one_line(tmp_path: Path, stubs: str, name: str, value: str) -> None:
    """The line names the setting; the broker is not started; the exit code is 2, as with the modules."""
    values = {"USERS_PORT": "1883"} | ({"TLS_PORT": "8883"} if name == "TLS_NAMES" else {}) | {name: value}
    code, output = run_script(START, environment_of(tmp_path, PATH=stubs, **values))
    assert (code, output.count("\n")) == (2, 1), output
    assert name in output


def users_in(folder: Path) -> list[str]:
    """Users of the access list, which are those of the password file."""
    lines = (folder / "run" / "access.acl").read_text().splitlines()
    users = [line.removeprefix("user ") for line in lines if line.startswith("user ")]
    assert users == [line.split(":")[0] for line in (folder / "run" / "passwords").read_text().splitlines()]
    return users


names = st.from_regex(re.compile(NAME_PATTERN), fullmatch=True)
lists = st.lists(names | st.sampled_from(["door", "query", "-n", "é", "A", "a/b", "+", "#"]), max_size=3).map(",".join)
texts = st.text("ab-_, \n\t/+#$*\\<>&%'\"`éA1|[]", max_size=12)


@settings(max_examples=25)
@given(cameras=lists | texts)
def test_the_access_list_has_rules_for_valid_names_only(
    tmp_path_factory: pytest.TempPathFactory, stubs: str, cameras: str
) -> None:
    """Whatever CAMERAS is: either all names are valid and have the cameras' topics, or nothing is started."""
    folder = tmp_path_factory.mktemp("names")
    given_names = [name for name in re.split(r"[, \n]", cameras or "door") if name.strip("\t")]
    valid = bool(given_names) and all(
        re.fullmatch(NAME_PATTERN, name) and name not in topics.RESERVED_CAMERAS for name in given_names
    )
    code, output = run_script(START, environment_of(folder, PATH=stubs, USERS_PORT=1883, CAMERAS=cameras, CLASSIFIERS=0))
    if not valid:
        assert (code, output.count("\n")) == (2, 1), output
        assert not (folder / "run").exists()
        return
    assert (code, output) == (0, "started\n")
    assert set(users_in(folder)) == {*ROLES, *(f"capture-{name}"[:64] for name in given_names if name != "door")}
    lines = (folder / "run" / "access.acl").read_text().splitlines()
    rules = [RULE.fullmatch(line) for line in lines if not line.startswith("user ")]
    assert all(rules)
    written = {rule[2] for rule in rules if rule and rule[1] != "read"}
    assert {topic for topic in written if topic.endswith("/frame")} == {topics.frame(name) for name in given_names}
    of_cameras = {topic for topic in written if topic.split("/")[1] not in topics.RESERVED_CAMERAS}
    cleared_by_the_operator = {topics.label(), topics.counts()}
    assert {topic.split("/")[1] for topic in of_cameras - cleared_by_the_operator} == set(given_names)
    assert all(len(topic.split("/")) == 3 for topic in of_cameras)


def create_path(shell: str, folder: Path) -> str:
    """A PATH with only what the scripts need, from busybox if that is the shell, and a stub in the broker's place."""
    folder.mkdir(parents=True)
    for name in {*APPLETS, "mosquitto_passwd", "openssl", shell}:
        found = shutil.which("busybox" if shell == "busybox" and name in APPLETS else name, path=SEARCH)
        assert found, name
        (folder / name).symlink_to(found)
    (folder / "mosquitto").write_text("#!/bin/sh\necho started\n")
    (folder / "mosquitto").chmod(0o755)
    return str(folder)


def files_of_start(shell: str, folder: Path) -> list[str]:
    """The broker's files after a start with this shell, without the folder's name."""
    values = {"CAMERAS": "-n,door, back,,back ", "DISPLAYS": "hall", "CLASSIFIERS": 2, "TLS_NAMES": "a.example,192.0.2.1,::1"}
    ports = {"USERS_PORT": 1883, "GUESTS_PORT": 1884, "TLS_PORT": 8883}
    environment = environment_of(folder, PATH=create_path(shell, folder / "bin"), MEMORY_LIMIT=70_000_000, **ports, **values)
    assert run_script(START, environment, shell=SHELLS[shell]) == (0, "started\n")
    assert {len(password) for password in passwords_in(folder / "secrets", ROLES).values()} == {32}
    made = (folder / "run" / "access.acl", folder / "run" / "mosquitto.conf", folder / "secrets" / "tls" / "names")
    return [path.read_text().replace(str(folder), "") for path in made]


@pytest.mark.parametrize("shell", AVAILABLE)
def test_every_shell_gives_the_same_result(shell: str, tmp_path: Path) -> None:
    assert files_of_start(shell, tmp_path / "other") == files_of_start("sh", tmp_path / "reference")
    for name, value in {"CAMERAS": "a\\nb", "DISPLAYS": "*", "MEMORY_LIMIT": "1G"}.items():
        environment = environment_of(tmp_path / name, PATH=str(tmp_path / "other" / "bin"), USERS_PORT=1883, **{name: value})
        code, output = run_script(START, environment, shell=SHELLS[shell])
        assert (code, output.count("\n")) == (2, 1), output


def test_shellcheck_finds_nothing() -> None:
    """Where it is installed; sh can parse all scripts, those of set-up too."""
    scripts = sorted([*(ROOT / "mosquitto").glob("*.sh"), *(ROOT / "scripts").glob("*.sh")])
    for script in scripts:
        assert subprocess.run(["sh", "-n", script], timeout=limit(10), check=False).returncode == 0
    if shutil.which("shellcheck"):
        command = ["shellcheck", "-s", "sh", *map(str, scripts)]
        assert subprocess.run(command, capture_output=True, timeout=limit(60), check=False).stdout == b""
