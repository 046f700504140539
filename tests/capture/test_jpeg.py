"""JPEGs that are passed on as they are, and those that are decoded first."""

import random
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from bus.images import MAX_SIDE, UnusablePicture
from capture.framer import Framer, RateLimiter
from capture.pictures.decoded import decode
from capture.pictures.jpeg import MAX_BYTES, JpegPicture, open_still
from capture.pictures.prepare import Preparation, encode_jpeg
from capture.pictures.region import Region
from capture.source import CapturedPicture, SourceOptions
from capture.sources.local import LocalFile
from tests.support import hostile
from tests.support.cameras import exif
from tests.support.clock import Clock

SCENE = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 256, (90, 160, 3), np.uint8), (15, 15), 0)
SCENE[:30, :40] = (0, 0, 255)
"""A picture with a red corner in the top left."""
SIZE = (160, 90)
PLAIN = encode_jpeg(SCENE, 90)
SMALL = encode_jpeg(np.zeros((16, 16, 3), np.uint8), 80)


def saved(mode: str = "RGB", **options: Any) -> bytes:
    """Returns the picture as Pillow saves it."""
    file = BytesIO()
    Image.fromarray(cv2.cvtColor(SCENE, cv2.COLOR_BGR2RGB)).convert(mode).save(file, "jpeg", **options)
    return file.getvalue()


def with_segment(segment: bytes, picture: bytes = PLAIN) -> bytes:
    return picture[:2] + segment + picture[2:]


