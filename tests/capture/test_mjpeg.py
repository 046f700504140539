"""JPEGs found in a byte stream."""

import time

import cv2
import numpy as np
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from capture.drivers.mjpeg import find_jpegs
from capture.pictures.prepare import encode_jpeg
from tests.support import videos
from tests.support.wait import limit

LIMIT = 1_000_000
SMALL = encode_jpeg(videos.numbered(1, 16, 16), 80)
EXIF = b"\xff\xe1" + (2 + len(SMALL)).to_bytes(2, "big") + SMALL
"""A segment with a small picture in it, like those of cameras."""
WITH_EXIF = [whole[:2] + EXIF + whole[2:] for whole in (encode_jpeg(videos.numbered(number), 80) for number in range(3))]
STRIPED = cv2.GaussianBlur(videos.numbered(3), (3, 3), 0)
STRIPED[:, ::3] = 255
OF_SEVERAL_SCANS = cv2.imencode(".jpg", STRIPED, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
GOOD = [*WITH_EXIF, OF_SEVERAL_SCANS]
WRONG_LENGTH = b"\r\n--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 99999\r\n\r\n"
HEADS = [b"", WRONG_LENGTH, b"--frame\n\n", bytes(700), b"\xff\xd8 \xff\xff\xff"]
BEGIN = b"\xff\xd8\xff\xda\x00\x02"
"""The beginning of a JPEG."""
generating = settings(phases=[Phase.explicit, Phase.reuse, Phase.generate])


def found(stream: bytes, size: int) -> list[bytes]:
    """Returns the JPEGs found in a stream of chunks of this size."""
    chunks = (stream[at : at + size] for at in range(0, len(stream), size))
    return [one for one in find_jpegs(chunks, LIMIT) if one is not None]


@generating
@given(
    st.lists(st.tuples(st.sampled_from(HEADS), st.integers(0, 3), st.none() | st.integers(0, 200)), max_size=6),
    st.integers(100, 5000),
)
def test_whole_pictures_are_found(parts: list[tuple[bytes, int, int | None]], size: int) -> None:
    """All complete pictures are found, with anything between them and any split of the bytes. Truncated ones hide no other."""
    stream = b""
    for head, number, cut in parts:
        picture = GOOD[number]
        scan = picture.rindex(b"\xff\xda") + 14
        stream += head + (picture if cut is None else picture[: min(scan + cut, len(picture) - 2)])
    assert [GOOD.index(one) for one in found(stream, size)] == [number for _, number, cut in parts if cut is None]


@generating
@given(st.lists(st.binary(max_size=300) | st.sampled_from([b"\xff\xd8\xff", *GOOD]), max_size=8), st.integers(100, 3000))
def test_after_any_bytes_pictures_are_found_again(garbage: list[bytes], size: int) -> None:
    """After garbage, pictures are found within the 64 KB that an invalid header can claim."""
    tail = [GOOD[0]] * (70_000 // len(GOOD[0]) + 2)
    is_found = found(b"".join([*garbage, *tail]), size)[-1:] == [GOOD[0]]
    assert is_found


def test_endless_data_does_not_fill_the_memory() -> None:
    """Data without a picture is dropped at the limit, and the next picture is found."""
    for filler in ((BEGIN + b"x" * 100_000) * 30, bytes(range(255)) * 10_000, BEGIN + b"x" * 2_000_000):
        pictures = found(filler + b"\xff\xd9" + GOOD[0] + GOOD[1], 65536)
        assert pictures[-2:] == GOOD[:2]
        assert max(map(len, pictures)) <= LIMIT


def test_small_chunks_are_searched_once() -> None:
    """The time to find a large picture does not grow with the number of chunks in which it comes."""
    noise = np.random.default_rng(1).integers(0, 256, (1000, 1000, 3), np.uint8)
    picture, began_at = encode_jpeg(noise, 90), time.process_time()
    assert len(picture) > 700_000
    assert found(picture * 4, 50) == [picture] * 4
    assert time.process_time() - began_at < limit(1)
