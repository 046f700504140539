"""From JPEG to tensor."""

import struct

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus import InvalidMessage
from classifier.preprocess import REDUCED, ImageInput, decode, decode_any
from tests.support import samples

FLOAT = np.dtype("float32")


def test_a_picture_is_turned_as_it_says() -> None:
    """EXIF's orientation counts: what lies on its left side is turned upright, the upper end to the right."""
    picture = np.zeros((60, 30, 3), np.uint8)
    picture[:30] = (0, 51, 204)
    jpeg = cv2.imencode(".jpg", picture)[1].tobytes()
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    turned = decode_any(jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:])
    assert decode_any(jpeg).shape == (60, 30, 3)
    assert turned.shape == (30, 60, 3)
    assert abs(turned[:, 45:].reshape(-1, 3).mean(0) - (0, 51, 204)).max() < 5
    assert turned[:, :15].max() < 5


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


@pytest.mark.parametrize("is_whole", [False, True])
@pytest.mark.parametrize("size", [(227, 227), (256, 256), (300, 300), (128, 96)])
@pytest.mark.parametrize("shape", [(480, 640), (640, 480), (100, 100), (31, 500)])
def test_the_tensor_fits_the_model(shape: tuple[int, int], size: tuple[int, int], is_whole: bool) -> None:
    """Whatever the picture's shape, the tensor is the model's: one picture, 32-bit floats from 0 to 255."""
    tensor = ImageInput(*size, FLOAT, is_whole=is_whole).tensor(np.full((*shape, 3), 77, np.uint8))
    assert (tensor.shape, tensor.dtype) == ((1, size[1], size[0], 3), np.float32)
    assert (tensor == 77).all()


def test_the_middle_is_seen() -> None:
    """Of a wide picture the outer parts are cut off, of the square a margin of 14/256; the middle stays in the middle."""
    picture = np.zeros((256, 512, 3), np.uint8)
    picture[:, :128] = picture[:, -128:] = 255  # outside the centred square
    picture[120:136, 248:264] = (10, 20, 30)
    classifier = ImageInput(227, 227, FLOAT)
    tensor = classifier.tensor(picture)[0]
    assert tensor.max() == 30
    assert tensor[113, 113].tolist() == [10, 20, 30]
    margin = np.zeros((256, 256, 3), np.uint8)
    margin[:14] = margin[:, :14] = 255
    assert classifier.tensor(margin).max() == 0
    margin[14, 14] = 255
    assert classifier.tensor(margin)[0, 0, 0, 0] == 255


def test_a_detector_sees_all() -> None:
    """The whole frame is scaled, so that its corners are the tensor's."""
    picture = np.zeros((100, 400, 3), np.uint8)
    picture[:50, :200] = 255
    tensor = ImageInput(40, 20, FLOAT, is_whole=True).tensor(picture)[0]
    assert (tensor[:10, :20] == 255).all()
    assert tensor.sum() == 10 * 20 * 3 * 255


@pytest.mark.parametrize(
    ("side", "is_whole", "size", "reduction"),
    [
        (227, False, (640, 480), 1),
        (227, False, (1280, 720), 2),
        (227, False, (1024, 1920), 4),
        (227, False, (1920, 1023), 2),
        (227, False, (16000, 12000), 8),
        (300, False, (1280, 599), 1),
        (320, True, (640, 480), 1),
        (320, True, (1280, 720), 2),
        (320, True, (2560, 1280), 4),
    ],
)
def test_large_pictures_are_decoded_smaller(side: int, is_whole: bool, size: tuple[int, int], reduction: int) -> None:
    """By as much as leaves at least the pixels that the model is given."""
    assert ImageInput(side, side, FLOAT, is_whole=is_whole).reduction(*size) == reduction


@pytest.mark.parametrize("reduction", REDUCED)
def test_a_reduced_picture_is_the_same_smaller(reduction: int) -> None:
    """Its sides are so many times shorter, and what the model gets is nearly the same; a grey one has three colours as well."""
    y, x = np.mgrid[:1024, :1536]
    picture = np.stack([x / 1536 * 255, y / 1024 * 255, 128 + 100 * np.sin(x / 90) * np.cos(y / 70)], -1).astype(np.uint8)
    takes, shape = ImageInput(64, 64, FLOAT, is_whole=True), (1024 // reduction, 1536 // reduction, 3)
    reduced = decode(cv2.imencode(".jpg", picture)[1].tobytes(), reduction)
    assert reduced.shape == decode(cv2.imencode(".jpg", picture[..., 0])[1].tobytes(), reduction).shape == shape
    assert abs(takes.tensor(reduced) - takes.tensor(picture)).max() < 8
