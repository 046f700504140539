"""What is read of an export, and what is refused."""

import codecs
import hashlib
import json
import re
import struct
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import InvalidExport, export
from classifier.export import Export, parse_labels, read_export
from classifier.interpreter import Classifier
from tests.classifier.shelf import write, zipped
from tests.support.broker import ROOT
from tests.support.secrets import MARK, addresses

MODEL = b"not looked into here"
SHA1 = hashlib.sha1(MODEL, usedforsecurity=False).hexdigest()

FILES = {"model.tflite": MODEL, "labels.txt": b"man\nwoman"}


ZIP = zipped(FILES)


def read(tmp_path: Path, content: bytes) -> Export:
    (tmp_path / "doors.zip").write_bytes(content)
    return read_export(tmp_path / "doors.zip")


def manifest(**changes: object) -> dict[str, bytes]:
    """The files, with a manifest as Custom Vision writes it."""
    content = {"DomainType": "Classification", "Platform": "TensorFlow", "ModelFileSHA1": SHA1} | changes
    return FILES | {"cvexport.manifest": json.dumps(content).encode()}


@pytest.mark.parametrize("changes", [{}, {"ModelFileSHA1": SHA1.upper()}, {"ModelFileSHA1": None}, {"DomainType": None}])
def test_folder_and_zip_are_alike(tmp_path: Path, changes: dict[str, object]) -> None:
    """An export is the same as a folder and as a zip; its name is the folder's, dots and all, or the zip's."""
    files = manifest(**changes)
    assert (
        read_export(write(tmp_path / "doors", files)) == read(tmp_path, zipped(files)) == Export("doors", MODEL, ("man", "woman"))
    )
    assert read_export(write(tmp_path / "doors-2026.11.23", files)).name == "doors-2026.11.23"
    assert read(tmp_path, zipped(files)).identity == f"doors@{hashlib.sha256(MODEL).hexdigest()[:12]}"


def test_a_model_is_the_demos_by_its_description(tmp_path: Path) -> None:
    """By its footfall.toml; no name of a folder or zip makes a model the demo's, whose predictions are never real visitors."""
    assert not read_export(write(tmp_path / "demo", FILES)).description.demo
    assert read(tmp_path, zipped(FILES | {"footfall.toml": b"demo = true"})).description.demo
    with pytest.raises(InvalidExport, match="demo=1"):
        read(tmp_path, zipped(FILES | {"footfall.toml": b"demo = 1"}))
    assert Classifier(read_export(ROOT / "demo" / "model")).is_demo


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        (b"man\nwoman\n", ("man", "woman")),
        (b"\xef\xbb\xbfman\r\nwoman\r\n\r\n", ("man", "woman")),
        ("Äpfel\nempty street ".encode(), ("Äpfel", "empty street")),
        (b"man\r\nwoman\r\n\t\r\n", ("man", "woman")),
        ("man\nwömän\n".encode("utf-16"), ("man", "wömän")),
        (codecs.BOM_UTF16_BE + "man\r\nwömän\r\n".encode("utf-16-be"), ("man", "wömän")),
        ("man\nwömän\n".encode("utf-16-le"), ("man", "wömän")),
        ("man\nwömän\n".encode("utf-16-be"), ("man", "wömän")),
        ("\u200bman\nwoman\u00a0\nempty\u00a0street\n".encode(), ("man", "woman", "empty street")),
        (
            "\u200f\u0627\u0645\u0631\u0623\u0629\n\u0631\u062c\u0644\n".encode(),
            ("\u0627\u0645\u0631\u0623\u0629", "\u0631\u062c\u0644"),
        ),
        ("\U0001f469\u200d\U0001f9b0 woman\nman".encode(), ("\U0001f469\u200d\U0001f9b0 woman", "man")),
    ],
)
def test_labels_of_any_system(text: bytes, labels: tuple[str, ...]) -> None:
    """Line ends, a byte order mark, UTF-16, blank lines at the end, no-break spaces and invisible characters do not matter."""
    assert parse_labels(text) == labels


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "line 1: 0"),
        (b"a\n\nb", "line 2: 0"),
        (b"a\n" + b"b" * 257, "line 2: 257"),
        (b"a\nb\na", "twice"),
        (b"a\n\x1b[31mb", "line 2.*control"),
        (b"\xff", "line 1: not UTF-8"),
        ("man\nmädchen".encode("latin-1"), "line 2: not UTF-8 or UTF-16; save the file as UTF-8"),
        ("man\nwoman".encode("utf-16")[:-1], "not UTF-8 or UTF-16"),
        (b"\nman\nwoman", "line 1: 0"),
        ("man\n\u200b\nwoman".encode(), "line 2: 0"),
        ("man\nman\u00a0".encode(), "line 2: 'man' is there twice"),
    ],
)
def test_labels_that_are_refused(text: bytes, reason: str) -> None:
    """An empty, an endless and a repeated label are told by their line."""
    with pytest.raises(InvalidExport, match=reason):
        parse_labels(text)


NESTED = st.recursive(st.none() | st.text() | st.integers(), st.lists).map(lambda value: json.dumps(value).encode())


