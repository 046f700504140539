"""Tests of model updates: requests, rollbacks, changes of MODEL, and restarts, with a real server and store."""

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
from classifier.manager import ModelManager
from classifier.model import Model
from classifier.store import STATE_FILE, ModelStore
from tests.classifier.model_server import (
    SECRET,
    Answer,
    ModelServer,
    cut_off,
    export_zip,
    make_zip,
    send_all,
    send_range,
    send_status,
    sha256,
    trickle,
    write_export,
)
from tests.support.wait import until

pytestmark = pytest.mark.broker  # uses sockets

FIRST, SECOND, THIRD, FOURTH = map(export_zip, ("abc", "def", "ghi", "jkl"))
BAD, BROKEN = export_zip("xy"), make_zip({"readme.txt": b"no model"})
PROBLEM = "2 labels, but the model has 3 outputs; the numbers must match"
ROLLBACK = WantedModel(rollback=True)


class Device:
    """A manager that runs step by step and can be restarted. The letters of its labels identify a model."""

    def __init__(self, folder: Path, server: ModelServer) -> None:
        self.server, self.store = server, folder / "state"
        self.model = write_export(folder / "default", "own")
        self.on_load: Callable[[], object] = lambda: None
        self.start()

    def load(self, export: Export) -> Model:
        self.loaded.append("".join(export.labels))
        self.on_load()
        return Model(export, trial=("true",))

    def serve(self, classifier: Model) -> None:
        self.served = "".join(classifier.labels)

    def start(self) -> str:
        """Starts a new manager, as a new process would, and returns the letters of the served model."""
        self.loaded: list[str] = []
        self.manager = ModelManager(self.model, ModelStore(self.store), self.load, retry=(0.02, 0.05))
        self.serve(self.manager.start())
        self.problems: list[str] = []
        self.states: list[str] = []
        self.manager.attach(self.serve, lambda update: self.states.append(update.state), self.problems.append)
        return self.served

    def step_until(self, condition: Callable[[], object], what: str = "") -> None:
        def step() -> bool:
            self.manager.step()
            return bool(condition())

        until(step, 5, what)

    def wait_for_state(self, state: str, detail: str = "") -> str:
        """Steps until the update has this state and detail, and returns the letters of the served model."""
        self.step_until(lambda: self.manager.update.state == state and detail in self.manager.update.detail, f"{state} {detail}")
        assert SECRET not in repr(self.manager.update)
        return self.served

    def request(self, content: bytes, **changes: Any) -> None:
        """Requests a model with this zip, which the server sends from now on."""
        self.server.content = content
        self.manager.on_wanted(WantedModel(**{"url": self.server.url, "sha256": sha256(content)} | changes))

    def update(self, content: bytes, state: str = "serving", detail: str = "", **changes: Any) -> str:
        """Requests a model, and steps until the update has this state. Returns the letters of the served model."""
        self.request(content, **changes)
        return self.wait_for_state(state, detail)

    def roll_back(self) -> tuple[str, str]:
        """Rolls back, and returns the letters of the served model and the state of the update."""
        self.manager.on_wanted(ROLLBACK)
        self.manager.step()
        return self.served, self.manager.update.state

    def check_files(self, times: int = 2) -> tuple[list[str], str]:
        """Checks MODEL's files. Returns the reported problems (empty text: solved), and the letters of the served model."""
        self.problems.clear()
        for _ in range(times):
            self.manager.check_files()
        return list(self.problems), self.served

    def zip(self, content: bytes) -> Path:
        """Returns the path of the stored zip."""
        return self.store / f"people-{sha256(content)[:12]}.zip"


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    with ModelServer() as server:
        device = Device(tmp_path, server)
        yield device
        device.manager.on_wanted(WantedModel())
        device.manager.step()  # ends a download


