"""Files that are whole or not there."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.model.files import read_json, remove, sha256_of, write_json
from tests.classifier.model.zips import names, sha256

values = st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner), max_leaves=8)
anything = settings(max_examples=100)


@anything
@given(value=st.dictionaries(st.text(), values))
def test_what_is_written_is_read(tmp_path: Path, fast: None, value: dict[str, object]) -> None:
    """And nothing else is left beside it."""
    write_json(tmp_path / "a.json", value)
    assert read_json(tmp_path / "a.json") == value
    assert names(tmp_path) == {"a.json"}


@anything
@given(content=st.binary() | st.integers(900, 200_000).map(lambda depth: b"[" * depth) | st.just(b"[1]"))
def test_what_is_no_object_is_an_empty_one(tmp_path: Path, content: bytes) -> None:
    """Whatever bytes are in the file; and so is one that is not there."""
    (tmp_path / "a.json").write_bytes(content)
    assert read_json(tmp_path / "a.json") == {}
    assert read_json(tmp_path / "none.json") == {}
    assert read_json(tmp_path / "a.json" / "below.json") == {}


def test_a_disk_that_is_full_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the new one is whole."""

    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    write_json(tmp_path / "a.json", {"is": "old"})
    monkeypatch.setattr("classifier.model.files.sync", full)
    with pytest.raises(OSError, match="No space left"):
        write_json(tmp_path / "a.json", {"is": "new"})
    assert read_json(tmp_path / "a.json") == {"is": "old"}


def test_what_is_removed_is_gone(tmp_path: Path) -> None:
    """A file, a folder with all that is in it, a link without what it leads to, and what is not there."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").touch()
    (tmp_path / "folder" / "in it").mkdir(parents=True)
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("kept")
    (tmp_path / "to nowhere").symlink_to("none")
    for name in ("folder", "file", "link", "to nowhere", "not there"):
        remove(tmp_path / name)
    assert names(tmp_path) == {"kept"}
    assert names(tmp_path / "kept") == {"file"}


def test_a_checksum_is_of_the_whole_file(tmp_path: Path) -> None:
    """However long; without a file there is none."""
    for content in (b"", b"a", bytes(200_000)):
        (tmp_path / "file").write_bytes(content)
        assert sha256_of(tmp_path / "file") == sha256(content)
    assert sha256_of(tmp_path / "none") == ""
