"""What is read of an export, and what is refused."""

import hashlib
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.messages import DEMO_PREFIX
from classifier import InvalidExport, export
from classifier.export import Export, parse_labels, read_export
from tests.support.broker import ROOT

MODEL = b"not looked into here"
SHA1 = hashlib.sha1(MODEL, usedforsecurity=False).hexdigest()


def folder(path: Path, **files: bytes) -> Path:
    """A folder with files; ``model_tflite`` is model.tflite."""
    path.mkdir(exist_ok=True)
    for name, content in files.items():
        (path / name.replace("_", ".")).write_bytes(content)
    return path


def zipped(path: Path, source: Path, inside: str = "") -> Path:
    """The folder as a zip."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in source.iterdir():
            archive.write(file, inside + file.name)
    return path


def manifest(**changes: object) -> bytes:
    """A manifest as Custom Vision writes it."""
    return json.dumps({"DomainType": "Classification", "Platform": "TensorFlow", "ModelFileSHA1": SHA1} | changes).encode()


@pytest.mark.parametrize("inside", ["", "export/"])
def test_folder_and_zip_are_alike(tmp_path: Path, inside: str) -> None:
    """An export is the same as a folder, as a zip, and as a zip of a folder; its name is the folder's or the zip's."""
    source = folder(tmp_path / "doors", model_tflite=MODEL, labels_txt=b"man\nwoman", cvexport_manifest=manifest())
    expected = Export("doors", MODEL, ("man", "woman"))
    assert read_export(source) == expected
    assert read_export(zipped(tmp_path / "doors.zip", source, inside)) == expected
    assert expected.identity == f"doors@{hashlib.sha256(MODEL).hexdigest()[:12]}"


@pytest.mark.parametrize("name", ["demo", "demo:mine", "mine"])
def test_only_the_demos_model_is_called_so(tmp_path: Path, name: str) -> None:
    """By its footfall.toml, wherever it lies and under whatever name; no name of a folder or zip makes a model the demo's."""
    digest = hashlib.sha256(MODEL).hexdigest()[:12]
    own = folder(tmp_path / name, model_tflite=MODEL, labels_txt=b"man")
    assert read_export(own).identity == f"{name.removeprefix('demo:')}@{digest}"
    (own / "footfall.toml").write_text("demo = true\n")
    assert read_export(own).identity == f"demo:{name.removeprefix('demo:')}@{digest}"
    assert read_export(zipped(tmp_path / "current.zip", own)).identity == f"demo:current@{digest}"
    (own / "footfall.toml").write_text("demo = 1\n")
    with pytest.raises(InvalidExport, match="demo=1"):
        read_export(own)


def test_the_demos_model_is_marked() -> None:
    """What it counts is never taken for visitors, on whatever machine it runs."""
    assert read_export(ROOT / "demo" / "model").identity.startswith(DEMO_PREFIX)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        (b"man\nwoman\n", ("man", "woman")),
        (b"man\r\nwoman", ("man", "woman")),
        (b"\xef\xbb\xbfman\r\nwoman\r\n\r\n", ("man", "woman")),
        ("Äpfel\nempty street ".encode(), ("Äpfel", "empty street")),
    ],
)
def test_labels_of_any_system(text: bytes, labels: tuple[str, ...]) -> None:
    """Line ends, a byte order mark and a missing last line end do not matter."""
    assert parse_labels(text) == labels


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "line 1: 0"),
        (b"a\n\nb", "line 2: 0"),
        (b"a\n" + b"b" * 257, "line 2: 257"),
        (b"a\nb\na", "twice"),
        (b"a\n\x1b[31mb", "line 2.*control"),
        (b"\xff", "UTF-8"),
    ],
)
def test_labels_that_are_refused(text: bytes, reason: str) -> None:
    """An empty, an endless and a repeated label are told by their line."""
    with pytest.raises(InvalidExport, match=reason):
        parse_labels(text)


