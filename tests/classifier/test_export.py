"""Tests of reading exports, their zips and their descriptions, and of refusing bad ones."""

import hashlib
import io
import json
import re
import struct
import time
import zipfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import InvalidExport, files
from classifier.description import Description, Role, create_description, parse_description
from classifier.export import Export, read_export
from classifier.exporters import CUSTOM_VISION
from classifier.files import MAX_SIZES, stat_files
from classifier.model import Model
from runtime.explanation import TEXT_PATTERN
from tests.classifier.model_server import make_zip, write_files
from tests.support.broker import ROOT
from tests.support.secrets import MARK, addresses
from tests.support.wait import limit

MODEL = b"    TFL3, not looked into" * 16
SHA1 = hashlib.sha1(MODEL, usedforsecurity=False).hexdigest()
FILES = {"model.tflite": MODEL, "labels.txt": b"man\nwoman"}
ZIP, SIZE = make_zip(FILES), struct.pack("<L", len(MODEL))
DOORS = Export("doors", MODEL, ("man", "woman"))
CUSTOM_DOORS = replace(DOORS, exporter=CUSTOM_VISION)
HERE = Path("model")


def read(tmp_path: Path, content: bytes) -> Export:
    (tmp_path / "doors.zip").write_bytes(content)
    return read_export(tmp_path / "doors.zip")


@pytest.mark.parametrize("domain", [None, "Classification", "ObjectDetection"])
@pytest.mark.parametrize("digest", [None, SHA1, SHA1.upper()])
def test_folder_and_zip_are_equal(tmp_path: Path, domain: str | None, digest: str | None) -> None:
    """A folder and a zip give the same export. Its name is the folder's, dots included, or the zip's."""
    content = FILES | {"cvexport.manifest": json.dumps({"DomainType": domain, "ModelFileSHA1": digest}).encode()}
    assert read_export(write_files(tmp_path / "doors", content)) == read(tmp_path, make_zip(content)) == CUSTOM_DOORS
    assert read_export(write_files(tmp_path / "doors-2026.11.23", content)).name == "doors-2026.11.23"
    assert len({one.fingerprint for one in (DOORS, CUSTOM_DOORS, replace(DOORS, labels=("man",)))}) == 3
    assert DOORS.identity == f"doors@{hashlib.sha256(MODEL).hexdigest()[:12]}"


