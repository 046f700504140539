"""Which model is served: what is wanted on the broker, rollback, changes of MODEL, and starts, with a real server and store."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from bus import WantedModel
from classifier import InvalidExport
from classifier.export import Export
from classifier.interpreter import Classifier
from classifier.models import ModelManager
from classifier.store import STATE_FILE, ModelStore
from tests.classifier.model_server import SECRET, Answer, ModelServer, cut_off, export, put, sha256, send_status, trickle, send_all, make_zip
from tests.support.wait import until

pytestmark = pytest.mark.broker  # it needs sockets

FIRST, SECOND, THIRD, FOURTH = map(export, ("abc", "def", "ghi", "jkl"))
BAD, BROKEN = export("xy"), make_zip({"readme.txt": b"no model"})
PROBLEM = "labels.txt has 2 labels, the model has 3 outputs; they must agree"
ROLLBACK = WantedModel(rollback=True)


class Device:
    """A manager that runs step by step, and can be started again. Models are known by the letters of their labels."""

    def __init__(self, folder: Path, server: ModelServer) -> None:
        self.server, self.store = server, folder / "state"
        self.model = put(folder / "default", "own")
        self.meanwhile: Callable[[], object] = lambda: None
        self.start()

    def load(self, export: Export) -> Classifier:
        self.loaded.append("".join(export.labels))
        self.meanwhile()
        return Classifier(export, trial=("true",))

    def serve(self, classifier: Classifier) -> None:
        self.served = "".join(classifier.labels)

    def start(self) -> str:
        """A new process; what it serves."""
        self.loaded: list[str] = []
        self.manager = ModelManager(self.model, ModelStore(self.store), self.load, retry=(0.02, 0.05))
        self.serve(self.manager.start())
        self.problems: list[str] = []
        self.states: list[str] = []
        self.manager.attach(self.serve, lambda update: self.states.append(update.state), self.problems.append)
        return self.served

    def steps_until(self, condition: Callable[[], object], what: str = "") -> None:
        def step() -> bool:
            self.manager.step()
            return bool(condition())

        until(step, 5, what)

    def reaches(self, state: str, detail: str = "") -> str:
        """Steps until the outcome is this one; what is served then."""
        self.steps_until(lambda: self.manager.update.state == state and detail in self.manager.update.detail, f"{state} {detail}")
        assert SECRET not in repr(self.manager.update)
        return self.served

    def ask(self, content: bytes, **changes: Any) -> None:
        """For what the server then offers."""
        self.server.content = content
        self.manager.on_wanted(WantedModel(**{"url": self.server.url, "sha256": sha256(content)} | changes))

    def want(self, content: bytes, state: str = "serving", detail: str = "", **changes: Any) -> str:
        """Asks, and steps until the outcome is this one; what is served then."""
        self.ask(content, **changes)
        return self.reaches(state, detail)

    def roll_back(self) -> tuple[str, str]:
        """What is served then, and the state."""
        self.manager.on_wanted(ROLLBACK)
        self.manager.step()
        return self.served, self.manager.update.state

    def look(self, times: int = 2) -> tuple[list[str], str]:
        """Looks at MODEL's files; the problems that are reported, which are empty for none any more, and what is served then."""
        self.problems.clear()
        for _ in range(times):
            self.manager.look()
        return list(self.problems), self.served

    def zip(self, content: bytes) -> Path:
        """Where it is kept."""
        return self.store / f"people-{sha256(content)[:12]}.zip"


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    with ModelServer() as server:
        yield Device(tmp_path, server)


def test_wanted_models_are_served(device: Device) -> None:
    """Downloaded, tried and served, with each state reported; the one before is kept, and downloaded no more; no secret is."""
    (device.store / "notes.zip").write_text("mine")
    assert device.manager.update.state == "none"
    assert device.want(FIRST, sha256=sha256(FIRST).upper()) == "abc"
    assert list(dict.fromkeys(device.states)) == ["downloading", "trying", "serving"]
    update = device.manager.update
    assert (update.url, update.sha256, update.detail) == (device.server.root, sha256(FIRST), "")
    assert str(update.previous).startswith("default@")
    device.want(FIRST, url=f"{device.server.root}/other")  # again: nothing to do, also after a restart
    assert device.start() == device.want(FIRST) == "abc"
    assert len(device.server.paths) == 1
    for content, letters in ((SECOND, "def"), (THIRD, "ghi"), (SECOND, "def")):
        assert device.want(content) == letters
    assert len(device.server.paths) == 3
    assert set(device.store.glob("*.zip*")) == {device.zip(SECOND), device.zip(THIRD), device.store / "notes.zip"}
    assert SECRET not in (device.store / STATE_FILE).read_text()


