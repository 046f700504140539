"""Zips as they may come: those that are no models become none."""

import io
import stat
import struct
import zipfile
import zlib

import pytest

from classifier import export_zip
from classifier.model import InvalidModel
from classifier.model.store import ModelStore
from tests.classifier.model.zips import EXPORT, install, names, tree, with_entry, zipped


@pytest.mark.parametrize("prefix", ["", "export/", "./", "Ausfuhr ü/", "door-main/export/", "export\\", "../", "/", "C:\\"])
def test_whatever_folder_the_files_are_in(store: ModelStore, prefix: str) -> None:
    """They end in the model's folder itself; entries of folders are passed over."""
    files = {f"{prefix}{name}": content for name, content in EXPORT.items()}
    name = install(store, zipped({prefix: b"", **files} if prefix else files))
    assert names(store.folder / name) == {*EXPORT, ".footfall.json"}


LINK = (stat.S_IFLNK | 0o777) << 16
DEVICE = (stat.S_IFBLK | 0o666) << 16


@pytest.mark.parametrize(
    "content",
    [
        with_entry("../escaped"),
        with_entry("a/../../escaped"),
        with_entry("../"),
        with_entry("/escaped"),
        with_entry("..\\escaped"),
        with_entry("C:\\escaped"),
        with_entry("esc\naped"),
        with_entry("labels.txt\0escaped"),
        with_entry("esc\x1b[2Japed"),
        with_entry("a" * 300),
        with_entry(".footfall.json"),
        with_entry("a/b/deep"),
        with_entry("link", b"/etc/passwd", LINK),
        with_entry("device", b"", DEVICE),
        with_entry("bzip2", b"x" * 100, compression=zipfile.ZIP_BZIP2),
        with_entry("__MACOSX/._labels.txt"),
        with_entry("export/.DS_Store"),
        with_entry("python/predict.py"),
        zipped({**EXPORT, **{f"samples/{number}": b"" for number in range(300)}}),
    ],
)
def test_what_else_is_in_a_zip_is_ignored(store: ModelStore, content: bytes) -> None:
    """What macOS adds, samples, and whatever would lead elsewhere: the model's own files alone become files."""
    name = install(store, content)
    assert names(store.folder / name) == {*EXPORT, ".footfall.json"}
    assert (store.folder / name / "labels.txt").read_bytes() == EXPORT["labels.txt"]
    assert names(store.folder.parent) == {store.folder.name, "download.zip"}


def test_lzma_is_read(store: ModelStore) -> None:
    """As some archivers write it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as archive:
        for file, content in EXPORT.items():
            archive.writestr(file, content)
    assert (store.folder / install(store, buffer.getvalue()) / "model.tflite").read_bytes() == EXPORT["model.tflite"]


def refused(store: ModelStore, content: bytes, reason: str = "") -> None:
    """The zip is refused, and leaves nothing behind, wherever that might be."""
    good = install(store, zipped())
    above, before = store.folder.parent, tree(store.folder)
    around = names(above)
    with pytest.raises(InvalidModel, match=reason or None):
        install(store, content)
    assert tree(store.folder) == before
    assert names(above) == around
    assert store.current == good


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (with_entry("other/labels.txt"), "labels.txt is in it twice"),
        (zipped({"labels.txt": b"a"}), "model.tflite is missing"),
        (zipped({"model.tflite": b"a"}), "labels.txt is missing"),
        (zipped({}), "model.tflite is missing"),
        (zipped({f"{number:02}{'x' * 65_000}": b"" for number in range(20)}), "bytes of directory, at most 1048576"),
        (b"", "not a zip"),
        (b"PK\x05\x06" + bytes(18), "missing"),
        (b"<html>sign in</html>", "not a zip"),
        (zipped()[:-10], "not a zip"),
        (zipped()[:40], "not a zip"),
        (zipped()[5:], "not a zip"),
    ],
)
def test_zips_that_are_refused(store: ModelStore, content: bytes, reason: str) -> None:
    """Each with its reason; no file comes to be anywhere, and what is served goes on."""
    refused(store, content, reason)


def test_twice_the_same_entry(store: ModelStore) -> None:
    """Two of one name are no one's."""
    with pytest.warns(UserWarning, match="Duplicate name"):
        content = with_entry("labels.txt", b"other")
    refused(store, content, "is in it twice")