def test_the_description_marks_a_demo_model(tmp_path: Path) -> None:
    """footfall.toml marks a model as the demo's. The name of its folder or zip does not."""
    assert not read_export(write_files(tmp_path / "demo", FILES)).description.demo
    assert Model(read_export(ROOT / "demo" / "model"), trial=("true",)).is_demo


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("labels.txt", b"a\n" + b"b" * 257, "line 2: 257"),
        ("labels.txt", "a\n\U0001f469".encode() + "\u0e01".encode() * 85, "line 2: 259 bytes; a label has at most 256"),
        ("labels.txt", b"a\n\x1b[31mb", "line 2.*control"),
        ("labels.txt", "man\nmädchen".encode("latin-1"), "line 2: not UTF-8 or UTF-16; save the file as UTF-8"),
        ("labels.txt", "man\nwoman".encode("utf-16")[:-1], "line 2: not UTF-8 or UTF-16"),
        ("labels.txt", b"\nman\nwoman", "line 1: is blank"),
        ("labels.txt", "man\n\u200b\nwoman".encode(), "line 2: is blank"),
        ("labels.txt", "man\nman\u00a0".encode(), "line 2: 'man' occurs twice"),
        ("cvexport.manifest", b"{", "not JSON"),
        ("cvexport.manifest", b"[]", "not a JSON object"),
        ("cvexport.manifest", b'{"ModelFileSHA1": "\\ud800\\n"}', r"ModelFileSHA1 is \\ud800\\n, but"),
        ("cvexport.manifest", b'{"ModelFileSHA1": "00"}', f"ModelFileSHA1 is 00, but the model's SHA-1 is {SHA1}; export"),
        ("cvexport.manifest", b'{"DomainType": "Segmentation"}', "DomainType is 'Segmentation'"),
        ("footfall.toml", b"kind = 'pose'", "kind='pose': must be one of classification, detection, .*ssd, yolo"),
        ("footfall.toml", b"demo = 1", "demo=1"),
        ("footfall.toml", b"mean = nan", "mean=nan"),
        ("footfall.toml", b"scale = 1" + bytes(5000).replace(b"\0", b"0"), "not valid TOML"),
        ("footfall.toml", b"kind = 0xF" + bytes(5000).replace(b"\0", b"F"), "kind=a number of thousands of digits: must be"),
        ("footfall.toml", b"color = 'rgb'", "color='rgb': is unknown"),
        ("footfall.toml", b"scale = 0", "scale=0"),
        ("footfall.toml", b"anchors = []", "anchors"),
        ("footfall.toml", b"anchors = [[1, -2]]", "anchors"),
        ("footfall.toml", b"outputs = ['boxes', 'boxes', 'scores', 'count']", "outputs.*each once"),
        ("footfall.toml", b"kind = ", "not valid TOML"),
        ("footfall.toml", b"demo = true\nkind = '\xfc'", "line 2: not UTF-8; save the file as UTF-8"),
        ("footfall.toml", b"demo = true\n" + b"a." * 8000 + b"a = 1", "line 2: more than 256 dots"),
        ("footfall.toml", b"kind = " + b"[" * 200 + b"]" * 200, "kind="),
    ],
)
def test_files_that_are_refused(tmp_path: Path, file: str, content: bytes, reason: str) -> None:
    """The message has the file, and the line or the key and its value."""
    with pytest.raises(InvalidExport, match=rf"doors\.zip/{file}: {reason}"):
        read(tmp_path, make_zip(FILES | {file: content}))


def claiming(model: bytes, packed: int) -> bytes:
    """Returns a zip whose directory claims that the model takes `packed` bytes in it."""
    content = make_zip(FILES | {"model.tflite": model})
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        found = archive.getinfo("model.tflite").compress_size
    head, mark, directory = content.partition(b"PK\x01\x02")
    return head + mark + directory.replace(struct.pack("<L", found), struct.pack("<L", packed), 1)


NESTED = st.recursive(st.none() | st.text() | st.integers(), st.lists).map(lambda value: json.dumps(value).encode())
VALUES = st.one_of(st.text(max_size=20), st.integers(), st.lists(st.floats()))
METADATA = st.dictionaries(st.sampled_from(["colour", "biases"]), VALUES).map(lambda found: metadata(**found))


@settings(max_examples=400)
@given(st.sampled_from(sorted(MAX_SIZES)), st.binary(max_size=200) | NESTED | METADATA)
def test_any_content(tmp_path: Path, file: str, content: bytes) -> None:
    """Any bytes in any file give labels that fit a prediction, or a message of one line with the file's name."""
    try:
        labels = read(tmp_path, make_zip(FILES | {file: content}, zipfile.ZIP_STORED)).labels
    except InvalidExport as error:
        assert re.search(r"/(labels\.(txt|json)|dict\.txt|cvexport\.manifest|metadata\.yaml|footfall\.toml): ", str(error))
        assert "\n" not in str(error)
    else:
        assert labels
        assert all(0 < len(label) <= 256 for label in labels)


@pytest.mark.parametrize("inside", ["", "export/", "door-main/export/", "export\\", "T\u00fcr (1)/", "../", "/", "C:\\"])
@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_zips_of_all_kinds(tmp_path: Path, inside: str, compression: int) -> None:
    """Zips of macOS, PowerShell 5, a repository with samples, and other archivers are read. No file is extracted."""
    content = {f"{inside}{name}": content for name, content in FILES.items()}
    others = (f"__MACOSX/{inside}._model.tflite", f"{inside}.DS_Store", "python/README.md", "../escaped", "/escaped", "a\x1b[2J")
    assert read(tmp_path, make_zip(content | dict.fromkeys(others, b"junk"), compression)) == DOORS
    assert [path.name for path in tmp_path.iterdir()] == ["doors.zip"]


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@settings(max_examples=200)
@given(data=st.data())
def test_a_damaged_zip(tmp_path: Path, compression: int, data: st.DataObject) -> None:
    """A zip with bytes changed, removed or added anywhere is read as before, or refused in one line."""
    damaged = bytearray(make_zip({"a/model.tflite": MODEL, "a/labels.txt": b"man\nwoman"}, compression))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    try:
        assert read(tmp_path, bytes(damaged)).model == MODEL
    except InvalidExport as error:
        assert "doors.zip" in str(error)
        assert str(error).isprintable()


