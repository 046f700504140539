"""Zips as they may come: those that are no models become none."""

import io
import stat
import struct
import zipfile
import zlib

import pytest

from bridge.model import InvalidModel, unpack
from bridge.model.store import ModelStore
from tests.bridge.model.zips import EXPORT, install, names, tree, with_entry, zipped


@pytest.mark.parametrize("prefix", ["", "export/", "./", "Ausfuhr ü/"])
def test_files_may_be_one_folder_deep(store: ModelStore, prefix: str) -> None:
    """They end in the model's folder itself; entries of folders are passed over."""
    files = {f"{prefix}{name}": content for name, content in EXPORT.items()}
    name = install(store, zipped({prefix: b"", **files} if prefix else files))
    assert names(store.folder / name) == {*EXPORT, ".footfall.json"}


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


LINK = (stat.S_IFLNK | 0o777) << 16
DEVICE = (stat.S_IFBLK | 0o666) << 16


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (with_entry("../escaped"), "not a name"),
        (with_entry("../../escaped"), "not a name"),
        (with_entry("a/../../escaped"), "not a name"),
        (with_entry(".."), "not a name"),
        (with_entry("../"), "not a name"),
        (with_entry("/escaped"), "not a name"),
        (with_entry("//escaped"), "not a name"),
        (with_entry("..\\escaped"), "not a name"),
        (with_entry("C:\\escaped"), "not a name"),
        (with_entry("esc\naped"), "not a name"),
        (with_entry("esc\0aped"), "not a name"),
        (with_entry("."), "not a name"),
        (with_entry("esc\x1b[2Japed"), "not a name"),
        (with_entry("a" * 300), "not a name"),
        (with_entry(".footfall.json"), "not a name"),
        (with_entry("a/b/deep"), "one folder deep"),
        (with_entry("link", b"/etc/passwd", LINK), "a link or device"),
        (with_entry("link/", b"", LINK), "a link or device"),
        (with_entry("device", b"", DEVICE), "a link or device"),
        (with_entry("folder without its stroke", b"", stat.S_IFDIR << 16), "a link or device"),
        (with_entry("other/labels.txt"), "labels.txt: is in it twice"),
        (with_entry("LABELS.txt"), "LABELS.txt: is in it twice"),
        (with_entry("lzma", b"x" * 100, compression=zipfile.ZIP_LZMA), "compression 14"),
        (with_entry("bzip2", b"x" * 100, compression=zipfile.ZIP_BZIP2), "compression 12"),
        (zipped({"labels.txt": b"a"}), "model.tflite is missing"),
        (zipped({"model.tflite": b"a"}), "labels.txt is missing"),
        (zipped({"a/b/model.tflite": b"a", "labels.txt": b"a"}), "one folder deep"),
        (zipped({}), "model.tflite is missing"),
        (zipped({**EXPORT, **{str(number): b"" for number in range(30)}}), "33 files, at most 32"),
        (zipped({**EXPORT, **{f"{number}/": b"" for number in range(62)}}), "65 entries"),
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
    monkeypatch.setattr(unpack, "LIMIT", 1_000_000)
    install(store, zipped({**EXPORT, "model.tflite": bytes(1_000_000 - 12)}))
    bomb = zipped({**EXPORT, "model.tflite": bytes(1_000_000)})
    assert len(bomb) < 10_000
    refused(store, bomb, "more than 1000000 bytes in all")
    refused(store, zipped({**EXPORT, "a": bytes(500_000), "b": bytes(500_000)}), "more than 1000000 bytes in all")
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
    monkeypatch.setattr(unpack, "LIMIT", 1_000_000)
    refused(store, _overlapping(20, 100_000), "more than 1000000 bytes in all|Overlapped")
