"""What is read of an export, and of the description beside its model; and what is refused."""

import codecs
import hashlib
import json
import re
import struct
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import InvalidExport, export
from classifier.description import Description, read_description
from classifier.export import Export, parse_labels, read_export
from classifier.interpreter import Classifier
from tests.classifier.shelf import write, zipped
from tests.support.broker import ROOT
from tests.support.secrets import MARK, addresses

MODEL = b"not looked into here"
SHA1 = hashlib.sha1(MODEL, usedforsecurity=False).hexdigest()
FILES = {"model.tflite": MODEL, "labels.txt": b"man\nwoman"}
ZIP = zipped(FILES)
DOORS = Export("doors", MODEL, ("man", "woman"))


def read(tmp_path: Path, content: bytes) -> Export:
    (tmp_path / "doors.zip").write_bytes(content)
    return read_export(tmp_path / "doors.zip")


def manifest(domain: str | None, digest: str | None) -> dict[str, bytes]:
    """The files, with a manifest as Custom Vision writes it."""
    return FILES | {"cvexport.manifest": json.dumps({"DomainType": domain, "ModelFileSHA1": digest}).encode()}


@pytest.mark.parametrize("domain", [None, "Classification", "ObjectDetection"])
@pytest.mark.parametrize("digest", [None, SHA1, SHA1.upper()])
def test_folder_and_zip_are_alike(tmp_path: Path, domain: str | None, digest: str | None) -> None:
    """An export is the same as a folder and as a zip; its name is the folder's, dots and all, or the zip's."""
    files = manifest(domain, digest)
    assert read_export(write(tmp_path / "doors", files)) == read(tmp_path, zipped(files)) == DOORS
    assert read_export(write(tmp_path / "doors-2026.11.23", files)).name == "doors-2026.11.23"
    assert DOORS.identity == f"doors@{hashlib.sha256(MODEL).hexdigest()[:12]}"


def test_a_model_is_the_demos_by_its_description(tmp_path: Path) -> None:
    """By its footfall.toml; no name of a folder or zip makes a model the demo's, whose predictions are never real visitors."""
    assert not read_export(write(tmp_path / "demo", FILES)).description.demo
    assert read(tmp_path, zipped(FILES | {"footfall.toml": b"demo = true"})).description.demo
    assert Classifier(read_export(ROOT / "demo" / "model"), trial=("true",)).is_demo


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        (b"\xef\xbb\xbfman\r\nwoman\r\n\r\n", "man|woman"),
        ("Äpfel\nempty street ".encode(), "Äpfel|empty street"),
        (b"man\r\nwoman\r\n\t\r\n", "man|woman"),
        ("man\nwömän\n".encode("utf-16"), "man|wömän"),
        (codecs.BOM_UTF16_BE + "man\r\nwömän\r\n".encode("utf-16-be"), "man|wömän"),
        ("man\nwömän\n".encode("utf-16-le"), "man|wömän"),
        ("man\nwömän\n".encode("utf-16-be"), "man|wömän"),
        ("\u200bman\nwoman\u00a0\nempty\u00a0street\n".encode(), "man|woman|empty street"),
        (
            "\u200f\u0627\u0645\u0631\u0623\u0629\n\u0631\u062c\u0644\n".encode(),
            "\u0627\u0645\u0631\u0623\u0629|\u0631\u062c\u0644",
        ),
        ("\U0001f469\u200d\U0001f9b0 woman\nman".encode(), "\U0001f469\u200d\U0001f9b0 woman|man"),
    ],
)
def test_labels_of_any_system(text: bytes, labels: str) -> None:
    """Line ends, a byte order mark, UTF-16, blank lines at the end, no-break spaces and invisible characters do not matter."""
    assert "|".join(parse_labels(text)) == labels


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "line 1: 0"),
        (b"a\n\nb", "line 2: 0"),
        (b"a\n" + b"b" * 257, "line 2: 257"),
        (b"a\nb\na", "line 3: 'a' is there twice"),
        (b"a\n\x1b[31mb", "line 2.*control"),
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


