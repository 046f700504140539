"""Pictures, as the classifier and capture read them, and streams of them."""

from collections.abc import Sequence

import cv2
import numpy as np

from bus.images import checked
from capture.drivers.mjpeg import find_jpegs
from capture.pictures.jpeg import JpegPicture, open_still
from classifier.preprocess import decode_any
from runtime.errors import FootfallError
from tests.fuzz.target import FULL_RUN, Target, plain
from tests.support import hostile, multipart
from tests.support.cameras import exif
from tests.support.samples import jpeg

CHUNK = 1000
"""Bytes that arrive at once."""
MARKERS = (
    b"\xff\xd8\xff",
    b"\xff\xd9",
    b"\xff\xda\0\x08\1\1\0\0?\0",
    b"\xff\xc2",
    b"\xff\xe1\0\x10",
    b"\xff\xff",
    b"\xff\xdd\0\4\0\1",
    b"\xff\xd0",
)
CHUNKS = (
    b"IHDR",
    b"IDAT",
    b"IEND",
    b"PLTE",
    b"tRNS",
    b"eXIf",
    b"acTL",
    b"RIFF",
    b"WEBPVP8 ",
    b"VP8L",
    b"VP8X",
    b"ANIM",
    b"BM",
    b"II*\0",
    b"MM\0*",
)
NUMBERS = (b"\0", b"\xff", b"\xff" * 4, b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\0\1", b"\1\0", b"\x40\0", b"\0\0\x40\0", bytes(64))
PIECES = (*MARKERS, *CHUNKS, *NUMBERS)


def pictures() -> Sequence[bytes]:
    """Returns small pictures of each format, and those that are refused."""
    noise = np.random.default_rng(1).integers(0, 256, (24, 32, 3), np.uint8)
    made = [cv2.imencode(kind, noise)[1].tobytes() for kind in (".jpg", ".png", ".bmp", ".webp", ".tiff")]
    grey = [cv2.imencode(kind, noise[..., 0])[1].tobytes() for kind in (".jpg", ".png", ".bmp", ".tiff")]
    progressive = cv2.imencode(".jpg", noise, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1, cv2.IMWRITE_JPEG_RST_INTERVAL, 2])[1].tobytes()
    small = ((40, 30), (33, 17))
    saved = [
        *(hostile.saved(size, "tiff", compression=kind) for size in small for kind in ("tiff_lzw", "tiff_deflate", "packbits")),
        *(hostile.saved(size, "png", mode) for size in small for mode in ("P", "L", "1", "RGBA", "I;16")),
        *(hostile.saved(size, "bmp", mode) for size in small for mode in ("P", "1", "RGB")),
        hostile.saved((40, 30), "jpeg", "CMYK"),
        hostile.saved((40, 30), "webp", lossless=True),
    ]
    turned = jpeg()[:2] + exif(6) + jpeg()[2:]
    refused = [content for content, _ in hostile.REFUSED.values() if len(content) < 10_000]
    return [*made, *grey, progressive, *saved, turned, hostile.jpeg(64, 64, 3), hostile.bmp(40, 30), *refused]


def capture_still(data: bytes) -> None:
    """Reads a picture as capture does: whole if it can be passed on, and its pixels and thumbnail in any case."""
    picture = open_still(data)
    assert picture.jpeg is None or picture.jpeg.endswith(b"\xff\xd9")
    picture.thumbnail()
    assert picture.size == picture.pixels().shape[1::-1]


def check(data: bytes) -> None:
    """Checks the header of a picture, without decoding it."""
    checked(data)


def streams() -> Sequence[bytes]:
    """Returns the beginnings of the streams of several cameras."""
    return [multipart.stream(kind)[1][:9000] for kind in (*multipart.SOUND, *multipart.CHANGES)]


def read_stream(data: bytes) -> None:
    """Finds the pictures in a stream, and reads their headers."""
    for found in find_jpegs((data[at : at + CHUNK] for at in range(0, len(data), CHUNK)), limit=1 << 20):
        if found is not None:
            try:
                assert JpegPicture(found).jpeg != b""
            except FootfallError:
                continue


TARGETS = [
    Target("pictures.header", pictures, plain(check), pieces=PIECES, inputs=FULL_RUN // 4),
    Target("pictures.classifier", pictures, plain(decode_any), pieces=PIECES, inputs=FULL_RUN // 4),
    Target("pictures.capture", pictures, plain(capture_still), pieces=PIECES, inputs=FULL_RUN // 4),
    Target(
        "pictures.stream",
        streams,
        plain(read_stream),
        pieces=(*PIECES, b"--frame\r\n", b"Content-Length: 7\r\n\r\n"),
        inputs=FULL_RUN // 4,
    ),
]
