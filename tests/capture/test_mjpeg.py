"""JPEGs in a stream of bytes."""

import cv2
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from capture.mjpeg import find_jpegs
from capture.prepare import jpeg
from tests.support import videos

LIMIT = 1_000_000
SMALL = jpeg(videos.numbered(1, 16, 16), 80)
EXIF = b"\xff\xe1" + (2 + len(SMALL)).to_bytes(2, "big") + SMALL
"""A segment with a small picture in it, as cameras have it."""
WITH_EXIF = [whole[:2] + EXIF + whole[2:] for whole in (jpeg(videos.numbered(number), 80) for number in range(3))]
STRIPED = cv2.GaussianBlur(videos.numbered(3), (3, 3), 0)
STRIPED[:, ::3] = 255
OF_SEVERAL_SCANS = cv2.imencode(".jpg", STRIPED, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
GOOD = [*WITH_EXIF, OF_SEVERAL_SCANS]
WRONG_LENGTH = b"\r\n--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 99999\r\n\r\n"
HEADS = [b"", WRONG_LENGTH, b"--frame\n\n", bytes(700), b"\xff\xd8 \xff\xff\xff"]
BEGIN = b"\xff\xd8\xff\xda\x00\x02"
"""Of a JPEG."""
generating = settings(phases=[Phase.explicit, Phase.reuse, Phase.generate])


def found(stream: bytes, size: int) -> list[bytes]:
    """The JPEGs in a stream that comes in chunks of this size."""
    chunks = (stream[at : at + size] for at in range(0, len(stream), size))
    return [one for one in find_jpegs(chunks, LIMIT) if one is not None]


@generating
@given(
    st.lists(st.tuples(st.sampled_from(HEADS), st.integers(0, 3), st.none() | st.integers(0, 200)), max_size=6),
    st.integers(100, 5000),
)
def test_whole_pictures_are_found(parts: list[tuple[bytes, int, int | None]], size: int) -> None:
    """Whatever stands between them and however the bytes come; one that is cut off in its scan costs none but itself."""
    stream = b""
    for head, number, cut in parts:
        picture = GOOD[number]
        scan = picture.rindex(b"\xff\xda") + 14
        stream += head + (picture if cut is None else picture[: min(scan + cut, len(picture) - 2)])
    assert [GOOD.index(one) for one in found(stream, size)] == [number for _, number, cut in parts if cut is None]


@generating
@given(st.lists(st.binary(max_size=300) | st.sampled_from([b"\xff\xd8\xff", *GOOD]), max_size=8), st.integers(100, 3000))
def test_after_any_bytes_pictures_are_found_again(garbage: list[bytes], size: int) -> None:
    """Within the 64 KB that a false head can claim."""
    tail = [GOOD[0]] * (70_000 // len(GOOD[0]) + 2)
    is_found = found(b"".join([*garbage, *tail]), size)[-1:] == [GOOD[0]]
    assert is_found


@pytest.mark.parametrize(
    "filler",
    [(BEGIN + b"x" * 100_000) * 30, bytes(range(255)) * 10_000, BEGIN + b"x" * 2_000_000],
    ids=["false beginnings", "no beginning", "no end"],
)
def test_endless_bytes_fill_no_memory(filler: bytes) -> None:
    """What never becomes a picture is dropped at the limit, and the next picture is found."""
    pictures = found(filler + b"\xff\xd9" + GOOD[0] + GOOD[1], 65536)
    assert pictures[-2:] == GOOD[:2]
    assert max(map(len, pictures)) <= LIMIT