@pytest.mark.parametrize(
    ("content", "changes", "answers", "state", "detail"),
    [
        (SECOND, {"url": "https://me:pw@x/"}, [], "refused", "url: must not hold a user or password"),
        (SECOND, {"sha256": "abc"}, [], "refused", "sha256: must be 64 hex digits"),
        (SECOND, {"sha256": None}, [], "refused", "sha256: must be 64 hex digits"),
        (BROKEN, {}, [send_all], "refused", "model.tflite is missing"),
        (b"no zip", {}, [send_all], "refused", "not a zip"),
        (BAD, {}, [send_all], "refused", PROBLEM),
        (SECOND, {}, [send_status(404)], "failed", "answers 404"),
        (SECOND, {}, [cut_off(50), send_status(403)], "failed", "answers 403"),
    ],
)
def test_a_final_outcome(
    device: Device, content: bytes, changes: dict[str, object], answers: list[Answer], state: str, detail: str
) -> None:
    """The served model and its file stay; the same request asks nothing of the server again, but another address is tried."""
    device.want(FIRST)
    device.server.answers += answers
    for _ in range(2):
        assert device.want(content, state, detail, **changes) == "abc"
    assert len(device.server.paths) == 1 + len(answers)
    assert device.start() == "abc"
    assert list(device.store.glob("*.zip*")) == [device.zip(FIRST)]
    device.want(content, "serving" if content == SECOND else "refused", url=f"{device.server.url}2")
    assert len(device.server.paths) == 2 + len(answers)
    device.manager.on_wanted(WantedModel())
    device.reaches("none")


def test_what_may_pass_is_tried_again(device: Device) -> None:
    """Server errors, a broken connection, no memory for the trial: it waits, says why, and succeeds; also after a restart."""
    device.server.answers += [send_status(503), cut_off(100), send_status(429)]
    device.want(FIRST, "waiting", "answers 503; next try in 0.02 s")
    device.start()
    device.meanwhile = Mock(side_effect=[OSError(errno.ENOMEM, "Cannot allocate memory"), None])
    assert device.reaches("serving") == "abc"
    assert device.states.count("waiting") == 3


def test_a_request_during_another(device: Device) -> None:
    """No model, another one and a rollback end a download, and nothing of it is left; during a trial they come first, too.

    A change of MODEL meanwhile is served, and the download goes on.
    """

    def is_under_way() -> list[Path]:
        return list(device.store.glob("*.part"))

    device.want(FIRST)
    for request, state, served in ((WantedModel(), "none", "abc"), (None, "serving", "def"), (ROLLBACK, "rolled-back", "abc")):
        device.server.answers.append(trickle)
        device.ask(THIRD)
        device.steps_until(is_under_way)
        device.manager.on_wanted(request) if request else device.ask(SECOND)
        assert device.reaches(state) == served
        assert not is_under_way()
    device.want(THIRD, "rolled-back")  # what was rolled back is not installed again
    device.meanwhile = lambda: device.manager.on_wanted(ROLLBACK)
    device.want(FOURTH, "trying")
    device.meanwhile = lambda: None
    assert device.reaches("rolled-back") == "def"
    device.server.answers.append(trickle)
    device.ask(THIRD)
    device.steps_until(is_under_way)
    put(device.model, "new")
    device.steps_until(lambda: device.served == "new")
    assert is_under_way()


def test_rollback(device: Device) -> None:
    """To the previous model, or MODEL's, and forth again, over restarts; the same request does not install it again."""
    device.roll_back()
    assert "there is no earlier model" in device.manager.update.detail
    device.want(FIRST)
    device.want(FIRST, "refused", sha256=None)
    assert (device.roll_back(), device.start()) == (("own", "rolled-back"), "own")
    assert (device.roll_back(), device.start()) == (("abc", "rolled-back"), "abc")
    device.want(SECOND)
    assert (device.roll_back(), device.start()) == (("abc", "rolled-back"), "abc")
    assert device.manager.update.sha256 == sha256(SECOND)
    assert str(device.manager.update.previous).startswith(f"{device.zip(SECOND).stem}@")
    assert device.want(SECOND, "rolled-back") == "abc"
    assert device.roll_back() == ("def", "serving")
    device.want(THIRD)
    device.zip(SECOND).write_bytes(b"damaged")
    assert device.roll_back() == ("ghi", "serving")
    assert "missing or damaged" in device.manager.update.detail


@pytest.mark.parametrize("is_running", [True, False])
def test_the_last_change_wins(device: Device, is_running: bool) -> None:
    """A change of MODEL replaces a downloaded model, also while the classifier is stopped, and can be rolled back."""
    device.want(FIRST)
    put(device.model, "new")
    if not is_running:
        device.start()
    device.steps_until(lambda: device.served == "new")
    assert "MODEL's files have changed" in device.manager.update.detail
    assert device.start() == device.want(FIRST, "rolled-back") == "new"
    assert (device.roll_back()[0], device.start()) == ("abc", "abc")
    put(device.model, "xy")
    device.start()
    device.steps_until(lambda: device.problems)
    assert (device.problems, device.served) == ([f"default: {PROBLEM}"], "abc")