@pytest.mark.parametrize("inside", ["", "export/", "door-main/export/", "export\\", "T\u00fcr (1)/", "../", "/", "C:\\"])
@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_zips_of_all_kinds(tmp_path: Path, inside: str, compression: int) -> None:
    """Zips of macOS, of PowerShell 5, of a repository with samples, and of other archivers."""
    files = {f"{inside}{name}": content for name, content in FILES.items()}
    others = (f"__MACOSX/{inside}._model.tflite", f"{inside}.DS_Store", "python/README.md", "../escaped", "/escaped", "a\x1b[2J")
    assert read(tmp_path, zipped(files | dict.fromkeys(others, b"junk"), compression)) == DOORS
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
        (zipped(manifest("Classification", "0" * 40)), "fetch the export again"),
        (zipped(manifest("Segmentation", SHA1)), "Segmentation"),
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
    """Another model than the manifest describes, a kind that is not served, what is missing, and a directory that is wrong."""
    with pytest.raises(InvalidExport, match=rf"doors\.zip.*{reason}"):
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
    with pytest.raises(InvalidExport, match=r"a folder or zip with model\.tflite and labels\.txt is needed") as caught:
        read_export(Path(given[0]))
    assert MARK not in str(caught.value)


HERE = Path("model")


def test_all_keys_of_a_description() -> None:
    """Every key of footfall.toml, with a byte order mark too; without a file, everything follows from the model."""
    assert read_description(None, None, HERE) == Description()
    values: dict[str, Any] = {
        "demo": True,
        "kind": "ssd",
        "colour": "rgb",
        "mean": 127.5,
        "scale": 127.5,
        "anchors": ((1.0, 2.0), (3.0, 4.5)),
        "outputs": ("scores", "boxes", "count", "classes"),
    }
    assert set(values) == set(Description.model_fields)
    toml = "\n".join(f"{key} = {json.dumps(value)}" for key, value in values.items())
    assert read_description(toml.encode("utf-8-sig"), None, HERE) == Description(**values)


@pytest.mark.parametrize(
    ("toml", "reason"),
    [
        (b"kind = 'pose'", "kind='pose': must be one of classification, detection, ssd, yolo"),
        (b"demo = 1", "demo=1"),
        (b"mean = nan", "mean=nan"),
        (b"outputs = ['boxes', 'boxes', 'scores', 'count']", "outputs.*each once"),
        (b"kind = ", "not TOML"),
        (b"\xff", "not TOML"),
    ],
)
def test_descriptions_that_are_refused(toml: bytes, reason: str) -> None:
    """With the file, the key and its value; tests/runtime/test_explanation.py has more of them."""
    with pytest.raises(InvalidExport, match=rf"model/footfall\.toml: {reason}"):
        read_description(toml, None, HERE)


def metadata(**properties: object) -> bytes:
    """Custom Vision's metadata_properties.json with these values, under their usual names."""
    names = {"colour": "Image.BitmapPixelFormat", "biases": "CustomVision.Postprocess.Yolo.Biases"}
    return json.dumps({names[key]: value for key, value in properties.items()}).encode()


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"colour": "Rgb8"}, Description(colour="rgb")),
        ({"colour": "Bgr8", "biases": "null"}, Description(colour="bgr")),
        ({"colour": "Gray8", "biases": "[]"}, Description()),
        ({"biases": "[0.5, 1, 2, 3.5]"}, Description(anchors=((0.5, 1.0), (2.0, 3.5)))),
        ({"biases": "[1, 2, 3]"}, Description()),
        ({"biases": "["}, Description()),
        ({"biases": 7, "colour": []}, Description()),
    ],
)
def test_custom_vision_metadata(properties: dict[str, object], expected: Description) -> None:
    """Colour and anchors are read; what cannot be read does not keep a model from being served."""
    assert read_description(None, metadata(**properties), HERE) == expected


VALUES = st.one_of(st.text(max_size=20), st.integers(), st.lists(st.floats()))
METADATA = st.dictionaries(st.sampled_from(["colour", "biases"]), VALUES).map(lambda found: metadata(**found))


@given(st.none() | st.binary(max_size=200), st.none() | st.binary(max_size=200) | METADATA)
def test_any_description(toml: bytes | None, properties: bytes | None) -> None:
    """A description or an InvalidExport, nothing else."""
    try:
        read_description(toml, properties, HERE)
    except InvalidExport as error:
        assert "\n" not in str(error)
