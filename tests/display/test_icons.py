"""Icons and initials."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus import InvalidSetting
from display.icons import BUILT_IN, InvalidIcon, initial, label_colour, load_icons, parse_icon, read_icons
from display.pixels import BLACK

LEAF = """
# A leaf on a red ground.
g = #00a000
# = #c00000

........
..g.....
########
........
........
........
........
.......g
"""
ICONS = read_icons(BUILT_IN)


def shape(label: str) -> tuple[bool, ...]:
    """Returns which pixels of the label's initial are lit."""
    return tuple(colour != BLACK for colour in initial(label))


def test_a_users_icons_take_precedence(tmp_path: Path) -> None:
    """Rows start at the top, colours come from the palette, "." is dark. "#" can be a colour too."""
    for name in ("apple", "granny_smith"):
        (tmp_path / f"{name}.txt").write_text(LEAF)
    icons, green, red = load_icons(tmp_path), (0, 0xA0, 0), (0xC0, 0, 0)
    picture = [BLACK] * 64
    picture[8 + 2] = picture[63] = green
    picture[16:24] = [red] * 8
    assert icons.picture("Apple") == icons.picture("Granny  Smith") == tuple(picture)
    assert icons.picture("Banana") == ICONS.picture("Banana")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("..g.....", "..x.....", "line 7: '..x.....'"),
        ("..g.....", "..g....", "line 7"),
        ("#00a000", "green", "line 3"),
        ("........\n..g", "..g", "7 rows"),
        ("........\n..g", "........\n........\n..g", "9 rows"),
    ],
)
def test_invalid_icons_are_explained(old: str, new: str, reason: str, tmp_path: Path) -> None:
    """The error names the file and the line. A missing folder is an error too."""
    (tmp_path / "leaf.txt").write_text(LEAF.replace(old, new, 1))
    for folder, problem in ((tmp_path, rf"leaf\.txt: {reason}"), (tmp_path / "none", "no such folder")):
        with pytest.raises(InvalidSetting, match=f"ICONS: .*{problem}"):
            load_icons(folder)


@given(st.text(max_size=200))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidIcon):
        assert len(parse_icon(text)) == 64


@pytest.mark.parametrize("label", ["Apple", "Banana", "Lemon", "Orange", "man", "woman"])
def test_fruits_and_visitors_have_icons(label: str) -> None:
    """In upper and lower case. An icon has many lit pixels, and differs from the initial."""
    picture = ICONS.picture(label)
    assert picture == ICONS.picture(label.upper()) != initial(label)
    assert sum(colour != BLACK for colour in picture) > 20


@pytest.mark.parametrize("label", ["pineapple", "../../etc/passwd", "a/b", "con", "%00", "x" * 256])
def test_labels_without_an_icon_show_their_initial(label: str) -> None:
    """Whole labels are compared ("pineapple" is not "apple"), and labels are not used as paths."""
    assert ICONS.picture(label) == initial(label)


@pytest.mark.parametrize(
    ("label", "like"), [("Äpfel", "A"), ("é", "E"), ("7up", "7"), ("  [cat]", "C"), ("女", "?"), ("!", "?"), ("Kiwi", "Koala")]
)
def test_initials(label: str, like: str) -> None:
    """Accents and punctuation are ignored; unknown letters become "?". Each label has its colour; all letters differ in shape."""
    assert shape(label) == shape(like)
    assert set(initial(label)) == {BLACK, label_colour(label)}
    assert label_colour(label) == label_colour(label.upper()) != label_colour(like)
    assert len(set(map(shape, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789?"))) == 37