@given(st.binary(max_size=200), st.none() | st.binary(max_size=200) | NESTED)
def test_any_content(tmp_path: Path, labels: bytes, manifest: bytes | None) -> None:
    """Any bytes give labels that a prediction can carry, or are refused with the file's name."""
    others = {} if manifest is None else {"cvexport.manifest": manifest}
    try:
        found = read(tmp_path, zipped({"model.tflite": MODEL, "labels.txt": labels} | others, zipfile.ZIP_STORED)).labels
    except InvalidExport as error:
        assert re.search(r"/(labels\.txt|cvexport\.manifest): ", str(error))
        return
    assert found
    assert all(0 < len(label) <= 256 for label in found)


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        (manifest(ModelFileSHA1="0" * 40), "fetch the export again"),
        (manifest(DomainType="Segmentation"), "Segmentation"),
        ({}, r"model\.tflite is missing"),
        ({"model.tflite": MODEL}, r"labels\.txt is missing"),
        (None, "No such file"),
    ],
)
def test_folders_that_are_refused(tmp_path: Path, files: dict[str, bytes] | None, reason: str) -> None:
    """Another model than the manifest describes, a kind that is not served, and what is missing, with the path."""
    path = tmp_path / "none" if files is None else write(tmp_path / "doors", files)
    with pytest.raises(InvalidExport, match=reason) as caught:
        read_export(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("inside", ["", "export/", "door-main/export/", "export\\", "T\u00fcr (1)/", "../", "/", "C:\\"])
@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_zips_of_all_kinds(tmp_path: Path, inside: str, compression: int) -> None:
    """Zips of macOS, of PowerShell 5, of a repository with samples, and of other archivers."""
    files = {f"{inside}{name}": content for name, content in FILES.items()}
    others = (f"__MACOSX/{inside}._model.tflite", f"{inside}.DS_Store", "python/README.md", "../escaped", "/escaped", "a\x1b[2J")
    assert read(tmp_path, zipped(files | dict.fromkeys(others, b"junk"), compression)) == Export("doors", MODEL, ("man", "woman"))
    assert [path.name for path in tmp_path.iterdir()] == ["doors.zip"]


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
@settings(max_examples=200)
@given(data=st.data())
def test_a_damaged_zip(tmp_path: Path, compression: int, data: st.DataObject) -> None:
    """Wherever bytes of a zip are changed, cut out or added, it is read as before, or refused in one line."""
    damaged = bytearray(zipped({"a/model.tflite": MODEL * 20, "a/labels.txt": b"man\nwoman"}, compression))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    try:
        assert read(tmp_path, bytes(damaged)).model == MODEL * 20
    except InvalidExport as error:
        assert "doors.zip" in str(error)
        assert str(error).isprintable()


@given(st.binary(max_size=300) | st.binary(max_size=100).map(lambda end: ZIP + end))
def test_any_bytes(tmp_path: Path, content: bytes) -> None:
    """Random bytes, before and behind a zip too."""
    with suppress(InvalidExport):
        assert read(tmp_path, content).model == MODEL


def patched(content: bytes, offset: int, value: bytes) -> bytes:
    """The zip with these bytes of the directory entry of model.tflite, the first one, changed."""
    at = content.index(b"PK\x01\x02") + offset
    return content[:at] + value + content[at + len(value) :]


FLAGS, METHOD, CRC, PACKED, SIZE, PLACE, NEEDS = 8, 10, 16, 20, 24, 42, 6


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (zipped(FILES | {"other/labels.txt": b"b"}), "labels.txt is in it twice"),
        (zipped({"labels.txt": b"a"}), "model.tflite is missing"),
        (zipped({"model.tflite": b"a"}), "labels.txt is missing"),
        (zipped({f"{number:02}{'x' * 65_000}": b"" for number in range(20)}), "bytes of directory, at most 1048576"),
        (b"", "not a zip"),
        (b"PK\x05\x06" + bytes(18), "missing"),
        (b"<html>sign in</html>", "not a zip"),
        (ZIP[:-10], "not a zip"),
        (ZIP[5:], "not a zip"),
        (zipped(FILES, zipfile.ZIP_BZIP2), "compression 12; 0"),
        (patched(ZIP, FLAGS, b"\x01\x00"), "encrypted"),
        (patched(ZIP, FLAGS, b"\x20\x00"), "patched data"),
        (patched(ZIP, METHOD, b"\x63\x00"), "compression 99"),
        (patched(ZIP, CRC, bytes(4)), "CRC-32"),
        (patched(ZIP, SIZE, struct.pack("<L", 1)), "CRC-32"),
        (patched(ZIP, SIZE, struct.pack("<L", 99)), "20 bytes, not the 99"),
        (patched(ZIP, PACKED, struct.pack("<L", 3)), "not a zip|bytes, not the"),
        (patched(ZIP, PLACE, struct.pack("<L", 2**31)), "not a zip"),
        (patched(ZIP, NEEDS, b"\xff\x00"), "version"),
    ],
)
def test_zips_that_are_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    """Each with its reason, and whatever a directory says that is not so."""
    with pytest.raises(InvalidExport, match=reason):
        read(tmp_path, content)


def test_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes out is counted over all files, whatever the directory says."""
    monkeypatch.setattr(export, "LIMIT", 1_000_000)
    bomb = zipped(FILES | {"model.tflite": bytes(1_000_000)})
    assert len(bomb) < 10_000
    several = zipped({"model.tflite": bytes(600_000), "labels.txt": bytes(600_000)})
    for content in (bomb, several, patched(bomb, SIZE, struct.pack("<L", 5))):
        with pytest.raises(InvalidExport, match=r"at most 1000000 in all|CRC-32"):
            read(tmp_path, content)
    with pytest.raises(InvalidExport, match=r"10000[0-9]+ bytes, at most 1000000"):
        read_export(write(tmp_path / "big", FILES | {"model.tflite": bytes(1_000_001)}))


@settings(deadline=None)
@given(addresses())
def test_a_model_that_is_an_address_by_mistake(given: tuple[str, str]) -> None:
    """What is wrong is said without the secret in it."""
    with pytest.raises(InvalidExport) as caught:
        read_export(Path(given[0]))
    assert MARK not in str(caught.value)
