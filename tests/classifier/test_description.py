"""What stands beside a model about it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import InvalidExport
from classifier.description import Description, read_description

HERE = Path("model")


def test_all_keys() -> None:
    """Every key of footfall.toml, with a byte order mark too; without a file, everything follows from the model."""
    assert read_description(None, None, HERE) == Description()
    values: dict[str, Any] = {
        "demo": True,
        "kind": "ssd",
        "colour": "rgb",
        "mean": 127.5,
        "scale": 127.5,
        "anchors": ((1.0, 2.0), (3.0, 4.5)),
        "outputs": ("scores", "boxes", "count", "classes"),
    }
    assert set(values) == set(Description.model_fields)
    toml = "\n".join(f"{key} = {json.dumps(value)}" for key, value in values.items())
    assert read_description(toml.encode("utf-8-sig"), None, HERE) == Description(**values)
    assert read_description(b"colour = 'bgr'", metadata(colour="Rgb8"), HERE).colour == "bgr"


@pytest.mark.parametrize(
    ("toml", "reason"),
    [
        ("kind = 'pose'", "kind='pose': must be one of classification, detection, ssd, yolo"),
        ("color = 'rgb'", "color='rgb': is unknown"),
        ("scale = 0", "scale=0"),
        ("mean = nan", "mean=nan"),
        ("anchors = []", "anchors"),
        ("anchors = [[1, -2]]", "anchors"),
        ("outputs = ['boxes', 'boxes', 'scores', 'count']", "each once"),
        ("kind = ", "not TOML"),
        ("\xff", "not TOML"),
    ],
)
def test_problems(toml: str, reason: str) -> None:
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
def test_custom_vision_metadata(properties: dict[str, object], expected: Description) -> None:
    """Colour and anchors are read; what cannot be read does not keep a model from being served."""
    assert read_description(None, metadata(**properties), HERE) == expected


VALUES = st.one_of(st.text(max_size=20), st.integers(), st.lists(st.floats()))
METADATA = st.dictionaries(st.sampled_from(["colour", "biases"]), VALUES).map(lambda found: metadata(**found))


@given(st.none() | st.binary(max_size=200), st.none() | st.binary(max_size=200) | METADATA)
def test_any_bytes(toml: bytes | None, properties: bytes | None) -> None:
    """A description or an InvalidExport, nothing else."""
    try:
        read_description(toml, properties, HERE)
    except InvalidExport as error:
        assert "\n" not in str(error)
