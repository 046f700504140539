"""start.sh: bad settings, names, and folders that it cannot write."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bus import topics
from runtime.explanation import NAME_PATTERN
from tests.mosquitto.access_table import ROLES
from tests.support.broker import ROOT
from tests.support.guarded_broker import START, environment_of, run_script
from tests.support.wait import limit

pytestmark = pytest.mark.broker

NOBODY = 65534
RULE = re.compile(r"topic (read|write|readwrite) (\S+)")

BAD = {
    "CAMERAS=a/b": {"CAMERAS": "a/b"},
    "CAMERAS=+": {"CAMERAS": "door,+"},
    "CAMERAS=Door": {"CAMERAS": "Door"},
    "CAMERAS=,": {"CAMERAS": ","},
    "CAMERAS=query": {"CAMERAS": "door,query"},
    "CAMERAS=classifier": {"CAMERAS": "classifier"},
    "CAMERAS=aaa": {"CAMERAS": "a" * 65},
    "DISPLAYS=#": {"DISPLAYS": "#"},
    "CLASSIFIERS=x": {"CLASSIFIERS": "x"},
    "CLASSIFIERS=-1": {"CLASSIFIERS": "-1"},
    "CLASSIFIERS=99999999999999999999": {"CLASSIFIERS": "99999999999999999999"},
    "USERS_PORT, GUESTS_PORT": {"USERS_PORT": ""},
    "USERS_PORT=0": {"USERS_PORT": "0"},
    "GUESTS_PORT=65536": {"GUESTS_PORT": "65536"},
    "TLS_PORT=8883 1": {"TLS_PORT": "8883\n1"},
    "MEMORY_LIMIT=1G": {"MEMORY_LIMIT": "1G"},
    "MEMORY_LIMIT=1000000": {"MEMORY_LIMIT": "1000000"},
    "MEMORY_LIMIT=0134217728": {"MEMORY_LIMIT": "0134217728"},
    "TLS_CERT, TLS_KEY": {"TLS_CERT": "/nowhere"},
    "TLS_NAMES=a b": {"TLS_NAMES": "a b", "TLS_PORT": "8883"},
    "TLS_NAMES=a,,b": {"TLS_NAMES": "a,,b", "TLS_PORT": "8883"},
    "TLS_NAMES=1.2.3": {"TLS_NAMES": "1.2.3", "TLS_PORT": "8883"},
    "SECRETS": {"SECRETS": ""},
    "RUN": {"RUN": ""},
}


@pytest.mark.parametrize("named", BAD)
def test_a_bad_setting_ends_it_with_one_line(tmp_path: Path, stubs: str, named: str) -> None:
    """The line names the setting; the broker is not started; the exit code is 2, as with the modules."""
    code, output = run_script(START, environment_of(tmp_path, PATH=stubs, **{"USERS_PORT": 1883} | BAD[named]))
    assert (code, output.count("\n")) == (2, 1), output
    assert named in output


def test_names_that_look_like_options_are_names(tmp_path: Path, stubs: str) -> None:
    """And repeated names count once, in any locale."""
    environment = environment_of(tmp_path, PATH=stubs, USERS_PORT=1883, CAMERAS="-n, -e,_,back,,back ", LC_ALL="en_US.UTF-8")
    assert run_script(START, environment) == (0, "started\n")
    cameras = ("capture--n", "capture--e", "capture-_", "capture-back")
    assert users_in(tmp_path) == [*ROLES, *cameras, *(f"classifier-{number}" for number in range(1, 9))]


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


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A folder that user nobody can use, with the scripts and a stub of the broker."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bin").mkdir()
        (folder / "bin" / "mosquitto").write_text("#!/bin/sh\necho started\n")
        shutil.copytree(ROOT / "mosquitto", folder / "mosquitto")
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755)
        if os.geteuid() == 0:
            shutil.chown(folder, NOBODY, NOBODY)
        yield folder


def start_unprivileged(folder: Path) -> tuple[int, str]:
    """Runs start.sh there, as nobody where the tests run as root."""
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    nobody, groups = (NOBODY, list[int]()) if os.geteuid() == 0 else (None, None)
    ended = subprocess.run(
        ["sh", str(folder / "mosquitto" / "start.sh")], env=environment_of(folder, PATH=path, USERS_PORT=1883, TLS_PORT=8883),
        capture_output=True, text=True, timeout=limit(30), check=False, cwd=folder, user=nobody, group=nobody, extra_groups=groups,
    )  # fmt: skip
    return ended.returncode, ended.stdout + ended.stderr


def test_a_read_only_folder_of_passwords_suffices(unprivileged: Path) -> None:
    """As in a container whose passwords another one creates; a missing password ends it with one line that names it."""
    assert start_unprivileged(unprivileged) == (0, "started\n")
    secrets = unprivileged / "secrets"
    reader = secrets / "reader" / "password"
    folders = [secrets, *(one for one in secrets.iterdir() if one.is_dir())]
    try:
        for one in folders:
            one.chmod(0o555)
        assert start_unprivileged(unprivileged) == (0, "started\n")
        reader.write_text("")
        code, output = start_unprivileged(unprivileged)
        assert (code != 0, output.count("\n")) == (True, 1)
        assert "reader/password" in output
    finally:
        for one in folders:
            one.chmod(0o755)


def test_a_folder_that_cannot_be_created_ends_it_with_one_line(tmp_path: Path, stubs: str) -> None:
    (tmp_path / "secrets").write_text("")
    code, output = run_script(START, environment_of(tmp_path, PATH=stubs, USERS_PORT=1883))
    assert (code != 0, output.count("\n")) == (True, 1)
    assert "secrets" in output
