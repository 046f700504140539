"""Which model is served: what is wanted on the broker, rollback, changes of MODEL, and starts, with a real server and store."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest

from bus import WantedModel
from classifier import InvalidExport
from classifier.export import Export
from classifier.models import ModelManager
from classifier.store import STATE_FILE, ModelStore
from tests.classifier.shelf import SECRET, Answer, Shelf, cut, export, sha256, status, trickling, write, zipped
from tests.support.wait import until

pytestmark = pytest.mark.broker  # it needs sockets

FIRST, SECOND, THIRD = export("abc"), export("def"), export("ghi")
BAD, DEADLY, BROKEN = export("xyz"), export("end"), zipped({"readme.txt": b"no model"})
ROLLBACK = WantedModel(rollback=True)


class Device:
    """A manager that runs step by step, and can be started again."""

    def __init__(self, folder: Path, shelf: Shelf) -> None:
        self.shelf, self.model, self.store = shelf, folder / "default", folder / "state"
        self.meanwhile: Callable[[], object] = lambda: None
        self.put("own")
        self.start()

    def put(self, labels: str, folder: Path | None = None) -> None:
        """New files of MODEL."""
        write(folder or self.model, {"model.tflite": b"model", "labels.txt": "\n".join(labels).encode()})

    def load(self, export: Export) -> Any:
        """Stands for the trial, which fails for "xyz", and for "end" ends the process."""
        letters = "".join(export.labels)
        self.loaded.append(letters)
        self.meanwhile()
        if letters == "end":
            raise SystemExit
        if letters == "xyz":
            raise InvalidExport("it crashes the trial")
        return SimpleNamespace(identity=export.identity, letters=letters)

    def start(self) -> str:
        """A new process; the letters of the labels that it serves."""
        self.loaded: list[str] = []
        self.manager = ModelManager(self.model, ModelStore(self.store), self.load, retry=(0.02, 0.05))
        self.serve(self.manager.start())
        self.problems: list[str] = []
        self.states: list[str] = []
        self.manager.attach(self.serve, lambda update: self.states.append(update.state), self.problems.append)
        return self.served

    def serve(self, classifier: Any) -> None:
        self.served: str = classifier.letters

    def want(self, content: bytes, **changes: Any) -> None:
        """A request for what the server then offers."""
        self.shelf.content = content
        self.manager.on_wanted(WantedModel(**{"url": self.shelf.url, "sha256": sha256(content)} | changes))

    def steps_until(self, condition: Callable[[], object], what: str = "") -> None:
        def step() -> bool:
            self.manager.step()
            return bool(condition())

        until(step, 5, what)

    def reaches(self, state: str, detail: str = "") -> None:
        """Steps until the outcome is this one."""
        self.steps_until(lambda: self.manager.update.state == state and detail in self.manager.update.detail, f"{state} {detail}")
        assert SECRET not in repr(self.manager.update)

    def look(self, times: int = 2) -> list[str]:
        """Looks at MODEL's files; the problems with them that are reported, empty for none any more."""
        self.problems.clear()
        for _ in range(times):
            self.manager.look()
        return list(self.problems)

    def install(self, content: bytes) -> None:
        self.want(content)
        self.reaches("serving")

    def roll_back(self) -> None:
        self.manager.on_wanted(ROLLBACK)
        self.manager.step()

    def zip(self, content: bytes) -> Path:
        """Where its zip is kept."""
        return self.store / f"people-{sha256(content)[:12]}.zip"

    @property
    def zips(self) -> set[Path]:
        return set(self.store.glob("*.zip*"))


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    with Shelf() as shelf:
        yield Device(tmp_path, shelf)


def test_wanted_models_are_served(device: Device) -> None:
    """Downloaded, tried and served, with each state reported; the one before is kept, and downloaded no more; no secret is."""
    (device.store / "notes.zip").write_text("mine")
    device.reaches("none")
    device.want(FIRST, sha256=sha256(FIRST).upper())
    device.reaches("serving")
    assert device.served == "abc"
    assert list(dict.fromkeys(device.states)) == ["downloading", "trying", "serving"]
    update = device.manager.update
    assert (update.url, update.sha256, update.detail) == (device.shelf.root, sha256(FIRST), "")
    assert str(update.previous).startswith("default@")
    device.want(FIRST, url=f"{device.shelf.root}/other")  # again: nothing to do, also after a restart
    device.reaches("serving")
    assert device.start() == "abc"
    device.install(FIRST)
    assert len(device.shelf.paths) == 1
    device.install(SECOND)
    device.install(THIRD)
    assert device.zips == {device.zip(SECOND), device.zip(THIRD), device.store / "notes.zip"}
    device.install(SECOND)
    assert (device.served, len(device.shelf.paths)) == ("def", 3)
    assert SECRET not in (device.store / STATE_FILE).read_text()


