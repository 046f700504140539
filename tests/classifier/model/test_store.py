"""Models in their folders, and the link to the one that is served."""

import json
import os
import shutil
import stat
from pathlib import Path

import pytest

from bus import InvalidSetting
from classifier.export import read_export
from classifier.model import InvalidModel, NoPrevious, unpack
from classifier.model.store import ModelStore
from tests.classifier.model.zips import EXPORT, factory_model, install, names, sha256, tree, zipped


def test_a_model_is_installed(store: ModelStore) -> None:
    """In a folder named after address and checksum, to which a relative link leads; the classifier can read it, as anyone can."""
    content = zipped()
    name = install(store, content)
    assert name == f"people-{sha256(content)[:12]}"
    assert (store.current, store.previous, store.sha256) == (name, None, sha256(content))
    assert str((store.folder / "current").readlink()) == name
    assert names(store.folder) == {name, "current"}
    export = read_export(store.folder / "current")
    assert export.model == EXPORT["model.tflite"]
    assert export.identity.startswith(f"{name}@")
    assert stat.S_IMODE((store.folder / name).stat().st_mode) & 0o055 == 0o055 & ~_umask()
    assert ModelStore(store.folder).current == name


def _umask() -> int:
    before = os.umask(0)
    os.umask(before)
    return before


def test_the_next_one_takes_its_place(store: ModelStore) -> None:
    """The one before is kept as the previous one, the one before that is deleted."""
    first, second, third = (install(store, zipped(number=bytes([number]))) for number in range(3))
    assert (store.current, store.previous) == (third, second)
    assert names(store.folder) == {third, second, "current", "previous"}
    assert first not in (second, third)


def test_turning_back_and_forth(store: ModelStore) -> None:
    """A rollback swaps the two; without a previous one there is none."""
    with pytest.raises(NoPrevious, match="no earlier model"):
        store.rollback()
    first = install(store, zipped())
    with pytest.raises(NoPrevious):
        store.rollback()
    second = install(store, zipped(more=b"1"))
    assert store.rollback() == first
    assert (store.current, store.previous) == (first, second)
    assert store.rollback() == second
    assert (store.current, store.previous) == (second, first)


def test_discarding(store: ModelStore) -> None:
    """Turns back, and nothing is left of what was served."""
    first, _ = install(store, zipped()), install(store, zipped(more=b"1"))
    assert store.discard() == first
    assert names(store.folder) == {first, "current"}
    with pytest.raises(NoPrevious):
        store.discard()
    assert store.current == first


def test_the_same_again_changes_nothing(store: ModelStore) -> None:
    """Under the same name or another; what is previous stays so."""
    first, second = install(store, zipped()), install(store, zipped(more=b"1"))
    before = tree(store.folder)
    assert install(store, zipped(more=b"1")) == second
    assert tree(store.folder) == before
    assert store.find(sha256(zipped()).upper()) == first
    assert store.find(sha256(b"")) is None


def test_the_model_that_came_with_the_device(store: ModelStore) -> None:
    """A folder called current is renamed, can be turned back to, and goes when it is linked no more."""
    shutil.copytree(factory_model(store.folder.parent / "factory"), store.folder / "current")
    assert (store.current, store.sha256) == (None, None)
    first = install(store, zipped())
    assert (store.current, store.previous) == (first, "original")
    assert store.rollback() == "original"
    assert read_export(store.folder / "current").labels == ("nobody", "somebody")
    assert store.sha256 is None
    store.rollback()
    second = install(store, zipped(more=b"1"))
    assert names(store.folder) == {first, second, "current", "previous"}


