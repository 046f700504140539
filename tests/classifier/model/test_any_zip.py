"""Zips of random bytes, of random names, and damaged at random."""

import shutil
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.model import InvalidModel
from classifier.model.store import ModelStore
from tests.classifier.model.zips import EXPORT, URL, names, sha256, zipped

anything = settings(max_examples=150)


def either(folder: Path, content: bytes) -> None:
    """The zip becomes a model of its own, whole, or nothing."""
    shutil.rmtree(folder, ignore_errors=True)
    store = ModelStore(folder / "models")
    (folder / "a.zip").write_bytes(content)
    try:
        name = store.unpack(folder / "a.zip", URL, sha256(content))
    except InvalidModel as error:
        assert str(error).isprintable()
        assert names(store.folder) == set()
    else:
        assert {"model.tflite", "labels.txt", ".footfall.json"} <= names(store.folder / name)
        assert all(path.is_file() and not path.is_symlink() for path in (store.folder / name).iterdir())
        assert names(store.folder) == {name}
    assert names(folder) == {"models", "a.zip"}


@anything
@given(content=st.binary(max_size=300) | st.binary(max_size=100).map(lambda end: zipped() + end))
def test_any_bytes(tmp_path: Path, fast: None, content: bytes) -> None:
    """Random bytes are refused, before and behind a zip too."""
    either(tmp_path / "x", content)


@anything
@given(data=st.data())
def test_mutated_zips(tmp_path: Path, fast: None, data: st.DataObject) -> None:
    """Changed, cut out and inserted bytes: whatever `zipfile` raises of them is one error."""
    content = bytearray(zipped({f"e/{name}": value for name, value in EXPORT.items()}))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    either(tmp_path / "x", bytes(content))


@anything
@given(
    files=st.dictionaries(
        st.text(st.sampled_from("./\\ab\n"), min_size=1, max_size=8), st.binary(max_size=9), min_size=1, max_size=4
    )
)
def test_names_of_all_kinds(tmp_path: Path, fast: None, files: dict[str, bytes]) -> None:
    """No name leads out of the model's folder."""
    either(tmp_path / "x", zipped({**EXPORT, **files}))