@pytest.mark.parametrize(
    ("content", "changes", "answers", "state", "detail"),
    [
        (SECOND, {"url": "https://me:pw@x/"}, [], "refused", "url: must not hold a user or password"),
        (SECOND, {"sha256": "abc"}, [], "refused", "sha256: must be 64 hex digits"),
        (SECOND, {"sha256": None}, [], "refused", "sha256: must be 64 hex digits"),
        (BROKEN, {}, [cut(len(BROKEN))], "refused", "model.tflite is missing"),
        (b"no zip", {}, [cut(6)], "refused", "not a zip"),
        (BAD, {}, [cut(len(BAD))], "refused", "it crashes the trial"),
        (SECOND, {}, [status(404)], "failed", "answers 404"),
        (SECOND, {}, [cut(50), status(403)], "failed", "answers 403"),
    ],
)
def test_a_final_outcome(
    device: Device, content: bytes, changes: dict[str, object], answers: list[Answer], state: str, detail: str
) -> None:
    """The served model and its file stay; the same request asks nothing of the server again, but another address is tried."""
    device.install(FIRST)
    device.shelf.answers += answers
    for _ in range(2):
        device.want(content, **changes)
        device.reaches(state, detail)
    assert len(device.shelf.paths) == 1 + len(answers)
    assert (device.served, device.start(), device.zips) == ("abc", "abc", {device.zip(FIRST)})
    device.want(content, url=f"{device.shelf.url}2")
    device.reaches("serving" if content == SECOND else "refused")
    assert len(device.shelf.paths) == 2 + len(answers)
    device.manager.on_wanted(WantedModel())
    device.reaches("none")


def test_what_may_pass_is_tried_again(device: Device) -> None:
    """Server errors, a broken connection, no memory for the trial: it waits, says why, and succeeds; also after a restart."""
    device.shelf.answers += [status(503), cut(100), status(429)]
    device.want(FIRST)
    device.reaches("waiting", "answers 503; next try in 0.02 s")
    device.start()
    device.meanwhile = Mock(side_effect=[OSError(errno.ENOMEM, "Cannot allocate memory"), None])
    device.reaches("serving")
    assert device.states.count("waiting") == 3
    assert device.served == "abc"


def test_a_request_during_another(device: Device) -> None:
    """No model, another one and a rollback end a download, and nothing of it is left; during a trial they come first, too."""
    device.install(FIRST)
    for request, state, served in ((WantedModel(), "none", "abc"), (None, "serving", "def"), (ROLLBACK, "rolled-back", "abc")):
        device.shelf.answers.append(trickling)
        device.want(THIRD)
        device.steps_until(lambda: list(device.store.glob("*.part")))
        device.want(SECOND) if request is None else device.manager.on_wanted(request)
        device.reaches(state)
        assert device.served == served
        assert not list(device.store.glob("*.part"))
    device.want(THIRD)
    device.reaches("rolled-back")  # what was rolled back is not installed again
    device.meanwhile = lambda: device.manager.on_wanted(ROLLBACK)
    device.want(export("jkl"))
    device.reaches("trying")
    device.meanwhile = lambda: None
    device.reaches("rolled-back")
    assert device.served == "def"


def test_rollback(device: Device) -> None:
    """To the previous model, or MODEL's, and forth again, over restarts; the same request does not install it again."""
    device.roll_back()
    assert "there is no earlier model" in device.manager.update.detail
    device.install(FIRST)
    for served in ("own", "abc"):
        device.roll_back()
        assert (device.served, device.start()) == (served, served)
    device.install(SECOND)
    device.roll_back()
    update = device.manager.update
    assert (device.served, update.state, update.sha256) == ("abc", "rolled-back", sha256(SECOND))
    assert str(update.previous).startswith(f"{device.zip(SECOND).stem}@")
    assert device.start() == "abc"
    device.want(SECOND)
    device.reaches("rolled-back")
    device.roll_back()
    assert (device.served, device.manager.update.state) == ("def", "serving")
    device.install(THIRD)
    device.zip(SECOND).write_bytes(b"damaged")
    device.roll_back()
    assert (device.served, device.manager.update.state) == ("ghi", "serving")
    assert "missing or damaged" in device.manager.update.detail


@pytest.mark.parametrize("is_running", [True, False])
def test_the_last_change_wins(device: Device, is_running: bool) -> None:
    """A change of MODEL replaces a downloaded model, also while the classifier is stopped, and can be rolled back."""
    device.install(FIRST)
    device.put("new")
    if not is_running:
        device.start()
    device.steps_until(lambda: device.served == "new")
    assert "MODEL's files have changed" in device.manager.update.detail
    assert device.start() == "new"
    device.want(FIRST)
    device.reaches("rolled-back")
    device.roll_back()
    assert (device.served, device.start()) == ("abc", "abc")
    device.put("xyz")
    device.start()
    device.steps_until(lambda: device.problems)
    assert (device.problems, device.served) == (["it crashes the trial"], "abc")


