"""What is told of a model beside it."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import InvalidExport
from classifier.description import Description, read_description

HERE = Path("model")


def test_nothing_told() -> None:
    """Neither file: everything follows from the model."""
    assert read_description(None, None, HERE) == Description()


def test_all_that_can_be_told() -> None:
    """Every key of footfall.toml, with a byte order mark too."""
    toml = """
        kind = "ssd"
        colour = "rgb"
        mean = 127.5
        scale = 127.5
        anchors = [[1.0, 2], [3, 4.5]]
        outputs = ["scores", "boxes", "count", "classes"]
    """
    description = read_description(b"\xef\xbb\xbf" + toml.encode(), None, HERE)
    assert description == Description(
        kind="ssd",
        colour="rgb",
        mean=127.5,
        scale=127.5,
        anchors=((1.0, 2.0), (3.0, 4.5)),
        outputs=("scores", "boxes", "count", "classes"),
    )


@pytest.mark.parametrize(
    ("toml", "reason"),
    [
        ("kind = 'pose'", "kind='pose'"),
        ("color = 'rgb'", "color='rgb': is unknown"),
        ("colour = 'RGB'", "colour='RGB'"),
        ("scale = 0", "scale=0"),
        ("mean = nan", "mean=nan"),
        ("anchors = []", "anchors"),
        ("anchors = [[1, 2, 3]]", "anchors"),
        ("anchors = [[1, -2]]", "anchors"),
        ("outputs = ['boxes', 'boxes', 'scores', 'count']", "each once"),
        ("kind = ", "not TOML"),
        ("\xff", "not TOML"),
    ],
)
def test_what_is_wrong_is_said(toml: str, reason: str) -> None:
    """The file, the key and its value."""
    with pytest.raises(InvalidExport, match=r"model/footfall\.toml: ") as error:
        read_description(toml.encode("latin-1"), None, HERE)
    assert reason in str(error.value)


def metadata(**properties: object) -> bytes:
    """Custom Vision's metadata_properties.json with these values, under their usual names."""
    names = {"colour": "Image.BitmapPixelFormat", "biases": "CustomVision.Postprocess.Yolo.Biases"}
    return json.dumps({names[key]: value for key, value in properties.items()}).encode()


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"colour": "Rgb8"}, Description(colour="rgb")),
        ({"colour": "Bgr8", "biases": "null"}, Description(colour="bgr")),
        ({"colour": "Gray8", "biases": "[]"}, Description()),
        ({"biases": "[0.5, 1, 2, 3.5]"}, Description(anchors=((0.5, 1.0), (2.0, 3.5)))),
        ({"biases": "[1, 2, 3]"}, Description()),
        ({"biases": "["}, Description()),
        ({"biases": 7, "colour": []}, Description()),
    ],
)
def test_custom_vision_tells_colour_and_anchors(properties: dict[str, object], expected: Description) -> None:
    """What it tells is taken; what it tells badly does not keep a model from being served."""
    assert read_description(None, metadata(**properties), HERE) == expected


def test_the_user_has_the_last_word() -> None:
    """footfall.toml before the metadata."""
    assert read_description(b"colour = 'bgr'", metadata(colour="Rgb8"), HERE).colour == "bgr"


@given(st.one_of(st.none(), st.binary(max_size=200)), st.one_of(st.none(), st.binary(max_size=200)))
def test_whatever_bytes(toml: bytes | None, properties: bytes | None) -> None:
    """A description or an InvalidExport, nothing else."""
    try:
        read_description(toml, properties, HERE)
    except InvalidExport as error:
        assert "\n" not in str(error)


@given(
    st.dictionaries(st.sampled_from(["colour", "biases"]), st.one_of(st.text(max_size=20), st.integers(), st.lists(st.floats())))
)
def test_whatever_metadata(properties: dict[str, object]) -> None:
    """Metadata never keeps a model from being served."""
    read_description(None, metadata(**properties), HERE)