def test_requested_models_are_served(device: Device) -> None:
    """Each state is reported. The previous model is kept, and not downloaded again. No secret is stored."""
    (device.store / "notes.zip").write_text("mine")
    assert device.manager.update.state == "none"
    assert device.update(FIRST, sha256=sha256(FIRST).upper()) == "abc"
    assert list(dict.fromkeys(device.states)) == ["downloading", "trying", "serving"]
    update = device.manager.update
    assert (update.url, update.sha256, update.detail) == (device.server.root, sha256(FIRST), "")
    assert str(update.previous).startswith("default@")
    device.update(FIRST, url=f"{device.server.root}/other")  # repeated: nothing to do, also after a restart
    assert device.start() == device.update(FIRST) == "abc"
    assert len(device.server.paths) == 1
    for content, letters in ((SECOND, "def"), (THIRD, "ghi"), (SECOND, "def")):
        assert device.update(content) == letters
    assert len(device.server.paths) == 3
    assert set(device.store.glob("*.zip*")) == {device.zip(SECOND), device.zip(THIRD), device.store / "notes.zip"}
    assert SECRET not in (device.store / STATE_FILE).read_text()


@pytest.mark.parametrize(
    ("content", "changes", "answers", "state", "detail"),
    [
        (SECOND, {"url": "https://me:pw@x/"}, [], "refused", "url: must not contain a user or password"),
        (SECOND, {"sha256": "abc"}, [], "refused", "sha256: must be 64 hex digits"),
        (SECOND, {"sha256": None}, [], "refused", "sha256: must be 64 hex digits"),
        (BROKEN, {}, [send_all], "refused", "model.tflite is missing"),
        (b"no zip", {}, [send_all], "refused", "not a valid zip"),
        (BAD, {}, [send_all], "refused", PROBLEM),
        (SECOND, {}, [send_status(404)], "failed", "answered HTTP 404"),
        (SECOND, {}, [cut_off(50), send_status(403)], "failed", "answered HTTP 403"),
    ],
)
def test_a_final_outcome(
    device: Device, content: bytes, changes: dict[str, object], answers: list[Answer], state: str, detail: str
) -> None:
    """The served model and its file stay. Repeating the request downloads nothing; another address is tried."""
    device.update(FIRST)
    device.server.answers += answers
    for _ in range(2):
        assert device.update(content, state, detail, **changes) == "abc"
    assert len(device.server.paths) == 1 + len(answers)
    assert device.start() == "abc"
    assert list(device.store.glob("*.zip*")) == [device.zip(FIRST)]
    device.update(content, "serving" if content == SECOND else "refused", url=f"{device.server.url}2")
    assert len(device.server.paths) == 2 + len(answers)
    device.manager.on_wanted(WantedModel())
    device.wait_for_state("none")


def test_transient_errors_are_retried(device: Device) -> None:
    """Server errors, a lost connection, and no memory for the trial are reported and retried, also after a restart."""
    device.server.answers += [send_status(503), cut_off(100), send_status(429)]
    device.update(FIRST, "waiting", "answered HTTP 503; next try in 0.02 s")
    device.start()
    device.on_load = Mock(side_effect=[OSError(errno.ENOMEM, "Cannot allocate memory"), None])
    assert device.wait_for_state("serving") == "abc"
    assert device.states.count("waiting") == 3


def test_a_download_is_continued(device: Device) -> None:
    """A download continues after a lost connection, a restart, and a request with a new signature, not after a cancellation."""
    device.server.answer = send_range()
    device.server.answers += [send_range(end=100), send_range(end=200), send_status(503)]
    device.update(FIRST, "waiting", "answered HTTP 503")
    device.start()
    device.server.answers.append(send_range(end=300))
    device.wait_for_state("waiting", "the connection was lost")
    assert device.update(FIRST, url=f"{device.server.url}2") == "abc"
    assert device.server.ranges == [None, *(f"bytes={size}-" for size in (100, 200, 200, 300))]
    assert [path.name for path in device.store.glob("people-*")] == [device.zip(FIRST).name]
    device.server.answers.append(send_range(end=100))
    device.update(SECOND, "waiting", "the connection was lost")
    device.manager.on_wanted(WantedModel())
    device.wait_for_state("none")
    assert device.update(SECOND) == "def"
    assert device.server.ranges[-2:] == [None, None]
    assert {path.name for path in device.store.glob("people-*")} == {device.zip(FIRST).name, device.zip(SECOND).name}


