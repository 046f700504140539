"""From JPEG to tensor."""

import struct

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus import InvalidMessage
from classifier.preprocess import decode, to_tensor
from tests.support import samples


def test_a_picture_comes_back() -> None:
    """Height x width x 3, blue first."""
    blue = np.zeros((48, 64, 3), np.uint8)
    blue[..., 0] = 200
    picture = decode(cv2.imencode(".jpg", blue)[1].tobytes())
    assert picture.shape == (48, 64, 3)
    assert abs(picture.reshape(-1, 3).mean(0) - [200, 0, 0]).max() < 5


def test_a_grey_jpeg_gets_three_channels() -> None:
    """What CONVERT_TO_GRAY sends is taken."""
    picture = decode(cv2.imencode(".jpg", np.full((20, 30), 90, np.uint8))[1].tobytes())
    assert picture.shape == (20, 30, 3)


@pytest.mark.parametrize("cut", [0, 1, 2, 100, -1, -2])
def test_truncated_pictures_are_refused(cut: int) -> None:
    """A JPEG that ends too early is refused, not filled up with grey."""
    with pytest.raises(InvalidMessage, match="jpeg"):
        decode(samples.jpeg()[:cut])


@pytest.mark.parametrize("kind", [".png", ".bmp"])
def test_only_jpeg_is_taken(kind: str) -> None:
    """A frame holds a JPEG; other formats, which OpenCV would read as well, are refused."""
    with pytest.raises(InvalidMessage, match="not a whole JPEG"):
        decode(cv2.imencode(kind, np.zeros((8, 8, 3), np.uint8))[1].tobytes())


def test_a_picture_that_says_it_is_huge_is_not_decoded() -> None:
    """A few bytes that announce 30,000 x 30,000 pixels are refused before memory is taken for them."""
    jpeg = bytearray(samples.jpeg())
    start = jpeg.index(b"\xff\xc0")
    jpeg[start + 5 : start + 9] = struct.pack(">HH", 30_000, 30_000)
    with pytest.raises(InvalidMessage, match="at most 50000000 pixels"):
        decode(bytes(jpeg))


@given(st.binary(max_size=300), st.integers(0, 600))
def test_damaged_pictures(damage: bytes, where: int) -> None:
    """Damage anywhere inside gives a picture or an InvalidMessage, nothing else."""
    jpeg = samples.jpeg()
    damaged = b"\xff\xd8" + (jpeg[2:where] + damage + jpeg[where + len(damage) : -2]) + b"\xff\xd9"
    try:
        picture = decode(damaged)
    except InvalidMessage:
        return
    assert picture.ndim == 3


@pytest.mark.parametrize("size", [(227, 227), (224, 224), (256, 256), (300, 300), (128, 96)])
@pytest.mark.parametrize("shape", [(480, 640), (640, 480), (100, 100), (1080, 1920), (31, 500)])
def test_the_tensor_fits_the_model(shape: tuple[int, int], size: tuple[int, int]) -> None:
    """Whatever the picture's shape, the tensor is the model's: one picture, 32-bit floats from 0 to 255."""
    picture = np.full((*shape, 3), 77, np.uint8)
    tensor = to_tensor(picture, size)
    assert tensor.shape == (1, size[1], size[0], 3)
    assert tensor.dtype == np.float32
    assert (tensor == 77).all()


def test_the_middle_is_seen() -> None:
    """Of a wide picture the outer parts are cut off, of the square a margin of 14/256; the middle stays in the middle."""
    picture = np.zeros((256, 512, 3), np.uint8)
    picture[:, :128] = picture[:, -128:] = 255  # outside the centred square
    picture[120:136, 248:264] = (10, 20, 30)
    tensor = to_tensor(picture, (227, 227))[0]
    assert tensor.max() == 30
    assert tensor[113, 113].tolist() == [10, 20, 30]
    margin = np.zeros((256, 256, 3), np.uint8)
    margin[:14] = margin[:, :14] = 255
    assert to_tensor(margin, (227, 227)).max() == 0
    margin[14, 14] = 255
    assert to_tensor(margin, (227, 227))[0, 0, 0, 0] == 255
