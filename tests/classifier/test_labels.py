"""Tests of reading labels, in the notations of all tools."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import InvalidExport
from classifier.labels import parse_json, parse_labels, without_numbers
from classifier.visitors import means_nobody, visitor_labels

LABELS = ("man", "Äpfel", "empty street", "\u0627\u0645\u0631\u0623\u0629", "\U0001f469\u200d\U0001f9b0 woman")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["unmarked", "marked"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\u00a0\n\u200f", " \r\n\u200b"])
@pytest.mark.parametrize("last", ["", "\n", "\r\n\r\n", "\n\t\r\n"])
def test_labels_of_any_system(encoding: str, mark: str, end: str, last: str) -> None:
    """All encodings, line ends, trailing blank lines, no-break spaces and invisible characters give the same labels."""
    text = mark + end.join(LABELS).replace("empty ", "empty\u00a0") + last
    assert parse_labels(text.encode(encoding)) == LABELS


FAR = (*(f"{number} class {number}" for number in range(11)), "5000 far")
CORAL = tuple(f"{number}  class {number}" for number in (*range(12), 13, 15))
PLACED = (*(f"class {number}" for number in range(12)), "???", "class 13", "???", "class 15")


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (("0 Woman", "1 Man", "2 Nobody"), ("Woman", "Man", "Nobody")),
        (("0: person", "1: car"), ("person", "car")),
        (("1 person", "2 car"), ("person", "car")),
        (("0 ???", "1 person", "2 ???"), ("???", "person", "???")),
        (("0 Woman",), ("Woman",)),
        (CORAL, PLACED),
        *(
            (same, same)
            for same in [("1 person",), ("0 people", "1 people"), ("1 person", "3 cars"), ("0 a", "b"), ("2 a", "3 b"), ()]
        ),
        *((same, same) for same in [FAR, ("0", "1"), ("0 a", "0 b"), ("1 a", "0 b"), ("0x", "1x"), ("0 a", "2 b", "4 c")]),
    ],
)
def test_numbers_before_labels(labels: tuple[str, ...], expected: tuple[str, ...]) -> None:
    """Numbers that count the lines from 0 or 1 are removed, unless they are all that tells two labels apart.

    A long list may skip numbers, as Coral's list of COCO's classes does. Other numbers belong to the labels.
    """
    assert without_numbers(labels) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b'["man", "woman"]', ("man", "woman")),
        (b'["man", "a\\ud800"]', "label 2: .*ud800.*must not contain control characters or half of a character"),
        (b'\xef\xbb\xbf["man"]', ("man",)),
        (b'{"1": "woman", "0": " man\xc2\xa0"}', ("man", "woman")),
        (b"[", "not JSON"),
        (b"\xff", "line 1: not UTF-8"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "must be a list"),
        (b'{"0": "a", "2": "b"}', "must be a list"),
        (b"[1]", "must be a list"),
        (b'["a", "a"]', "label 2: 'a' occurs twice"),
        (b'["a", ""]', "label 2: is blank"),
        (b'{"0": "a", "1" : ["a"]}', "must be a list"),
        (json.dumps([str(number) for number in range(10_001)]).encode(), "more than 10000"),
    ],
)
def test_labels_in_json(text: bytes, expected: tuple[str, ...] | str) -> None:
    """labels.json has a list, or an object with the labels of all numbers from 0."""
    if isinstance(expected, tuple):
        assert parse_json(text) == expected
    else:
        with pytest.raises(InvalidExport, match=rf"labels\.json: {expected}"):
            parse_json(text)


@given(
    st.binary(max_size=400)
    | st.text(max_size=100).map(str.encode)
    | st.text(max_size=100).map(lambda text: text.encode("utf-16"))
)
def test_any_labels(text: bytes) -> None:
    """Any bytes give labels that fit a message, or an `InvalidExport` of one line."""
    for parse in (parse_labels, parse_json):
        try:
            labels = without_numbers(parse(text))
        except InvalidExport as error:
            assert str(error).isprintable()
        else:
            assert labels
            assert all(0 < len(label) <= 256 and label.isprintable() == label.isprintable() for label in labels)


@pytest.mark.parametrize(
    "label", ["Nobody", "NONE", "[Negative]", "negative", "background", "Empty", "(empty)", "__background__", "???"]
)
def test_every_spelling_of_nobody(label: str) -> None:
    """Case and brackets do not matter. A placeholder of a label map is no visitor either."""
    assert means_nobody(label)
    assert visitor_labels(("woman", label), (), ("Negative", "nobody", "none", "background", "empty")) == {"woman"}