def without(marker: int, picture: bytes = PLAIN) -> bytes:
    """Returns a JPEG without the segments of this marker."""
    kept, at = picture[:2], 2
    while picture[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(picture[at + 2 : at + 4], "big")
        kept += b"" if picture[at + 1] == marker else picture[at:end]
        at = end
    return kept + picture[at:]


def with_frame(marker: int = 0xC0, precision: int = 8) -> bytes:
    """Returns a JPEG with this marker and precision in its header."""
    at = PLAIN.index(b"\xff\xc0")
    return PLAIN[: at + 1] + bytes([marker]) + PLAIN[at + 2 : at + 4] + bytes([precision]) + PLAIN[at + 5 :]


def with_size(height: int, width: int) -> bytes:
    """Returns a JPEG with this height and width in its header."""
    at = PLAIN.index(b"\xff\xc0") + 5
    return PLAIN[:at] + height.to_bytes(2, "big") + width.to_bytes(2, "big") + PLAIN[at + 4 :]


UPRIGHT = {
    "baseline": PLAIN,
    "progressive": saved(progressive=True),
    "optimised": saved(optimize=True),
    "grey": saved("L"),
    "4:4:4 with a profile": saved(subsampling=0, icc_profile=bytes(100_000)),
    "upright EXIF": with_segment(exif(1)),
    "EXIF of no orientation": with_segment(exif(9)),
    "fill bytes": with_segment(b"\xff" * 7),
}


@pytest.mark.parametrize("picture", UPRIGHT.values(), ids=UPRIGHT)
@pytest.mark.parametrize("tail", [b"", bytes(700), SMALL, b"\xff\xd9"], ids=["", "padding", "another picture", "a second end"])
def test_a_jpeg_is_passed_on_up_to_its_end(picture: bytes, tail: bytes) -> None:
    """Padding and other pictures behind it are cut off."""
    assert JpegPicture(picture + tail).jpeg == picture
    assert JpegPicture(picture + tail).size == SIZE


def test_missing_huffman_tables_are_inserted() -> None:
    """A JPEG without them is no interchange format (ITU-T T.81, annex B.2), though some decoders read it."""
    passed = JpegPicture(without(0xC4)).jpeg
    assert passed is not None
    assert passed.count(b"\xff\xc4") == PLAIN.count(b"\xff\xc4") > 0
    assert np.array_equal(decode(passed), decode(PLAIN))


DECODED = {
    "CMYK": saved("CMYK"),
    "turned": with_segment(exif(3)),
    "noise": encode_jpeg(np.random.default_rng(1).integers(0, 256, (1200, 1600, 3), np.uint8), 100),
}
"""JPEGs that OpenCV decodes. The last one does not fit into a frame."""
UNUSABLE = {
    "truncated": PLAIN[:-40],
    "lossless": with_frame(0xC3),
    "arithmetic coding": with_frame(0xC9),
    "12 bits": with_frame(0xC1, 12),
    "no scan": PLAIN[: PLAIN.index(b"\xff\xda")],
    "no quantization": without(0xDB),
    "no frame": without(0xC0),
    "progressive without tables": without(0xC4, UPRIGHT["progressive"]),
    "0 px wide": with_size(90, 0),
    "20000 px wide": with_size(90, 20_000),
    "196 million px": with_size(12_000, 16_384),
    "16 million fill bytes": b"\xff\xd8" + b"\xff" * 2**24,
    "4 million segments": b"\xff\xd8" + b"\xff\xe0\0\2" * 2**22,
    "many entries of EXIF": b"\xff\xd8" + (b"\xff\xe1\xff\xffExif\0\0MM\0\x2a\0\0\0\x08\xff\xff" + b"x" * 65_517) * 200,
}


@pytest.mark.parametrize("picture", DECODED.values(), ids=DECODED)
def test_other_jpegs_are_decoded(picture: bytes) -> None:
    """They become the frames that they were when all pictures were decoded."""
    lazy, still = JpegPicture(picture), open_still(picture)
    assert lazy.jpeg is still.jpeg is None
    assert np.array_equal(lazy.pixels(), decode(picture))
    assert np.array_equal(still.pixels(), decode(picture))


@pytest.mark.parametrize("picture", UNUSABLE.values(), ids=UNUSABLE)
def test_unusable_jpegs(picture: bytes) -> None:
    """They are never passed on, and cost one picture and little time."""

    def decode_lazily() -> None:
        one = JpegPicture(picture)
        assert one.jpeg is None
        one.pixels()

    for use in (lambda: open_still(picture), decode_lazily):
        with pytest.raises(UnusablePicture):
            use()


def test_a_large_jpeg_is_decoded_at_half_its_sides() -> None:
    """A phone's 48 million pixels become 12 million, upright: a classifier takes no more than 16 million."""
    large = hostile.saved((8064, 6048), "jpeg", exif=exif(6)[4:])
    picture = JpegPicture(large)
    assert picture.jpeg is None
    assert picture.size == picture.pixels().shape[1::-1] == (3024, 4032)
    assert picture.thumbnail().shape == (80, 60)
    with pytest.raises(UnusablePicture, match="takes 182 MB to decode"):
        open_still(hostile.saved((8064, 6048), "jpeg", progressive=True))


@given(st.binary(max_size=300) | st.builds(lambda body: b"\xff\xd8\xff" + body, st.binary(max_size=300)), st.randoms())
@example(b"", random.Random(1))
def test_any_bytes(data: bytes, chance: random.Random) -> None:
    """Bytes, and JPEGs with damaged bytes, are unusable or have a size; what is passed on has a beginning and an end."""
    damaged = bytearray(chance.choice([*UPRIGHT.values(), with_segment(exif(6, "little"))]))
    for _ in range(chance.randrange(20)):
        damaged[chance.randrange(min(700, len(damaged)))] = chance.choice((0, 1, 0xC4, 0xD9, 0xDA, 0xFE, 0xFF))
    for one in (data, bytes(damaged), bytes(damaged[: chance.randrange(len(damaged))])):
        try:
            picture = JpegPicture(one)
        except UnusablePicture:
            continue
        assert all(0 < side <= MAX_SIDE for side in picture.size)
        passed = picture.jpeg
        assert passed is None or (passed[:2], passed[-2:]) == (b"\xff\xd8", b"\xff\xd9")
        assert len(passed or b"") <= MAX_BYTES


@pytest.mark.parametrize("order", ["big", "little"])
@pytest.mark.parametrize("orientation", range(10))
def test_exif_orientation(orientation: int, order: str) -> None:
    """The size, the pixels and the thumbnail are upright, as browsers show the picture. Only an upright one is passed on."""
    picture = JpegPicture(with_segment(exif(orientation, order)))
    is_turned = 2 <= orientation <= 8
    assert (picture.jpeg is None) == is_turned
    assert picture.size == (SIZE[::-1] if 5 <= orientation <= 8 else SIZE)
    assert picture.pixels().shape[1::-1] == picture.size
    assert picture.thumbnail().shape[::-1] == (picture.size[0] // 2, picture.size[1] // 2)
    shown = Image.open(BytesIO(with_segment(exif(orientation, order))))
    red = {1: (0, 0), 2: (0, -1), 3: (-1, -1), 4: (-1, 0), 5: (0, 0), 6: (0, -1), 7: (-1, -1), 8: (-1, 0)}
    assert shown.getexif().get(0x0112) == orientation
    blue, green, value = picture.pixels()[red[orientation if is_turned else 1]].tolist()
    assert max(blue, green) < 60
    assert value > 200


@pytest.mark.parametrize(
    ("segments", "is_turned"),
    [
        pytest.param(exif(6).replace(b"Exif\0\0", b"Exif\0x"), True, id="fill byte"),
        pytest.param(exif(6).replace(b"Exif\0\0", b"E\xbdif\0\0"), True, id="damaged mark"),
        pytest.param(b"\xff\xe1\0\x0cmetadata\0\0" + exif(6), False, id="behind other metadata"),
        pytest.param(b"\xff\xe1\0\2" + exif(6), False, id="behind an empty segment"),
        pytest.param(exif(6) + exif(1), True, id="twice"),
        pytest.param(exif(6).replace(b"MM", b"MX"), True, id="damaged order"),
        pytest.param(exif(6).replace(b"MM\0*", b"MM\0+"), False, id="no TIFF"),
    ],
)
def test_unusual_exif(segments: bytes, is_turned: bool) -> None:
    """The size is that of the pixels that OpenCV gives. Only a picture that it leaves upright is passed on."""
    picture = JpegPicture(with_segment(segments))
    assert picture.pixels().shape[1::-1] == picture.size == (SIZE[::-1] if is_turned else SIZE)
    assert (picture.jpeg is None) == is_turned


SECRET = with_segment(exif(1, thumbnail=SMALL) + b"\xff\xfe\x00\x0bcomment x")
"""A picture with a thumbnail and a comment."""


@pytest.mark.parametrize(
    ("preparation", "is_passed"),
    [
        (Preparation(), True),
        (Preparation(width=160), True),
        (Preparation(width=80), False),
        (Preparation(rotate=90), False),
        (Preparation(gray=True), False),
        (Preparation(region=Region(0.0, 0.0, 0.5, 0.5)), False),
        (Preparation(mask=lambda: [((0.0, 0.0), (1.0, 0.0), (1.0, 0.5), (0.0, 0.5))]), False),
    ],
)
def test_a_prepared_frame_contains_nothing_of_the_picture_before(preparation: Preparation, is_passed: bool) -> None:
    """No thumbnail or comment of the camera stays in a frame that is masked, resized, turned or grey."""
    frame = Framer("door", RateLimiter(10), preparation, 80).make_frame(CapturedPicture(JpegPicture(SECRET), 5000.0, 100.0))
    assert frame
    assert (frame.jpeg == SECRET) == is_passed
    assert (frame.height, frame.width) == decode(frame.jpeg).shape[:2]
    assert [part in frame.jpeg for part in (SMALL, b"Exif", b"comment")] == [is_passed] * 3
    assert frame.jpeg.count(b"\xff\xd8\xff") == (2 if is_passed else 1)


def test_a_folder_of_odd_pictures(tmp_path: Path) -> None:
    """Every readable picture of a folder is shown: JPEGs as they are where possible, others as OpenCV decodes them."""
    deep = np.random.default_rng(2).integers(0, 65_536, (61, 81, 4), np.uint16)
    files = {
        "a-16bit.png": cv2.imencode(".png", deep[..., :3])[1].tobytes(),
        "b-grey.png": cv2.imencode(".png", deep[..., 0])[1].tobytes(),
        "c-transparent.png": cv2.imencode(".png", deep)[1].tobytes(),
        "d.webp": cv2.imencode(".webp", SCENE, [cv2.IMWRITE_WEBP_QUALITY, 90])[1].tobytes(),
        "e.tiff": cv2.imencode(".tiff", deep[..., :3])[1].tobytes(),
        "f-none.jpg": b"no picture",
        "g-cmyk.jpg": DECODED["CMYK"],
        "h-turned.jpeg": with_segment(exif(6)),
        "i-truncated.jpg": UNUSABLE["truncated"],
        "j-progressive.JPG": UPRIGHT["progressive"],
        "k-padded.jpg": PLAIN + bytes(700),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    shown = [one for one in LocalFile(str(tmp_path), SourceOptions(clock=Clock())).pictures() if one is not None]
    assert [one.jpeg for one in shown] == [None] * 7 + [UPRIGHT["progressive"], PLAIN]
    readable = [content for name, content in files.items() if name not in ("f-none.jpg", "i-truncated.jpg")]
    assert all(np.array_equal(one.pixels(), decode(content)) for one, content in zip(shown, readable, strict=True))
    assert [one.size for one in shown] == [decode(content).shape[1::-1] for content in readable]