@given(st.binary(max_size=300) | st.binary(max_size=100).map(lambda end: ZIP + end))
def test_any_bytes(tmp_path: Path, content: bytes) -> None:
    """Random bytes, alone or around a zip, give the model or an InvalidExport."""
    with suppress(InvalidExport):
        assert read(tmp_path, content).model == MODEL


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (make_zip(FILES | {"other/labels.txt": b"b"}), "labels.txt occurs twice"),
        (make_zip({"a/model.tflite": MODEL, "b/model.tflite": MODEL}), "model.tflite occurs twice"),
        (
            make_zip(FILES | {"best.lite": MODEL}),
            "found best.lite and model.tflite; there must be exactly one model; unpack the zip",
        ),
        (make_zip({"labels.txt": b"a"}), "model.tflite is missing; a model is one file"),
        (make_zip({f"{number:02}{'x' * 65_000}": b"" for number in range(20)}), "directory has .* bytes; at most 1048576"),
        (make_zip(FILES | {"labels.txt": bytes(2 << 20)}), "labels.txt: 2097152 bytes; at most 262144"),
        (make_zip(FILES | {"footfall.toml": b"#" * (8 << 20)}), "footfall.toml: 8388608 bytes; at most 16384"),
        (b"PK\x05\x06" + bytes(18), "missing"),
        (ZIP[:-10], "not a valid zip"),
        (ZIP[5:], "not a valid zip"),
        (make_zip(FILES, zipfile.ZIP_BZIP2), r"unsupported compression 12 \(bzip2\); use 0 \(none\) or 8 \(deflate\)"),
        (make_zip(FILES, zipfile.ZIP_LZMA), r"unsupported compression 14 \(LZMA\)"),
        (make_zip(FILES | {"model.tflite": bytes(2 << 20)}), r"\d+ bytes in the zip become 2097152; at most 20 times"),
        (claiming(bytes(2 << 20), packed=1 << 24), "16777216 bytes, in a zip of fewer"),
        (ZIP.replace(SIZE, struct.pack("<L", len(MODEL) + 1)), "400 bytes instead of the 401"),
    ],
)
def test_zips_that_are_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    """Zips with missing, repeated or oversized parts are refused."""
    with pytest.raises(InvalidExport, match=rf"doors\.zip.*{reason}"):
        read(tmp_path, content)