def test_a_request_during_another(device: Device) -> None:
    """A cancellation, another request or a rollback ends a download and leaves no file. During a trial it comes first too.

    If MODEL changes during a download, it is served, and the download continues.
    """

    def partial_downloads() -> list[Path]:
        return list(device.store.glob("*.part"))

    device.update(FIRST)
    for request, state, served in ((WantedModel(), "none", "abc"), (None, "serving", "def"), (ROLLBACK, "rolled-back", "abc")):
        device.server.answers.append(trickle)
        device.request(THIRD)
        device.step_until(partial_downloads)
        device.manager.on_wanted(request) if request else device.request(SECOND)
        assert device.wait_for_state(state) == served
        assert not partial_downloads()
    device.update(THIRD, "rolled-back")  # a model that was rolled back is not installed again
    device.on_load = lambda: device.manager.on_wanted(ROLLBACK)
    device.update(FOURTH, "trying")
    device.on_load = lambda: None
    assert device.wait_for_state("rolled-back") == "def"
    device.server.answers.append(trickle)
    device.request(THIRD)
    device.step_until(partial_downloads)
    write_export(device.model, "new")
    device.step_until(lambda: device.served == "new")
    assert partial_downloads()


def test_rollback(device: Device) -> None:
    """A rollback serves the previous model or MODEL, and another one undoes it, also across restarts.

    Repeating the request does not install the model again.
    """
    device.roll_back()
    assert "there is no previous model" in device.manager.update.detail
    device.update(FIRST)
    device.update(FIRST, "refused", sha256=None)
    assert (device.roll_back(), device.start()) == (("own", "rolled-back"), "own")
    assert (device.roll_back(), device.start()) == (("abc", "rolled-back"), "abc")
    device.update(SECOND)
    assert (device.roll_back(), device.start()) == (("abc", "rolled-back"), "abc")
    assert device.manager.update.sha256 == sha256(SECOND)
    assert str(device.manager.update.previous).startswith(f"{device.zip(SECOND).stem}@")
    assert device.update(SECOND, "rolled-back") == "abc"
    assert device.roll_back() == ("def", "serving")
    device.update(THIRD)
    device.zip(SECOND).write_bytes(b"damaged")
    assert device.roll_back() == ("ghi", "serving")
    assert "missing or damaged" in device.manager.update.detail


@pytest.mark.parametrize("is_running", [True, False])
def test_the_last_change_wins(device: Device, is_running: bool) -> None:
    """A change of MODEL replaces a downloaded model, even while the classifier is stopped, and can be rolled back."""
    device.update(FIRST)
    write_export(device.model, "new")
    if not is_running:
        device.start()
    device.step_until(lambda: device.served == "new")
    assert "MODEL's files have changed" in device.manager.update.detail
    assert device.start() == device.update(FIRST, "rolled-back") == "new"
    assert (device.roll_back()[0], device.start()) == ("abc", "abc")
    write_export(device.model, "xy")
    device.start()
    device.step_until(lambda: device.problems)
    assert (device.problems, device.served) == ([f"default: {PROBLEM}"], "abc")


@pytest.mark.parametrize("damage", [b"", b"PK", None])
def test_a_start_with_damaged_files(device: Device, damage: bytes | None) -> None:
    """The previous model is served, or else MODEL, and the update has the reason. The same request downloads the model again."""
    device.update(FIRST)
    device.update(SECOND)
    for content, served in ((SECOND, "abc"), (FIRST, "own")):
        path = device.zip(content)
        path.unlink() if damage is None else path.write_bytes(damage)
        assert device.start() == device.wait_for_state("failed", f"{path.name}: the file is missing or damaged") == served
    assert device.update(SECOND) == device.start() == "def"


@pytest.mark.parametrize("state", [b"", b"[]", b'{"served": 1}', b'{"served": {"model": "x", "file": "../../x.zip"}}', b"\xff"])
def test_a_start_with_a_damaged_state(device: Device, state: bytes) -> None:
    """MODEL is served, and models can be requested again. Without a readable state, MODEL must be valid."""
    device.update(FIRST)
    (device.store / STATE_FILE).write_bytes(state)
    assert device.start() == "own"
    device.update(FIRST)
    (device.model / "labels.txt").unlink()
    assert device.start() == "abc"
    (device.store / STATE_FILE).write_bytes(state)
    with pytest.raises(InvalidExport, match=r"labels\.txt is missing"):
        device.start()


