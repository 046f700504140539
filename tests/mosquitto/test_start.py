"""How the broker is started: settings, names, and folders that are not as they should be."""

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
from tests.support.broker import ROOT
from tests.support.guarded_broker import START, environment_of, run_script
from tests.support.wait import limit

NOBODY = 65534
RULE = re.compile(r"topic (read|write|readwrite) (\S+)")
USERS = {"capture", "classifier", "display", "bridge", "operator", "reader"}

BAD = {
    "CAMERAS=a/b": {"CAMERAS": "a/b"},
    "CAMERAS=+": {"CAMERAS": "door,+"},
    "CAMERAS=Door": {"CAMERAS": "Door"},
    "CAMERAS=,": {"CAMERAS": ","},
    "CAMERAS=query": {"CAMERAS": "door,query"},
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
    """The line names the setting; nothing is started; the exit code is 2, as that of the modules."""
    code, said = run_script(START, environment_of(tmp_path, PATH=stubs, **{"USERS_PORT": 1883} | BAD[named]))
    assert (code, said.count("\n")) == (2, 1), said
    assert named in said


def test_names_that_mean_something_to_a_shell_are_names(tmp_path: Path, stubs: str) -> None:
    """They are of allowed characters; one that comes twice is one; the same in whatever language."""
    environment = environment_of(tmp_path, PATH=stubs, USERS_PORT=1883, CAMERAS="-n, -e,_,back,,back ", LC_ALL="en_US.UTF-8")
    assert run_script(START, environment) == (0, "started\n")
    assert users_in(tmp_path) == [
        *("capture", "classifier", "display", "bridge", "operator", "reader"),
        *("capture--n", "capture--e", "capture-_", "capture-back"),
        *(f"classifier-{number}" for number in range(1, 9)),
    ]


def users_in(folder: Path) -> list[str]:
    """In the access list that was made."""
    lines = (folder / "run" / "access.acl").read_text().splitlines()
    users = [line.removeprefix("user ") for line in lines if line.startswith("user ")]
    assert users == [line.split(":")[0] for line in (folder / "run" / "passwords").read_text().splitlines()]
    return users


names = st.from_regex(re.compile(NAME_PATTERN), fullmatch=True)
lists = st.lists(names | st.sampled_from(["door", "query", "-n", "é", "A", "a/b", "+", "#"]), max_size=3).map(",".join)
texts = st.text("ab-_, \n\t/+#$*\\<>&%'\"`éA1|[]", max_size=12)


@settings(max_examples=25)
@given(cameras=lists | texts)
def test_the_access_list_has_the_rules_of_valid_names_alone(
    tmp_path_factory: pytest.TempPathFactory, stubs: str, cameras: str
) -> None:
    """Whatever CAMERAS is: either each of its names is valid and they have the cameras' topics, or nothing is started."""
    folder = tmp_path_factory.mktemp("names")
    given_names = [name for name in re.split(r"[, \n]", cameras or "door") if name.strip("\t")]
    valid = bool(given_names) and all(
        re.fullmatch(NAME_PATTERN, name) and name not in topics.RESERVED_CAMERAS for name in given_names
    )
    code, said = run_script(START, environment_of(folder, PATH=stubs, USERS_PORT=1883, CAMERAS=cameras, CLASSIFIERS=0))
    if not valid:
        assert (code, said.count("\n")) == (2, 1), said
        assert not (folder / "run").exists()
        return
    assert (code, said) == (0, "started\n")
    assert set(users_in(folder)) == USERS | {f"capture-{name}"[:64] for name in given_names if name != "door"}
    lines = (folder / "run" / "access.acl").read_text().splitlines()
    rules = [RULE.fullmatch(line) for line in lines if not line.startswith("user ")]
    written = {rule[2] for rule in rules if rule and rule[1] != "read"}
    assert all(rules)
    assert {topic for topic in written if topic.endswith("/frame")} == {topics.frame(name) for name in given_names}
    of_cameras = {topic for topic in written if topic.split("/")[1] not in topics.RESERVED_CAMERAS}
    of_any_camera = {topics.label(), topics.counts()}  # which the operator clears of those that are gone
    assert of_any_camera < of_cameras
    assert {topic.split("/")[1] for topic in of_cameras - of_any_camera} == set(given_names)
    assert all(len(topic.split("/")) == 3 for topic in of_cameras)


class Anybody:
    """Somebody without rights, and a folder that it can use: scripts, and what they make."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._as: dict[str, int] = {"user": NOBODY, "group": NOBODY} if os.geteuid() == 0 else {}
        shutil.copytree(ROOT / "mosquitto", folder / "mosquitto")
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755)
        if self._as:
            shutil.chown(folder, NOBODY, NOBODY)

    def start(self, **values: object) -> tuple[int, str]:
        """As `run_script` with start.sh."""
        environment = environment_of(self.folder, USERS_PORT=1883, **values)
        command = ["sh", str(self.folder / "mosquitto" / "start.sh")]
        ended = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=limit(30), check=False, cwd=self.folder,
            user=self._as.get("user"), group=self._as.get("group"), extra_groups=[] if self._as else None,
        )  # fmt: skip
        return ended.returncode, ended.stdout + ended.stderr


@pytest.fixture
def anybody() -> Iterator[Anybody]:
    """In a folder that is not root's alone; the broker is a stub."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "bin").mkdir()
        (Path(folder) / "bin" / "mosquitto").write_text("#!/bin/sh\necho started\n")
        yield Anybody(Path(folder))


def test_a_folder_of_secrets_that_is_read_only_will_do_if_all_is_there(anybody: Anybody) -> None:
    """As a container has it whose passwords another one makes; without one of them it ends with one line that says which."""
    path = f"{anybody.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    assert anybody.start(PATH=path, TLS_PORT=8883) == (0, "started\n")
    secrets = anybody.folder / "secrets"
    reader = secrets / "reader" / "password"
    text = reader.read_text()
    reader.write_text("")
    folders = [secrets, *(one for one in secrets.iterdir() if one.is_dir())]
    for one in folders:
        one.chmod(0o555)
    try:
        code, said = anybody.start(PATH=path, TLS_PORT=8883)
        assert code != 0
        assert said.count("\n") == 1
        assert "reader/password" in said
        reader.write_text(text)
        assert anybody.start(PATH=path, TLS_PORT=8883) == (0, "started\n")
    finally:
        for one in folders:
            one.chmod(0o755)


def test_a_folder_that_cannot_be_made_ends_it_with_one_line(tmp_path: Path, stubs: str) -> None:
    """Where the passwords should be, there is a file."""
    (tmp_path / "secrets").write_text("")
    code, said = run_script(START, environment_of(tmp_path, PATH=stubs, USERS_PORT=1883))
    assert code != 0
    assert said.count("\n") == 1
    assert "secrets" in said