@pytest.mark.parametrize("damage", [b"", b"PK", None])
def test_a_start_with_damaged_files(device: Device, damage: bytes | None) -> None:
    """The previous model is served, or MODEL's; the outcome says why, and the same request downloads the model again."""
    device.want(FIRST)
    device.want(SECOND)
    for content, served in ((SECOND, "abc"), (FIRST, "own")):
        path = device.zip(content)
        path.unlink() if damage is None else path.write_bytes(damage)
        assert device.start() == device.reaches("failed", f"{path.name}: the file is missing or damaged") == served
    assert device.want(SECOND) == device.start() == "def"


@pytest.mark.parametrize("state", [b"", b"[]", b'{"served": 1}', b'{"served": {"model": "x", "file": "../../x.zip"}}', b"\xff"])
def test_a_start_with_a_damaged_state(device: Device, state: bytes) -> None:
    """MODEL's is served, and models can be wanted again; MODEL may be missing while a downloaded one is there, but not now."""
    device.want(FIRST)
    (device.store / STATE_FILE).write_bytes(state)
    assert device.start() == "own"
    device.want(FIRST)
    (device.model / "labels.txt").unlink()
    assert device.start() == "abc"
    (device.store / STATE_FILE).write_bytes(state)
    with pytest.raises(InvalidExport, match=r"labels\.txt is missing"):
        device.start()


def test_a_model_that_ends_the_process(device: Device) -> None:
    """A model at whose trial the classifier ends again and again is given up."""
    device.want(FIRST)
    device.ask(SECOND)
    device.meanwhile = Mock(side_effect=[SystemExit, None] * 5)  # at its trial, not at the start
    for _ in range(5):
        with pytest.raises(SystemExit):
            device.reaches("serving", "never")
        assert device.start() == "abc"
    device.reaches("refused", "the classifier ended 5 times")


def test_a_folder_that_cannot_be_written(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one no model is taken; with a file in its place, or a full disk, it waits, and goes on when it can be written.

    A switch that cannot be saved is made, and forgotten with a restart.
    """
    device.manager = ModelManager(device.model, ModelStore(None), device.load)
    device.manager.start()
    assert device.want(FIRST, "refused", "STATE_DIR is not set") == "own"
    assert device.server.paths == []
    device.store = device.store.with_name("other")
    device.store.write_text("a file")
    device.start()
    device.want(FIRST, "waiting", "STATE_DIR: ")
    device.store.unlink()
    device.reaches("serving")
    Path(f"{device.zip(SECOND)}.part").symlink_to("/dev/full")
    with monkeypatch.context() as patch:
        patch.setattr(ModelStore, "write", lambda *_: None)  # would remove it
        device.want(SECOND, "waiting", "No space left on device")
    assert device.reaches("serving") == "def"
    (device.store / f".{STATE_FILE}.tmp").mkdir()
    assert (device.roll_back(), device.start()) == (("abc", "rolled-back"), "def")


def test_changed_files_are_loaded_once(device: Device) -> None:
    """When two looks see the same, not while they grow, and not for new times alone. A problem is reported once, its end too."""
    assert device.look(3) == ([], "own")
    os.utime(device.model / "labels.txt", (1, 1))
    assert (device.look(3), device.loaded) == (([""], "own"), ["own"])
    for letters in ("n", "ne", "new"):
        put(device.model, letters)
        assert device.look(1) == ([], "own")
    assert device.look(3) == ([""], "new")
    put(device.model, "xy")
    assert device.look(5) == ([f"default: {PROBLEM}"], "new")
    put(device.model, "")
    assert "line 1: 0 characters" in "|".join(device.look(5)[0])
    put(device.model, "new")
    assert (device.look(5), device.loaded) == (([""], "new"), ["own", "new", "xy"])
    put(device.model, "xy")
    device.meanwhile = lambda: put(device.model, "uvw")  # during the trial: what was read may be of two states
    assert device.look() == ([], "new")
    device.meanwhile = lambda: None
    assert device.look() == ([""], "uvw")


def test_files_that_are_replaced(device: Device, tmp_path: Path) -> None:
    """A folder that was moved away is waited for; the one moved into its place is served, as a link's new target is, or a zip."""
    device.model.rename(tmp_path / "old")
    assert (device.look(3), device.loaded) == (([], "own"), ["own"])
    for letters in ("new", "uvw"):
        (tmp_path / "link").symlink_to(put(tmp_path / letters, letters))
        (tmp_path / "link").rename(device.model)
        assert device.look() == ([""], letters)
    device.model = tmp_path / "export.zip"
    device.model.write_bytes(FIRST)
    assert device.start() == "abc"
    device.model.write_bytes(SECOND[: len(SECOND) // 2])
    assert "not a zip" in device.look(3)[0][0]
    (tmp_path / "other.zip").write_bytes(SECOND)
    (tmp_path / "other.zip").replace(device.model)
    assert device.look() == ([""], "def")
