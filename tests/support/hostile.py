"""Small pictures that would cost a decoder much time or memory, written by hand, and large ones at the limits."""

import re
import struct
import zlib
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import cv2
import numpy as np
from PIL import Image

Component = tuple[int, int]
"""Number and sampling factors, such as 0x11."""

_QUANTIZATION = b"\xff\xdb\0\x43\0" + b"\1" * 64
_TABLES = b"".join(b"\xff\xc4\0\x14" + bytes([kind, 1]) + bytes(15) + symbol for kind, symbol in ((0, b"\0"), (0x10, b"\xe0")))
"""Huffman tables of one symbol of one bit: no change of brightness, and the end of up to 32,767 blocks."""


def _sides(width: int, height: int, order: str = ">") -> bytes:
    return struct.pack(f"{order}II", width, height)


def jpeg(
    width: int, height: int, scans: int, frame: int = 0xC2, components: Sequence[Component] = ((1, 0x11),), between: bytes = b""
) -> bytes:
    """Returns a JPEG with this many scans over the whole picture, about 40 bytes each, and other bytes between them."""
    listed = b"".join(bytes([number, factors, 0]) for number, factors in components)
    header = struct.pack(">BBHBHHB", 0xFF, frame, 8 + len(listed), 8, height, width, len(components)) + listed
    zeros = bytes((-(-width // 8) * -(-height // 8) // 16_384 + 1) * 15 // 8 + 1)
    if frame == 0xC2:
        first = _scan([number for number, _ in components], b"\0\0\0") + b"\0"
        others = [_scan([1], bytes([1, 63, 0x01 if number == 0 else 0x10])) + zeros for number in range(scans - 1)]
    else:
        first, others = b"", [_scan([components[number % len(components)][0]], b"\0\x3f\0") + zeros for number in range(scans)]
    return b"\xff\xd8" + _QUANTIZATION + header + _TABLES + between.join([first, *others]) + b"\xff\xd9"


def _scan(components: Sequence[int], selection: bytes) -> bytes:
    content = bytes([len(components)]) + b"".join(bytes([one, 0]) for one in components) + selection
    return b"\xff\xda" + struct.pack(">H", len(content) + 2) + content


def png(width: int, height: int, *chunks: tuple[bytes, bytes], bits: int = 1) -> bytes:
    """Returns a black PNG with other chunks, by name and content, before its pixels."""
    packer, row = zlib.compressobj(9), bytes(1 + (width * bits + 7) // 8)
    pixels = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = _sides(width, height) + bytes([bits, 0, 0, 0, 0])
    parts = [(b"IHDR", header), *chunks, (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def lossless_webp(side: int) -> bytes:
    """Returns a lossless WebP in which every 4 x 4 px have their own Huffman tables (RFC 9649, section 6); up to 65,536."""
    bits = list[str]()

    def put(value: int, count: int) -> None:
        bits.append(format(value, f"0{count}b")[::-1])

    for value, count in ((0x2F, 8), (side - 1, 14), (side - 1, 14), (0, 4), (0b100, 3), (0, 3), (0, 1)):
        put(value, count)
    for alphabet in (280, 256):  # 256 symbols of 8 bits
        put(0, 1)
        put(8, 4)
        for length in (17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8):
            put(int(length in (0, 8)), 3)
        put(0, 1)
        bits.append("1" * 256 + "0" * (alphabet - 256))
    bits.append("1000" * 3)  # one symbol
    groups = (side // 4) ** 2
    for number in range(groups):
        put(number % 65_536, 16)
    bits.append("1000" * 5 * min(groups, 65_536))
    packed = "".join(bits)
    content = int(packed[::-1], 2).to_bytes(len(packed) // 8 // 2 * 2 + 2, "little")
    return b"RIFF" + struct.pack("<I", len(content) + 12) + b"WEBPVP8L" + struct.pack("<I", len(content)) + content


def tiff(tags: dict[int, Sequence[int]], content: bytes = b"") -> bytes:
    """Returns a TIFF with these tags, as LONG; 8 is the offset of `content`."""
    entries, values, at = b"", b"", 8 + len(content) + 2 + 12 * len(tags) + 4
    for tag, numbers in sorted(tags.items()):
        packed = struct.pack(f"<{len(numbers)}I", *numbers)
        entries += struct.pack("<HHI", tag, 4, len(numbers)) + (
            packed if len(packed) == 4 else struct.pack("<I", at + len(values))
        )
        values += packed if len(packed) > 4 else b""
    return b"II*\0" + struct.pack("<I", 8 + len(content)) + content + struct.pack("<H", len(tags)) + entries + bytes(4) + values


def bmp(width: int, height: int) -> bytes:
    """Returns a BMP whose rows are compressed to nothing, and begin at the top if the height is negative."""
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, 2, 0, 0, 256, 0)
    before = 14 + len(header) + 4 * 256
    return b"BM" + struct.pack("<IHHI", before + 2, 0, 0, before) + header + bytes(4 * 256) + b"\0\1"


def gif(width: int, height: int) -> bytes:
    """Returns a GIF with one black pixel on a screen of this size."""
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\x80\0\0" + bytes(6) + b",\0\0\0\0\1\0\1\0\0\2\2\x44\1\0;"


def saved(size: tuple[int, int], kind: str, mode: str = "RGB", **options: Any) -> bytes:
    """Returns a picture as Pillow saves it."""
    with BytesIO() as file:
        Image.new(mode, size).save(file, kind, **options)
        return file.getvalue()


def texts(count: int) -> list[tuple[bytes, bytes]]:
    """Returns chunks of compressed text for a PNG, each of 8 kB that become 8 MB."""
    packed = zlib.compress(bytes(7_900_000), 9)
    return [(b"zTXt", b"%d\0\0" % number + packed) for number in range(count)]


_BYTES: dict[int, Sequence[int]] = {258: [8], 259: [8], 262: [1], 277: [1]}
"""Tags of a TIFF: grey, of 8 bits, with Deflate."""
_STRIP = _BYTES | {256: [4000], 257: [4000], 273: [8], 278: [4000], 279: [9]}
_TILE = _BYTES | {256: [64], 257: [64], 324: [8], 325: [9]}
_OVERLAPPING = _STRIP | {278: [1], 273: [8] * 4000, 279: [1_000_000] * 4000}
_PACKED = zlib.compress(b"")
_FRAME = b"\xff\xc2\0\x0b\x08\x0f\xff\x0f\xff\1\1\x11\0"
_THREE = ((1, 0x11), (2, 0x11), (3, 0x11))

REFUSED: dict[str, tuple[bytes, str]] = {
    "JPEG of 1500 scans": (jpeg(4000, 4000, 1500), "a JPEG of more than 1000 segments"),
    "JPEG of 21 scans": (jpeg(64, 64, 21), "21 scans"),
    "JPEG of scans by component": (jpeg(2000, 2000, 3000, 0xC0, _THREE), "a JPEG of more than 1000 segments"),
    "JPEG of scans behind a false end": (jpeg(4000, 4000, 100, between=b"\xff\xfe\0\4\xff\xd9"), "100 scans"),
    "JPEG of scans behind fill bytes": (jpeg(4000, 4000, 100, between=b"\xff\xff"), "100 scans"),
    "JPEG of scans behind restarts": (jpeg(4000, 4000, 100, between=b"\xff\xd3\xff\2\xff\0"), "100 scans"),
    "JPEG of 16 million px in three scans": (
        jpeg(4000, 4000, 3, 0xC0, _THREE),
        "a JPEG of 3 scans of 4000x4000 pixels takes 144 MB",
    ),
    "JPEG with two frames": (
        jpeg(9, 9, 1).replace(_TABLES, jpeg(4000, 4000, 1)[2 + len(_QUANTIZATION) : -40] + _TABLES),
        "two frames",
    ),
    "JPEG with a hidden frame": (jpeg(9, 9, 1).replace(_QUANTIZATION, b"\xff\xd0\xff\xc2\0\x0b"), "not a JPEG"),
    "PNG of 400 million px": (png(20_000, 20_000), "20000x20000 pixels; a side can have 1 to 16384"),
    "PNG of 67 million px": (png(8192, 8192), "at most 16000000 pixels are allowed"),
    "PNG with a chunk of 4 GB": (png(40, 30).replace(b"\0\0\0\x0dIHDR", b"\xfe\0\0\x0dIHDR"), "without a header"),
    "PNG with pixels of 4 GB": (re.sub(rb"....IDAT", b"\xfe\0\0\0IDAT", png(40, 30), flags=re.DOTALL), "truncated"),
    "BMP of 67 million px": (bmp(8192, -8192), "at most 16000000 pixels are allowed"),
    "WebP of 268 million px": (saved((16, 16), "webp").replace(b"\x2a\x10\0\x10\0", b"\x2a\xff\x3f\xff\x3f"), "at most 16000000"),
    "WebP of 65536 tables": (lossless_webp(1024), "a lossless WebP"),
    "WebP, transparent": (saved((16, 16), "webp", "RGBA", quality=50), "animated or transparent WebP"),
    "WebP, animated": (saved((16, 16), "webp", save_all=True, append_images=[Image.new("RGB", (16, 16), "red")]), "animated"),
    "TIFF with JPEG": (saved((64, 64), "tiff", compression="jpeg"), "a TIFF with compression 7; none, LZW, Deflate, PackBits"),
    "TIFF of numbers": (cv2.imencode(".tiff", np.zeros((9, 9), np.float32))[1].tobytes(), "unusual samples"),
    "TIFF of one large strip": (tiff(_STRIP | {277: [4], 258: [16] * 4}, _PACKED), "takes 240 MB to decode"),
    "TIFF of one large tile": (tiff(_TILE | {322: [16_384], 323: [16_384]}, _PACKED), "at most 16000000 pixels"),
    "TIFF of overlapping strips": (
        tiff(_STRIP | {278: [1], 273: [8] * 4000, 279: [1_000_000] * 4000}, bytes(1_000_000)),
        "overlap",
    ),
    "TIFF of endless tags": (b"MM\0*\0\0\0\x08\xff\xff" + b"\1\0\0\4\xff\xff\xff\xff\0\0\0\0", "invalid tags"),
    "BigTIFF": (b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0", "BigTIFF"),
    "JPEG 2000": (saved((64, 64), "jpeg2000"), "JPEG 2000 .* only JPEG, PNG, WebP, BMP and TIFF are allowed"),
    "JPEG 2000 stream": (saved((64, 64), "jpeg2000", no_jp2=True), "JPEG 2000"),
    "GIF": (saved((64, 64), "gif"), "GIF"),
    "OpenEXR": (b"\x76\x2f\x31\x01\2\0\0\0", "OpenEXR"),
    "Radiance HDR": (cv2.imencode(".hdr", np.zeros((9, 9, 3), np.float32))[1].tobytes(), "Radiance HDR"),
    "AVIF": (b"\0\0\0\x20ftypavif", "AVIF"),
    "Sun raster": (cv2.imencode(".ras", np.zeros((9, 9, 3), np.uint8))[1].tobytes(), "Sun raster"),
    "portable map": (cv2.imencode(".ppm", np.zeros((9, 9, 3), np.uint8))[1].tobytes(), "unknown format"),
}
"""Pictures that are refused, and why (a pattern)."""


def at_the_limits() -> dict[str, bytes]:
    """Returns pictures that are accepted, and cost as much as one can."""
    side = (4000, 4000)
    turned = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"
    return {
        "JPEG of 20 scans": jpeg(*side, 20),
        "JPEG, progressive": saved(side, "jpeg", progressive=True),
        "JPEG, turned": saved(side, "jpeg", exif=turned, subsampling=0),
        "PNG of 16 bits": png(*side, bits=16),
        "PNG with 3 GB of text": png(64, 64, *texts(400)),
        "BMP": bmp(*side),
        "WebP": saved(side, "webp", quality=80, method=0),
        "TIFF": saved(side, "tiff", compression="tiff_lzw"),
    }
