"""From JPEG to tensor."""

import struct

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus import InvalidMessage
from classifier.preprocess import ImageInput, decode, decode_any
from tests.support import samples


def test_a_picture_comes_back() -> None:
    """Height x width x 3, blue first, also of a grey JPEG, as CONVERT_TO_GRAY sends them."""
    blue = np.zeros((48, 64, 3), np.uint8)
    blue[..., 0] = 200
    picture = decode(cv2.imencode(".jpg", blue)[1].tobytes())
    assert picture.shape == (48, 64, 3)
    assert abs(picture.reshape(-1, 3).mean(0) - [200, 0, 0]).max() < 5
    assert decode(cv2.imencode(".jpg", np.full((20, 30), 90, np.uint8))[1].tobytes()).shape == (20, 30, 3)


PNG = cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes()


@pytest.mark.parametrize("jpeg", [PNG, *(samples.jpeg()[:cut] for cut in (0, 1, 2, 100, -1, -2))])
def test_other_files_and_truncated_ones_are_refused(jpeg: bytes) -> None:
    """A frame holds a JPEG; one that ends too early is not filled up with grey."""
    with pytest.raises(InvalidMessage, match="not a whole JPEG"):
        decode(jpeg)


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


def test_a_picture_that_says_it_is_huge_is_not_decoded() -> None:
    """A few bytes that announce 30,000 x 30,000 pixels are refused before memory is taken for them."""
    size = struct.pack(">HH", 48, 64)
    assert samples.jpeg().count(size) == 1
    with pytest.raises(InvalidMessage, match="at most 16000000 pixels"):
        decode(samples.jpeg().replace(size, struct.pack(">HH", 30_000, 30_000)))


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


FLOAT = np.dtype("float32")


@pytest.mark.parametrize("is_whole", [False, True])
@pytest.mark.parametrize("size", [(227, 227), (224, 224), (256, 256), (300, 300), (128, 96)])
@pytest.mark.parametrize("shape", [(480, 640), (640, 480), (100, 100), (1080, 1920), (31, 500)])
def test_the_tensor_fits_the_model(shape: tuple[int, int], size: tuple[int, int], is_whole: bool) -> None:
    """Whatever the picture's shape, the tensor is the model's: one picture, 32-bit floats from 0 to 255."""
    picture = np.full((*shape, 3), 77, np.uint8)
    tensor = ImageInput(*size, FLOAT, is_whole=is_whole).tensor(picture)
    assert tensor.shape == (1, size[1], size[0], 3)
    assert tensor.dtype == np.float32
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


@pytest.mark.parametrize(
    ("takes", "size", "reduction"),
    [
        (ImageInput(227, 227, FLOAT), (640, 480), 1),
        (ImageInput(227, 227, FLOAT), (1280, 720), 2),
        (ImageInput(227, 227, FLOAT), (1024, 1920), 4),
        (ImageInput(227, 227, FLOAT), (1920, 1023), 2),
        (ImageInput(227, 227, FLOAT), (16000, 12000), 8),
        (ImageInput(300, 300, FLOAT), (1280, 599), 1),
        (ImageInput(320, 320, FLOAT, is_whole=True), (640, 480), 1),
        (ImageInput(320, 320, FLOAT, is_whole=True), (1280, 720), 2),
        (ImageInput(320, 320, FLOAT, is_whole=True), (2560, 1280), 4),
    ],
)
def test_large_pictures_are_decoded_smaller(takes: ImageInput, size: tuple[int, int], reduction: int) -> None:
    """By as much as leaves at least the pixels that the model is given."""
    assert takes.reduction(*size) == reduction


@pytest.mark.parametrize("reduction", [2, 4, 8])
def test_a_reduced_picture_is_the_same_smaller(reduction: int) -> None:
    """Its sides are so many times shorter, and what the model gets is nearly the same."""
    y, x = np.mgrid[:1024, :1536]
    picture = np.stack([x / 1536 * 255, y / 1024 * 255, 128 + 100 * np.sin(x / 90) * np.cos(y / 70)], -1).astype(np.uint8)
    reduced = decode(cv2.imencode(".jpg", picture)[1].tobytes(), reduction)
    assert reduced.shape == (1024 // reduction, 1536 // reduction, 3)
    takes = ImageInput(64, 64, FLOAT, is_whole=True)
    assert abs(takes.tensor(reduced) - takes.tensor(picture)).max() < 8


def test_a_detector_sees_all() -> None:
    """The whole frame is scaled, so that its corners are the tensor's."""
    picture = np.zeros((100, 400, 3), np.uint8)
    picture[:50, :200] = 255
    tensor = ImageInput(40, 20, FLOAT, is_whole=True).tensor(picture)[0]
    assert (tensor[:10, :20] == 255).all()
    assert tensor.sum() == 10 * 20 * 3 * 255


@pytest.mark.parametrize(
    ("takes", "expected"),
    [
        (ImageInput(2, 2, FLOAT), [10.0, 20.0, 255.0]),
        (ImageInput(2, 2, FLOAT, is_rgb=True), [255.0, 20.0, 10.0]),
        (ImageInput(2, 2, FLOAT, mean=127.5, scale=127.5), [(10 - 127.5) / 127.5, (20 - 127.5) / 127.5, 1.0]),
        (ImageInput(2, 2, np.dtype("uint8"), (1.0, 0)), [10, 20, 255]),
        (ImageInput(2, 2, np.dtype("int8"), (1.0, -128)), [-118, -108, 127]),
        (ImageInput(2, 2, np.dtype("uint8"), (1 / 128, 128), mean=128, scale=128), [10, 20, 255]),
        (ImageInput(2, 2, np.dtype("int8"), (1 / 255, -128), is_rgb=True, scale=255.0), [127, -108, -118]),
        (ImageInput(2, 2, np.dtype("int8"), (0.01, 0), scale=100.0), [10, 20, 127]),
    ],
)
def test_as_the_model_takes_it(takes: ImageInput, expected: list[float]) -> None:
    """Colour order, range and whole numbers; what is out of their range is at its end."""
    picture = np.full((4, 4, 3), (10, 20, 255), np.uint8)
    tensor = takes.tensor(picture)
    assert tensor.dtype == takes.dtype
    assert tensor[0, 1, 1].tolist() == pytest.approx(expected, abs=1e-6)