def test_what_is_somebody_elses_stays(store: ModelStore) -> None:
    """Folders of the user's, one called original or like a model's, a copy of a model, files, and what a file system keeps."""
    kept = ("lost+found", "original", "mine", f"people-{'0' * 12}")
    for name in kept:
        factory_model(store.folder / name)
    (store.folder / "notes.txt").write_text("mine")
    (store.folder / "current").symlink_to("mine")
    first = install(store, zipped())
    assert store.previous == "mine"
    shutil.copytree(store.folder / first, store.folder / "copy")
    for number in range(3):
        install(store, zipped(number=bytes([number])))
    assert names(store.folder) == {*kept, "notes.txt", "copy", "current", "previous", store.current, store.previous}
    assert first not in names(store.folder)


def test_a_folder_in_the_way(store: ModelStore) -> None:
    """One that is not this zip's is not touched, and not served."""
    content = zipped()
    factory_model(store.folder / f"people-{sha256(content)[:12]}")
    with pytest.raises(InvalidModel, match="must be moved away"):
        install(store, content)
    assert store.current is None
    (store.folder / "current").mkdir()
    (store.folder / "original").mkdir()
    install(store, content, "https://example.org/other.zip")
    assert store.previous == "original-2"


def test_links_to_nowhere(store: ModelStore) -> None:
    """A folder that its user has deleted cannot be turned back to; a new model takes the link over."""
    (store.folder / "current").symlink_to("none")
    (store.folder / "previous").symlink_to("none")
    assert (store.current, store.previous) == (None, None)
    with pytest.raises(NoPrevious):
        store.rollback()
    with pytest.raises(FileNotFoundError, match="gone"):
        store.turn_to("none")
    assert install(store, zipped()) == store.current
    assert store.previous is None


def test_what_an_earlier_process_left_is_cleaned_up(store: ModelStore) -> None:
    """Temporaries, links that were not renamed yet, and notes that cannot be read; downloads are not the store's."""
    name = install(store, zipped())
    factory_model(store.folder / ".footfall-new-x")
    factory_model(store.folder / ".footfall-old-x")
    (store.folder / ".footfall-current.tmp").symlink_to("none")
    (store.folder / ".footfall-links.json").write_bytes(b"\xff{")
    (store.folder / ".footfall-download-x.zip.part").touch()
    again = ModelStore(store.folder)
    assert names(store.folder) == {name, "current", ".footfall-download-x.zip.part"}
    assert again.current == name


@pytest.mark.parametrize("note", [b"{", b"[]", b"null", b'{"current": "x"}', b'{"current": 1, "previous": null}'])
def test_a_note_of_links_that_is_none(store: ModelStore, note: bytes) -> None:
    """As of a file system that was damaged: what is served stays."""
    name = install(store, zipped())
    (store.folder / ".footfall-links.json").write_bytes(note)
    assert ModelStore(store.folder).current == name
    assert names(store.folder) == {name, "current"}


@pytest.mark.parametrize(
    ("path", "reason"), [("file", "File exists"), ("file/models", "Not a directory"), ("/proc/self", "No such file or directory")]
)
def test_a_folder_that_cannot_be_used(tmp_path: Path, path: str, reason: str) -> None:
    """It is a setting that is wrong, and is told as one."""
    (tmp_path / "file").touch()
    with pytest.raises(InvalidSetting, match=f"MODEL_STORE='.*{path}': {reason}; a folder to write into is needed"):
        ModelStore(tmp_path / path)


def test_links_that_were_written_down_are_made(store: ModelStore) -> None:
    """Where nothing but the note was written."""
    install(store, zipped())
    install(store, zipped(more=b"1"))
    current, previous = store.current, store.previous
    (store.folder / ".footfall-links.json").write_text(json.dumps({"current": previous, "previous": current}))
    again = ModelStore(store.folder)
    assert (again.current, again.previous) == (previous, current)


def test_a_disk_that_is_full_is_no_fault_of_the_zip(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told as what it is, and nothing is left."""
    install(store, zipped())
    before = tree(store.folder)

    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(unpack, "sync", full)
        with pytest.raises(OSError, match="No space left"):
            install(store, zipped(more=b"1"))
    assert tree(ModelStore(store.folder).folder) == before
    install(store, zipped(more=b"1"))