@given(st.binary(max_size=200))
def test_any_labels(text: bytes) -> None:
    """Any bytes give labels that a prediction can carry, or are refused."""
    try:
        labels = parse_labels(text)
    except InvalidExport:
        return
    assert labels
    assert all(0 < len(label) <= 256 for label in labels)


@given(
    st.binary(max_size=200) | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(lambda v: json.dumps(v).encode())
)
def test_any_manifest(text: bytes) -> None:
    """Any bytes as a manifest are taken or refused, nothing else."""
    try:
        export._check_manifest(text, MODEL, Path("cvexport.manifest"))
    except InvalidExport as error:
        assert "cvexport.manifest" in str(error)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"ModelFileSHA1": "0" * 40}, "fetch the export again"), ({"DomainType": "Segmentation"}, "Segmentation")],
)
def test_manifests_that_are_refused(tmp_path: Path, changes: dict[str, object], reason: str) -> None:
    """A model that is not the one the manifest tells of, or of a kind that is not served, is refused."""
    source = folder(tmp_path / "doors", model_tflite=MODEL, labels_txt=b"a", cvexport_manifest=manifest(**changes))
    with pytest.raises(InvalidExport, match=reason):
        read_export(source)


def test_a_manifest_in_capitals(tmp_path: Path) -> None:
    """The SHA1's letters may be capitals; a manifest without one is no obstacle."""
    for changes in ({"ModelFileSHA1": SHA1.upper()}, {"ModelFileSHA1": None}, {"DomainType": None}):
        source = folder(tmp_path / "doors", model_tflite=MODEL, labels_txt=b"a", cvexport_manifest=manifest(**changes))
        assert read_export(source).labels == ("a",)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    """A path that is not there, an empty folder, a folder without labels and a file that is no zip are each told."""
    cases = {
        tmp_path / "none": "No such file",
        folder(tmp_path / "empty"): "model.tflite is missing",
        folder(tmp_path / "half", model_tflite=MODEL): "labels.txt is missing",
        folder(tmp_path / "other", no_zip=b"text") / "no.zip": "not a zip",
    }
    for path, reason in cases.items():
        with pytest.raises(InvalidExport, match=reason) as caught:
            read_export(path)
        assert str(path) in str(caught.value)


def test_a_damaged_zip(tmp_path: Path) -> None:
    """Whichever byte of a zip is damaged, it is read as before or refused; nothing else."""
    source = folder(tmp_path / "doors", model_tflite=MODEL * 20, labels_txt=b"man\nwoman")
    whole = zipped(tmp_path / "doors.zip", source).read_bytes()
    damaged = tmp_path / "damaged.zip"
    for place in range(len(whole)):
        damaged.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            read_export(damaged)
        except InvalidExport as error:
            assert "damaged.zip" in str(error)


def test_two_exports_in_one_zip(tmp_path: Path) -> None:
    """The model of one and the labels of another are not mixed."""
    source = folder(tmp_path / "doors", model_tflite=MODEL, labels_txt=b"a")
    with zipfile.ZipFile(zipped(tmp_path / "two.zip", source), "a") as archive:
        archive.writestr("other/labels.txt", "b")
    with pytest.raises(InvalidExport, match=r"labels\.txt is in it twice"):
        read_export(tmp_path / "two.zip")


def test_a_dated_folder_keeps_its_name(tmp_path: Path) -> None:
    """What follows a dot in a folder's name is no file's ending."""
    assert read_export(folder(tmp_path / "doors-2026.11.23", model_tflite=MODEL, labels_txt=b"a")).name == "doors-2026.11.23"


def test_a_file_over_the_limit_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A zip that says it unpacks to more than the limit, or a folder's file that is larger, is refused unread."""
    monkeypatch.setattr(export, "LIMIT", 1000)
    source = folder(tmp_path / "big", model_tflite=bytes(5000), labels_txt=b"a")
    for path in (source, zipped(tmp_path / "big.zip", source)):
        with pytest.raises(InvalidExport, match="at most 1000"):
            read_export(path)