@pytest.mark.parametrize("damage", [b"", b"PK", None])
def test_a_start_with_damaged_files(device: Device, damage: bytes | None) -> None:
    """The previous model is served, or MODEL's; the outcome says why, and the same request downloads the model again."""
    device.install(FIRST)
    device.install(SECOND)
    for content, served in ((SECOND, "abc"), (FIRST, "own")):
        path = device.zip(content)
        path.unlink() if damage is None else path.write_bytes(damage)
        assert device.start() == served
        device.reaches("failed", f"{path.name}: the file is missing or damaged")
    device.install(SECOND)
    assert device.start() == "def"


@pytest.mark.parametrize("state", [b"", b"[]", b'{"served": 1}', b'{"served": {"model": "x", "file": "../../x.zip"}}', b"\xff"])
def test_a_start_with_a_damaged_state(device: Device, state: bytes) -> None:
    """MODEL's is served, and models can be wanted again; MODEL may be missing while a downloaded one is there, but not now."""
    device.install(FIRST)
    (device.store / STATE_FILE).write_bytes(state)
    assert device.start() == "own"
    device.install(FIRST)
    (device.model / "labels.txt").unlink()
    assert device.start() == "abc"
    (device.store / STATE_FILE).write_bytes(state)
    with pytest.raises(InvalidExport, match=r"labels\.txt is missing"):
        device.start()


def test_a_model_that_ends_the_process(device: Device) -> None:
    """A model at whose trial the classifier ends again and again is given up."""
    device.install(FIRST)
    device.want(DEADLY)
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
    device.want(FIRST)
    device.reaches("refused", "STATE_DIR is not set")
    assert (device.served, device.shelf.paths) == ("own", [])
    device.store = device.store.with_name("other")
    device.store.write_text("a file")
    device.start()
    device.want(FIRST)
    device.reaches("waiting", "STATE_DIR: ")
    device.store.unlink()
    device.reaches("serving")
    Path(f"{device.zip(SECOND)}.part").symlink_to("/dev/full")
    with monkeypatch.context() as patch:
        patch.setattr(ModelStore, "write", lambda *_: None)  # would remove it
        device.want(SECOND)
        device.reaches("waiting", "No space left on device")
    device.reaches("serving")
    assert device.served == "def"
    (device.store / f".{STATE_FILE}.tmp").mkdir()
    device.roll_back()
    assert (device.served, device.manager.update.state) == ("abc", "rolled-back")
    assert device.start() == "def"


def test_changed_files_are_loaded_once(device: Device) -> None:
    """When two looks see the same; new times of the same files change nothing. A problem is reported once, and its end too."""
    assert device.look(3) == []
    os.utime(device.model / "labels.txt", (1, 1))
    assert (device.look(3), device.loaded) == ([""], ["own"])
    device.put("next")
    assert (device.look(1), device.served) == ([], "own")
    assert (device.look(3), device.served) == ([""], "next")
    device.put("xyz")
    assert device.look(5) == ["it crashes the trial"]
    device.put("")
    assert "line 1: 0 characters" in "|".join(device.look(5))
    device.put("next")
    assert device.look(5) == [""]
    assert (device.loaded, device.served) == (["own", "next", "xyz"], "next")
    device.put("xyz")
    device.meanwhile = lambda: device.put("uvwxy")  # during the trial: what was read may be of two states
    assert (device.look(), device.served) == ([], "next")
    device.meanwhile = lambda: None
    assert (device.look(), device.served) == ([""], "uvwxy")


def test_files_that_are_written_or_replaced(device: Device, tmp_path: Path) -> None:
    """While a file grows nothing is read; one that stood still half-written is refused, and served when it is whole.

    A folder that was moved away is waited for, and the one moved into its place is served; so is a link's new target, or a zip.
    """
    with (device.model / "labels.txt").open("w") as labels:
        for part in ("x", "\n", "x"):
            labels.write(part)
            labels.flush()
            assert device.look(1) == []
        assert "is there twice" in device.look(1)[0]
        labels.write("y\nz")
    assert (device.look(), device.served) == ([""], "xxyz")
    device.model.rename(tmp_path / "old")
    assert (device.look(3), device.loaded) == ([], ["own", "xxyz"])
    for letters in ("new", "uvw"):
        device.put(letters, tmp_path / letters)
        (tmp_path / "link").symlink_to(tmp_path / letters)
        (tmp_path / "link").rename(device.model)
        assert (device.look(), device.served) == ([""], letters)
    device.model = tmp_path / "export.zip"
    device.model.write_bytes(FIRST)
    assert device.start() == "abc"
    device.model.write_bytes(SECOND[: len(SECOND) // 2])
    assert "not a zip" in device.look(3)[0]
    (tmp_path / "other.zip").write_bytes(SECOND)
    (tmp_path / "other.zip").replace(device.model)
    assert (device.look(), device.served) == ([""], "def")
