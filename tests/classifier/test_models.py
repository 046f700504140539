"""Which model is served: what is wanted on the broker, rollback, changes of MODEL, and starts, with a real server and store."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

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
BAD, BROKEN = export("xyz"), zipped({"readme.txt": b"no model"})


class Killed(BaseException):
    """Stands for the end of the process."""


class Device:
    """A manager that runs step by step, and can be started again."""

    def __init__(self, folder: Path, shelf: Shelf) -> None:
        self.folder, self.shelf = folder, shelf
        self.model, self.store = folder / "default", folder / "state"
        self.put("own")
        self.interrupt, self.fatal = 0, ""
        self.meanwhile: Callable[[], object] = lambda: None
        self.start()

    def put(self, labels: str, folder: Path | None = None) -> None:
        """New files of MODEL."""
        write(folder or self.model, {"model.tflite": b"model", "labels.txt": "\n".join(labels).encode()})

    def load(self, export: Export) -> Any:
        letters = "".join(export.labels)
        self.loaded.append(letters)
        self.meanwhile()
        if self.interrupt:
            self.interrupt -= 1
            raise OSError(errno.ENOMEM, "Cannot allocate memory")
        if letters == self.fatal:
            raise Killed
        if letters == "xyz":
            raise InvalidExport("it crashes the trial")
        return SimpleNamespace(identity=export.identity, letters=letters)

    def start(self) -> str:
        """A new process; the letters of the labels that it serves."""
        self.loaded: list[str] = []
        self.manager = ModelManager(self.model, ModelStore(self.store), self.load, retry=(0.02, 0.05))
        loaded: Any = self.manager.start()
        self.served = loaded.letters
        self.problems: list[str] = []
        self.states: list[str] = []
        self.manager.attach(self.serve, lambda update: self.states.append(update.state), self.problems.append)
        return str(self.served)

    def serve(self, classifier: Any) -> None:
        self.served = classifier.letters

    def want(self, content: bytes, **changes: Any) -> None:
        """A request for what the server then offers."""
        self.shelf.content = content
        self.manager.on_wanted(WantedModel(**{"url": self.shelf.url, "sha256": sha256(content)} | changes))

    def reaches(self, state: str, detail: str = "") -> None:
        """Steps until the outcome is this one."""
        self.steps_until(lambda: self.manager.update.state == state and detail in self.manager.update.detail, f"{state} {detail}")
        assert SECRET not in repr(self.manager.update)

    def steps_until(self, condition: Callable[[], object], what: str = "") -> None:
        def step() -> bool:
            self.manager.step()
            return bool(condition())

        until(step, 5, what)

    def look(self, times: int = 2) -> None:
        for _ in range(times):
            self.manager.look()

    def install(self, content: bytes) -> None:
        self.want(content)
        self.reaches("serving")

    def roll_back(self) -> None:
        self.manager.on_wanted(WantedModel(rollback=True))
        self.manager.step()

    @property
    def files(self) -> set[str]:
        """The zips that are kept, by the start of their SHA-256."""
        return {path.stem[-12:] for path in self.store.glob("*.zip*")}


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    with Shelf() as shelf:
        yield Device(tmp_path, shelf)


def names(*contents: bytes) -> set[str]:
    return {sha256(content)[:12] for content in contents}


def test_a_wanted_model_is_served(device: Device) -> None:
    """Downloaded, tried and served, with each state reported; the identity before is the previous one; no secret is kept."""
    assert device.manager.update.state == "none"
    device.want(FIRST, sha256=sha256(FIRST).upper())
    device.reaches("serving")
    assert device.served == "abc"
    assert list(dict.fromkeys(device.states)) == ["downloading", "trying", "serving"]
    update = device.manager.update
    assert (update.url, update.sha256, update.detail) == (device.shelf.root, sha256(FIRST), "")
    assert str(update.previous).startswith("default@")
    assert SECRET not in (device.folder / "state" / STATE_FILE).read_text()
    device.want(FIRST, url=f"{device.shelf.root}/other")  # again: nothing to do, also after a restart
    device.reaches("serving")
    assert device.start() == "abc"
    device.want(FIRST)
    device.reaches("serving")
    assert len(device.shelf.paths) == 1


def test_only_the_previous_model_is_kept(device: Device) -> None:
    """And it is served again without a download when it is wanted."""
    (device.folder / "state" / "notes.zip").write_text("mine")
    for content in (FIRST, SECOND, THIRD):
        device.install(content)
    assert device.files == {*names(SECOND, THIRD), "notes"}
    device.install(SECOND)
    assert (device.served, len(device.shelf.paths)) == ("def", 3)


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"url": "https://me:pw@x/"}, "url: must not hold a user or password"),
        ({"sha256": "abc"}, "sha256: must be 64 hex digits"),
        ({"sha256": None}, "sha256: must be 64 hex digits"),
    ],
)
def test_bad_requests(device: Device, changes: dict[str, object], detail: str) -> None:
    """They are refused, and nothing is asked of anybody."""
    device.want(FIRST, **changes)
    device.reaches("refused", detail)
    assert (device.served, device.shelf.paths) == ("own", [])
    device.install(FIRST)


@pytest.mark.parametrize(
    ("content", "answers", "state", "detail"),
    [
        (BROKEN, [], "refused", "model.tflite is missing"),
        (b"no zip", [], "refused", "not a zip"),
        (BAD, [], "refused", "it crashes the trial"),
        (SECOND, [status(404)], "failed", "answers 404"),
        (SECOND, [cut(50), status(403)], "failed", "answers 403"),
    ],
)
def test_a_final_outcome(device: Device, content: bytes, answers: list[Answer], state: str, detail: str) -> None:
    """The served model and its file stay; the same request changes nothing, another address is tried."""
    device.install(FIRST)
    device.shelf.answers += answers
    device.want(content)
    device.reaches(state, detail)
    asked = len(device.shelf.paths)
    device.want(content)
    device.manager.step()
    assert (device.served, device.files, len(device.shelf.paths)) == ("abc", names(FIRST), asked)
    assert device.start() == "abc"
    device.want(content, url=f"{device.shelf.url}2")
    device.reaches("serving" if content == SECOND else "refused")
    assert len(device.shelf.paths) == asked + 1
    device.manager.on_wanted(WantedModel())
    device.reaches("none")


def test_what_may_pass_is_tried_again(device: Device) -> None:
    """Server errors, a broken connection, no memory for the trial: it waits, says why, and succeeds; also after a restart."""
    device.shelf.answers += [status(503), cut(100), status(429)]
    device.want(FIRST)
    device.reaches("waiting", "answers 503; next try in 0.02 s")
    device.start()
    device.interrupt = 1
    device.reaches("serving")
    assert device.states.count("waiting") == 3
    assert device.served == "abc"


def test_a_request_during_a_download(device: Device) -> None:
    """Another model, a rollback and no model end it, and nothing of it is left."""
    device.install(FIRST)
    for request, state, served in (
        (WantedModel(), "none", "abc"),
        (None, "serving", "def"),
        (WantedModel(rollback=True), "rolled-back", "abc"),
    ):
        device.shelf.answers.append(trickling)
        device.want(THIRD)
        device.steps_until(lambda: list((device.folder / "state").glob("*.part")))
        if request is None:
            device.want(SECOND)
        else:
            device.manager.on_wanted(request)
        device.reaches(state)
        assert device.served == served
        assert not list((device.folder / "state").glob("*.part"))
    device.want(THIRD)
    device.reaches("rolled-back")  # what was rolled back is not installed again


def test_a_request_during_the_trial_comes_first(device: Device) -> None:
    device.install(FIRST)
    device.install(SECOND)
    device.meanwhile = lambda: device.manager.on_wanted(WantedModel(rollback=True))
    device.want(THIRD)
    device.manager.step()
    device.reaches("trying")
    device.meanwhile = lambda: None
    device.reaches("rolled-back")
    assert device.served == "abc"


def test_rollback(device: Device) -> None:
    """To the previous model, or MODEL's, and forth again, over restarts; the same request does not install it again."""
    device.roll_back()
    assert "there is no earlier model" in device.manager.update.detail
    device.install(FIRST)
    device.roll_back()
    assert (device.served, device.start()) == ("own", "own")
    device.roll_back()
    assert (device.served, device.start()) == ("abc", "abc")
    device.install(SECOND)
    device.roll_back()
    update = device.manager.update
    assert (device.served, update.state, update.sha256) == ("abc", "rolled-back", sha256(SECOND))
    assert str(update.previous).startswith(f"people-{sha256(SECOND)[:12]}@")
    assert device.start() == "abc"
    device.want(SECOND)
    device.reaches("rolled-back")
    device.roll_back()
    assert (device.served, device.manager.update.state) == ("def", "serving")
    device.install(THIRD)
    (device.folder / "state" / f"people-{sha256(SECOND)[:12]}.zip").write_bytes(b"damaged")
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
        path = device.folder / "state" / f"people-{sha256(content)[:12]}.zip"
        path.unlink() if damage is None else path.write_bytes(damage)
        assert device.start() == served
        device.reaches("failed", f"{path.name}: the file is missing or damaged")
    device.install(SECOND)
    assert device.start() == "def"


