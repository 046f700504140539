"""Changes of the files of MODEL."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from classifier import InvalidExport, TrialInterrupted
from classifier.export import Export, read_export
from classifier.watch import ModelWatch
from tests.classifier.shelf import zipped


def write(folder: Path, labels: str = "a\nb\nc", model: bytes = b"model") -> Path:
    """A folder as exports are."""
    folder.mkdir(exist_ok=True)
    (folder / "model.tflite").write_bytes(model)
    (folder / "labels.txt").write_text(labels)
    return folder


class Watched:
    """A watch whose loads and refusals are kept, after it has seen what is there."""

    def __init__(self, path: Path) -> None:
        self.loaded: list[tuple[str, ...]] = []
        self.taken: list[tuple[str, ...]] = []
        self.refused: list[str] = []
        self.meanwhile: Callable[[], object] = lambda: None
        known = read_export(path).fingerprint, ()
        self.watch = ModelWatch(path, known, self._load, lambda export, _: self.taken.append(export.labels), self._refuse)
        self.look()
        assert (self.loaded, self.refused) == ([], [""])
        self.refused.clear()

    def _refuse(self, problem: str) -> None:
        self.refused.append(problem)

    def _load(self, export: Export) -> Any:
        self.meanwhile()
        self.loaded.append(export.labels)
        if "bad" in export.labels:
            raise InvalidExport("it is bad")
        if "stopped" in export.labels and len(self.loaded) < 2:
            raise TrialInterrupted("its trial was stopped")
        return export.labels

    def look(self, times: int = 2) -> None:
        """So many looks."""
        for _ in range(times):
            self.watch.look()


def test_a_change_is_loaded_once(tmp_path: Path) -> None:
    """Nothing happens for new times of the same files; a new export is loaded when two looks see the same."""
    watched = Watched(write(tmp_path / "x"))
    watched.look(3)
    os.utime(tmp_path / "x" / "model.tflite", (1, 1))
    watched.look(3)
    assert not watched.loaded
    write(tmp_path / "x", "a\nbb\nc")
    watched.look(1)
    assert not watched.loaded
    watched.look(3)
    assert watched.loaded == watched.taken == [("a", "bb", "c")]
    assert watched.refused == ["", ""]


def test_a_trial_that_was_stopped_is_made_again(tmp_path: Path) -> None:
    """The model is not refused, and served once a trial has come to its end."""
    watched = Watched(write(tmp_path / "x"))
    write(tmp_path / "x", "stopped\nb")
    watched.look(2)
    assert (watched.taken, watched.refused) == ([], [])
    watched.look(1)
    assert watched.taken == [("stopped", "b")]


def test_a_bad_one_is_refused_until_it_changes(tmp_path: Path) -> None:
    """The reason is reported once; so is that the files are those of the served model again."""
    watched = Watched(write(tmp_path / "x"))
    write(tmp_path / "x", "bad\nb")
    watched.look(5)
    assert watched.refused == ["it is bad"]
    (tmp_path / "x" / "labels.txt").write_text("")
    watched.look(5)
    assert "line 1: 0 characters" in watched.refused[-1]
    write(tmp_path / "x")
    watched.look(5)
    assert watched.refused[-1] == ""
    assert (watched.loaded, watched.taken) == ([("bad", "b")], [])


def test_a_file_that_is_being_written(tmp_path: Path) -> None:
    """While it grows nothing is read; one that stood still half-written is refused, and served when it is whole."""
    watched = Watched(write(tmp_path / "x"))
    with (tmp_path / "x" / "labels.txt").open("w") as labels:
        for part in ("x", "\n", "x"):
            labels.write(part)
            labels.flush()
            watched.look(1)
        assert not watched.refused
        watched.look(1)
        assert "is there twice" in watched.refused[-1]
        labels.write("y\nz")
    watched.look(2)
    assert (watched.taken, watched.refused[-1]) == ([("x", "xy", "z")], "")


def test_a_change_during_the_trial(tmp_path: Path) -> None:
    """What was read may be of two states: it is looked at again."""
    watched = Watched(write(tmp_path / "x"))
    write(tmp_path / "x", "bad\nb")
    watched.meanwhile = lambda: write(tmp_path / "x", "a\nbbb")
    watched.look(2)
    assert (watched.refused, watched.taken) == ([], [])
    watched.meanwhile = lambda: None
    watched.look(2)
    assert watched.taken == [("a", "bbb")]


def test_replaced_by_rename(tmp_path: Path) -> None:
    """A folder that was moved away is waited for, and the one moved into its place is served; so is a link's new target."""
    watched = Watched(write(tmp_path / "x"))
    (tmp_path / "x").rename(tmp_path / "old")
    watched.look(3)
    assert (watched.refused, watched.loaded) == ([], [])
    write(tmp_path / "new", "n\nb").rename(tmp_path / "x")
    watched.look(2)
    assert watched.taken == [("n", "b")]
    (tmp_path / "link").symlink_to(tmp_path / "x")
    linked = Watched(tmp_path / "link")
    (tmp_path / "turned").symlink_to(write(tmp_path / "y", "y\nb"))
    (tmp_path / "turned").replace(tmp_path / "link")
    linked.look(2)
    assert linked.taken == [("y", "b")]


def test_a_zip_too(tmp_path: Path) -> None:
    """One that was moved into the place of another is served; a half one is refused with the reason."""
    path = tmp_path / "export.zip"
    path.write_bytes(zipped({"model.tflite": b"model", "labels.txt": b"a"}))
    watched = Watched(path)
    whole = zipped({"model.tflite": b"model", "labels.txt": b"b"})
    path.write_bytes(whole[: len(whole) // 2])
    watched.look(3)
    assert "not a zip" in watched.refused[-1]
    (tmp_path / "other.zip").write_bytes(whole)
    (tmp_path / "other.zip").replace(path)
    watched.look(2)
    assert (watched.taken, watched.refused[-1]) == ([("b",)], "")