def patched(content: bytes, offset: int, value: bytes) -> bytes:
    """The zip with these bytes of the directory entry of model.tflite, the first one, changed."""
    at = content.index(b"PK\x01\x02") + offset
    return content[:at] + value + content[at + len(value) :]


FLAGS, METHOD, CRC, PACKED, SIZE, PLACE = 8, 10, 16, 20, 24, 42


@pytest.mark.parametrize(
    ("offset", "value", "reason"),
    [
        (FLAGS, b"\x01\x00", "encrypted"),
        (FLAGS, b"\x20\x00", "patched data"),
        (FLAGS, b"\x40\x00", "encryption"),
        (METHOD, b"\x63\x00", "compression 99"),
        (CRC, b"\x00\x00\x00\x00", "CRC-32"),
        (SIZE, struct.pack("<L", 1), "CRC-32"),
        (SIZE, struct.pack("<L", 99), "5 bytes, not the 99"),
        (PACKED, struct.pack("<L", 3), ""),
        (PLACE, struct.pack("<L", 2**31), ""),
        (PLACE, struct.pack("<L", 3), ""),
        (6, b"\xff\x00", "version"),
    ],
)
def test_directories_that_lie(store: ModelStore, offset: int, value: bytes, reason: str) -> None:
    """Whatever an entry says of itself does not become a file."""
    refused(store, patched(zipped(), offset, value), reason)


def test_a_bomb_is_not_unpacked(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes out is counted: over all files, and whatever the directory says."""
    monkeypatch.setattr(export_zip, "LIMIT", 1_000_000)
    install(store, zipped({**EXPORT, "model.tflite": bytes(1_000_000 - 12)}))
    bomb = zipped({**EXPORT, "model.tflite": bytes(1_000_000)})
    assert len(bomb) < 10_000
    refused(store, bomb, "at most 1000000 in all")
    refused(
        store, zipped({**EXPORT, "labels.txt": bytes(500_000), "cvexport.manifest": bytes(500_000)}), "at most 1000000 in all"
    )
    refused(store, patched(bomb, SIZE, struct.pack("<L", 5)))


def _overlapping(number: int, size: int) -> bytes:
    """A zip whose files quote the heads of those behind them, so that each contains all that follow."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    body, plain = packer.compress(bytes(size)) + packer.flush(), bytes(size)
    entries: list[tuple[bytes, bytes, int]] = []
    for index in reversed(range(number)):
        name = (*EXPORT, *map(str, range(99)))[index].encode()
        fixed = struct.pack("<HHHHHLLLHH", 20, 0, 8, 0, 33, zlib.crc32(plain), len(body), len(plain), len(name), 0)
        head = b"PK\x03\x04" + fixed + name
        entries.insert(0, (name, fixed, len(head) + len(body)))
        body = b"\x00" + struct.pack("<HH", len(head), len(head) ^ 0xFFFF) + head + body
        plain = head + plain
    content, directory = body[5:], b""
    for name, fixed, from_end in entries:
        place = struct.pack("<HHHLL", 0, 0, 0, 0, len(content) - from_end)
        directory += b"PK\x01\x02" + struct.pack("<H", 20) + fixed + place + name
    return content + directory + b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, number, number, len(directory), len(content), 0)


def test_overlapping_files_are_not_unpacked(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bomb that shares its bytes among its files: each is sound, all are too much (or refused by newer Pythons as such)."""
    with zipfile.ZipFile(io.BytesIO(_overlapping(1, 100))) as single:
        assert single.testzip() is None
    monkeypatch.setattr(export_zip, "LIMIT", 1_000_000)
    refused(store, _overlapping(3, 400_000), "at most 1000000 in all|Overlapped")