def test_a_model_that_ends_the_process(device: Device) -> None:
    """A model is refused after the classifier ended five times during its trial."""
    device.update(FIRST)
    device.request(SECOND)
    device.on_load = Mock(side_effect=[SystemExit, None] * 5)  # ends during the trial, not during the start
    for _ in range(5):
        with pytest.raises(SystemExit):
            device.wait_for_state("serving", "never")
        assert device.start() == "abc"
    device.wait_for_state("refused", "the classifier ended 5 times")


def test_a_folder_that_cannot_be_written(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without STATE_DIR a request is refused. If it is a file, or the disk is full, the update is retried until it works.

    A switch that cannot be saved takes effect, and a restart loses it.
    """
    device.manager = ModelManager(device.model, ModelStore(None), device.load)
    device.manager.start()
    assert device.update(FIRST, "refused", "STATE_DIR is not set") == "own"
    assert device.server.paths == []
    device.store = device.store.with_name("other")
    device.store.write_text("a file")
    device.start()
    device.update(FIRST, "waiting", "STATE_DIR: ")
    device.store.unlink()
    device.wait_for_state("serving")
    Path(f"{device.zip(SECOND)}.part").symlink_to("/dev/full")
    with monkeypatch.context() as patch:
        patch.setattr(ModelStore, "write", lambda *_: None)  # would remove the link
        device.update(SECOND, "waiting", "No space left on device")
    assert device.wait_for_state("serving") == "def"
    (device.store / f".{STATE_FILE}.tmp").mkdir()
    assert (device.roll_back(), device.start()) == (("abc", "rolled-back"), "def")


def test_changed_files_are_loaded_once(device: Device) -> None:
    """Files are loaded once two checks find them equal, and only if their contents changed. Problems are reported once."""
    assert device.check_files(3) == ([], "own")
    os.utime(device.model / "labels.txt", (1, 1))
    assert (device.check_files(3), device.loaded) == (([""], "own"), ["own"])
    for letters in ("n", "ne", "new"):
        write_export(device.model, letters)
        assert device.check_files(1) == ([], "own")
    assert device.check_files(3) == ([""], "new")
    write_export(device.model, "xy")
    assert device.check_files(5) == ([f"default: {PROBLEM}"], "new")
    write_export(device.model, "")
    assert "line 1: is blank" in "|".join(device.check_files(5)[0])
    write_export(device.model, "new")
    assert (device.check_files(5), device.loaded) == (([""], "new"), ["own", "new", "xy"])
    write_export(device.model, "xy")
    device.on_load = lambda: write_export(device.model, "uvw")  # during the trial, so the files may not match
    assert device.check_files() == ([], "new")
    device.on_load = lambda: None
    assert device.check_files() == ([""], "uvw")


def test_files_that_are_replaced(device: Device, tmp_path: Path) -> None:
    """A missing folder changes nothing. A folder, link or zip put in its place is served."""
    device.model.rename(tmp_path / "old")
    assert (device.check_files(3), device.loaded) == (([], "own"), ["own"])
    for letters in ("new", "uvw"):
        (tmp_path / "link").symlink_to(write_export(tmp_path / letters, letters))
        (tmp_path / "link").rename(device.model)
        assert device.check_files() == ([""], letters)
    device.model = tmp_path / "export.zip"
    device.model.write_bytes(FIRST)
    assert device.start() == "abc"
    device.model.write_bytes(SECOND[: len(SECOND) // 2])
    assert "not a valid zip" in device.check_files(3)[0][0]
    (tmp_path / "other.zip").write_bytes(SECOND)
    (tmp_path / "other.zip").replace(device.model)
    assert device.check_files() == ([""], "def")


def test_files_that_cannot_be_read_now(device: Device) -> None:
    """A lack of resources is reported in one line, and the files are tried again at growing intervals, until they are served."""

    def fail() -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    device.on_load = fail
    write_export(device.model, "new")
    problems, _ = device.check_files(20)
    assert problems == ["default: OSError: [Errno 24] Too many open files; next try in 0.02 s"]
    until(lambda: len(device.check_files(1)[0]) == 1, 5, "another try")
    assert device.served == "own"
    device.on_load = lambda: None
    until(lambda: device.check_files(1) == ([""], "new"), 5, "the new model")
    write_export(device.model, "xy")
    assert device.check_files() == ([f"default: {PROBLEM}"], "new")
    assert device.check_files(20) == ([], "new")
