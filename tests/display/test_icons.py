"""Icons and initials."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus import InvalidSetting
from display.icons import OWN, InvalidIcon, initial, load_icons, own_colour, parse_icon, read_icons
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
ICONS = read_icons(OWN)


def shape(label: str) -> tuple[bool, ...]:
    """Which dots of its initial are lit."""
    return tuple(colour != BLACK for colour in initial(label))


def test_a_users_icons_take_precedence(tmp_path: Path) -> None:
    """Rows from the top, colours from the palette, "." dark; a "#" may be a colour too."""
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
    """By their file and line; and so is a folder that does not exist."""
    (tmp_path / "leaf.txt").write_text(LEAF.replace(old, new, 1))
    for folder, problem in ((tmp_path, rf"leaf\.txt: {reason}"), (tmp_path / "none", "no such folder")):
        with pytest.raises(InvalidSetting, match=f"ICONS: .*{problem}"):
            load_icons(folder)


@given(st.text(max_size=200))
def test_any_text_is_an_icon_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidIcon):
        assert len(parse_icon(text)) == 64


@pytest.mark.parametrize("label", ["Apple", "Banana", "Lemon", "Orange", "man", "woman"])
def test_fruits_and_visitors_have_icons(label: str) -> None:
    """In any case; not mostly dark, and other than the initial."""
    picture = ICONS.picture(label)
    assert picture == ICONS.picture(label.upper()) != initial(label)
    assert sum(colour != BLACK for colour in picture) > 20


@pytest.mark.parametrize("label", ["pineapple", "../../etc/passwd", "a/b", "con", "%00", "x" * 256])
def test_labels_without_an_icon_show_their_initial(label: str) -> None:
    """Labels are compared whole (a pineapple is no apple), and are no paths."""
    assert ICONS.picture(label) == initial(label)


@pytest.mark.parametrize(
    ("label", "like"), [("Äpfel", "A"), ("é", "E"), ("7up", "7"), ("  [cat]", "C"), ("女", "?"), ("!", "?"), ("Kiwi", "Koala")]
)
def test_initials(label: str, like: str) -> None:
    """Without accents and marks; a question mark for other letters; each label in a colour of its own. No two look alike."""
    assert shape(label) == shape(like)
    assert set(initial(label)) == {BLACK, own_colour(label)}
    assert own_colour(label) == own_colour(label.upper()) != own_colour(like)
    assert len(set(map(shape, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789?"))) == 37