@pytest.mark.parametrize("state", [b"", b"[]", b'{"served": 1}', b'{"served": {"model": "x", "file": "../../x.zip"}}', b"\xff"])
def test_a_start_with_a_damaged_state(device: Device, state: bytes) -> None:
    """MODEL's is served, and models can be wanted again."""
    device.install(FIRST)
    (device.folder / "state" / STATE_FILE).write_bytes(state)
    assert device.start() == "own"
    device.install(FIRST)


def test_a_start_without_any_model(device: Device) -> None:
    """MODEL may be missing while a downloaded one is there; without either the start fails."""
    device.install(FIRST)
    (device.model / "labels.txt").unlink()
    assert device.start() == "abc"
    (device.folder / "state" / STATE_FILE).unlink()
    with pytest.raises(InvalidExport, match=r"labels\.txt is missing"):
        device.start()


def test_without_a_folder(device: Device) -> None:
    device.manager = ModelManager(device.model, ModelStore(None), device.load)
    device.manager.start()
    device.want(FIRST)
    device.reaches("refused", "STATE_DIR is not set")
    assert (device.served, device.shelf.paths) == ("own", [])


def test_a_folder_that_cannot_be_written(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in its place, or a full disk: what is served stays, it waits, and goes on when it can be written."""
    device.store = device.folder / "other"
    device.store.write_text("a file")
    device.start()
    device.want(FIRST)
    device.reaches("waiting", "STATE_DIR: ")
    device.store.unlink()
    device.reaches("serving")
    (device.store / f"people-{sha256(SECOND)[:12]}.zip.part").symlink_to("/dev/full")
    monkeypatch.setattr(ModelStore, "write", lambda *_: None)  # would remove it
    device.want(SECOND)
    device.reaches("waiting", "No space left on device")
    monkeypatch.undo()
    device.reaches("serving")
    assert device.served == "def"


def test_a_state_that_cannot_be_written(device: Device) -> None:
    """The switch is made, and forgotten with a restart."""
    device.install(FIRST)
    (device.folder / "state" / f".{STATE_FILE}.tmp").mkdir()
    device.roll_back()
    assert (device.served, device.manager.update.state) == ("own", "rolled-back")
    assert device.start() == "abc"


def test_a_model_that_ends_the_process(device: Device) -> None:
    """A model at whose trial the classifier ends again and again is given up."""
    device.install(FIRST)
    device.want(SECOND)
    device.fatal = "def"
    for _ in range(5):
        with pytest.raises(Killed):
            device.reaches("serving", "never")
        assert device.start() == "abc"
    device.reaches("refused", "the classifier ended 5 times")


def test_a_change_of_the_files_is_loaded_once(device: Device) -> None:
    """Nothing happens for new times of the same files; a new export is loaded when two looks see the same."""
    device.look(3)
    os.utime(device.model / "labels.txt", (1, 1))
    device.look(3)
    assert device.loaded == ["own"]
    device.put("new")
    device.look(1)
    assert device.served == "own"
    device.look(3)
    assert (device.served, device.loaded, set(device.problems)) == ("new", ["own", "new"], {""})


def test_bad_files_are_refused_until_they_change(device: Device) -> None:
    """The problem is reported once; so is that the files are those of the served model again."""
    device.put("xyz")
    device.look(5)
    assert device.problems == ["it crashes the trial"]
    device.put("")
    device.look(5)
    assert "line 1: 0 characters" in device.problems[-1]
    device.put("own")
    device.look(5)
    assert device.problems[-1] == ""
    assert (device.loaded, device.served) == (["own", "xyz"], "own")


def test_a_change_during_the_trial(device: Device) -> None:
    """What was read may be of two states: it is looked at again."""
    device.put("xyz")
    device.meanwhile = lambda: device.put("new")
    device.look(2)
    assert (device.loaded, device.problems, device.served) == (["own", "xyz"], [], "own")
    device.meanwhile = lambda: None
    device.look(2)
    assert device.served == "new"


def test_a_file_that_is_being_written(device: Device) -> None:
    """While it grows nothing is read; one that stood still half-written is refused, and served when it is whole."""
    with (device.model / "labels.txt").open("w") as labels:
        for part in ("x", "\n", "x"):
            labels.write(part)
            labels.flush()
            device.look(1)
        assert not device.problems
        device.look(1)
        assert "is there twice" in device.problems[-1]
        labels.write("y\nz")
    device.look()
    assert (device.served, device.problems[-1]) == ("xxyz", "")


def test_files_that_are_replaced_by_rename(device: Device, tmp_path: Path) -> None:
    """A folder that was moved away is waited for, and the one moved into its place is served; so is a link's new target."""
    device.model.rename(tmp_path / "old")
    device.look(3)
    assert (device.problems, device.loaded) == ([], ["own"])
    device.put("new", tmp_path / "new")
    (tmp_path / "link").symlink_to(tmp_path / "new")
    (tmp_path / "link").rename(device.model)
    device.look()
    assert device.served == "new"
    device.put("uvw", tmp_path / "other")
    (tmp_path / "link").symlink_to(tmp_path / "other")
    (tmp_path / "link").replace(device.model)
    device.look()
    assert device.served == "uvw"


def test_a_zip_is_watched_too(device: Device) -> None:
    """One that was moved into the place of another is served; a half one is refused with the reason."""
    device.model = device.folder / "export.zip"
    device.model.write_bytes(FIRST)
    assert device.start() == "abc"
    device.model.write_bytes(SECOND[: len(SECOND) // 2])
    device.look(3)
    assert "not a zip" in device.problems[-1]
    (device.folder / "other.zip").write_bytes(SECOND)
    (device.folder / "other.zip").replace(device.model)
    device.look()
    assert (device.served, device.problems[-1]) == ("def", "")