def test_zip_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits apply to the decompressed bytes of a file, whatever the directory states."""
    monkeypatch.setattr(files, "MAX_BYTES", 1_000_000)
    bomb = make_zip(FILES | {"model.tflite": bytes(1_000_001)})
    assert len(bomb) < 10_000
    for content in (bomb, bomb.replace(struct.pack("<L", 1_000_001), struct.pack("<L", 5))):
        with pytest.raises(InvalidExport, match=r"at most 1000000 are allowed|CRC-32"):
            read(tmp_path, content)
    with pytest.raises(InvalidExport, match=r"labels\.txt: 64000000 bytes; at most"):
        read_export(write_files(tmp_path / "big", FILES | {"labels.txt": bytes(64_000_000)}))


def test_a_zip_with_many_files(tmp_path: Path) -> None:
    """A zip with as many files as its directory may list is read in a moment."""
    many = make_zip(FILES | {f"s/{number}.x": b"" for number in range(18_000)})
    began = time.process_time()
    assert read(tmp_path, many) == DOORS
    assert time.process_time() - began < limit(3)


@pytest.mark.parametrize("name", ["best.tflite", "model_unquant.tflite", "ei-door.lite", "Model.TFLITE"])
def test_a_model_with_another_name(tmp_path: Path, name: str) -> None:
    """The model file may have any name, in a folder or a zip. MODEL may be the file itself, with the labels beside it."""
    content = {name: MODEL, "labels.txt": b"man\nwoman"}
    folder = write_files(tmp_path / "doors", content)
    assert read_export(folder) == read(tmp_path, make_zip(content)) == DOORS
    named = read_export(folder / name)
    assert (named.name, named.model, named.labels) == (name.rpartition(".")[0], MODEL, ("man", "woman"))


@pytest.mark.parametrize("name", ["two\nlines", "\x1b[31mred", b"\xff".decode(errors="surrogateescape"), "\u202egnp"], ids=ascii)
def test_a_folder_with_an_odd_name(tmp_path: Path, name: str) -> None:
    """Its name is part of every prediction, which must be text without control characters."""
    export = read_export(write_files(tmp_path / name, FILES))
    assert re.search(TEXT_PATTERN, export.identity)
    assert export.identity.encode()


def test_several_models(tmp_path: Path) -> None:
    """A folder with several models is refused. MODEL may name one of them, and changes of its files are noticed."""
    folder = write_files(tmp_path / "best_saved_model", {"best_float32.tflite": MODEL, "best_float16.tflite": MODEL * 2})
    with pytest.raises(
        InvalidExport, match=r"found best_float16\.tflite and best_float32\.tflite; .* MODEL may name one of them"
    ):
        read_export(folder)
    chosen = folder / "best_float16.tflite"
    assert read_export(chosen).model == MODEL * 2
    before = stat_files(chosen)
    write_files(folder, {"best_float32.tflite": MODEL * 3, "README.md": b"x"})
    assert stat_files(chosen) == before
    write_files(folder, {"labels.txt": b"a"})
    assert stat_files(chosen) != before
    assert read_export(chosen).labels == ("a",)


@settings(deadline=None)
@given(addresses())
def test_an_address_as_model(given: tuple[str, str]) -> None:
    """An address given by mistake is refused, without its secret in the message."""
    with pytest.raises(
        InvalidExport, match=r"a folder or zip with model\.tflite and labels\.txt, or a model file, is required"
    ) as caught:
        read_export(Path(given[0]))
    assert MARK not in str(caught.value)


def test_all_keys_of_a_description() -> None:
    """Every key of footfall.toml is read, after a byte order mark too. Without the file, the description is empty."""
    assert create_description(parse_description(None, HERE), HERE) == Description()
    anchors = ((1.0, 2.0), (3.0, 4.5))
    outputs: tuple[Role, ...] = ("scores", "boxes", "count", "classes")
    every = Description(
        demo=True,
        kind="ssd",
        colour="rgb",
        mean=127.5,
        scale=(2.0, 1.0, 3.0),
        fit="square",
        softmax=False,
        anchors=anchors,
        outputs=outputs,
    )
    assert every.model_fields_set == set(Description.model_fields)
    toml = "\n".join(f"{key} = {json.dumps(value)}" for key, value in every.model_dump().items())
    assert create_description(parse_description(toml.encode("utf-8-sig"), HERE), HERE) == every


def metadata(**properties: object) -> bytes:
    """Returns Custom Vision's metadata_properties.json with these values."""
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
def test_custom_vision_metadata(tmp_path: Path, properties: dict[str, object], expected: Description) -> None:
    """Colour order and anchors are read. Invalid values are ignored, and footfall.toml comes first."""
    content = FILES | {"metadata_properties.json": metadata(**properties)}
    found = read(tmp_path, make_zip(content))
    assert (found.description, found.exporter) == (expected, CUSTOM_VISION)
    toml = {"footfall.toml": b"colour = 'bgr'\nanchors = [[1, 1]]"}
    assert read(tmp_path, make_zip(content | toml)).description == Description(colour="bgr", anchors=((1.0, 1.0),))
