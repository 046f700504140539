"""Icons and initials."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus import InvalidSetting
from display.icons import OWN, InvalidIcon, file_stem, initial, load_icons, own_colour, parse_icon, read_icons
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


def shape(label: str) -> list[bool]:
    """Which dots of its initial are lit."""
    return [colour != BLACK for colour in initial(label)]


def test_an_icon_is_what_its_grid_says() -> None:
    """Rows from the top, colours from the palette, "." dark; a "#" may be a colour too."""
    icon = parse_icon(LEAF)
    assert len(icon) == 64
    assert icon[8 + 2] == icon[63] == (0, 0xA0, 0)
    assert icon[16:24] == ((0xC0, 0, 0),) * 8
    assert icon[:8] == (BLACK,) * 8


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
def test_invalid_icons(old: str, new: str, reason: str) -> None:
    with pytest.raises(InvalidIcon, match=reason):
        parse_icon(LEAF.replace(old, new, 1))


@given(st.text(max_size=200))
def test_any_text_is_an_icon_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidIcon):
        assert len(parse_icon(text)) == 64


@pytest.mark.parametrize("label", ["Apple", "Banana", "Lemon", "Orange", "man", "woman"])
def test_fruits_and_visitors_have_icons(label: str) -> None:
    """In any case; not mostly dark, and other than the initial."""
    picture = ICONS.picture(label)
    assert picture == ICONS.picture(label.upper())
    assert picture != initial(label)
    assert sum(colour != BLACK for colour in picture) > 20


def test_a_users_icons_take_precedence(tmp_path: Path) -> None:
    (tmp_path / "apple.txt").write_text(LEAF)
    (tmp_path / "granny_smith.txt").write_text(LEAF)
    icons = read_icons(tmp_path, OWN)
    assert icons.picture("Apple") == icons.picture("Granny  Smith") == parse_icon(LEAF)
    assert icons.picture("Banana") == ICONS.picture("Banana")


def test_an_invalid_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_text("nonsense here")
    for folder, reason in ((tmp_path, r"bad\.txt: line 1"), (tmp_path / "none", "no such folder")):
        with pytest.raises(InvalidSetting, match=f"ICONS: .*{reason}"):
            load_icons(folder)


@pytest.mark.parametrize("label", ["pineapple", "../../etc/passwd", "a/b", "con", "%00", "x" * 256])
def test_labels_without_an_icon_show_their_initial(label: str) -> None:
    """Labels are compared whole (a pineapple is no apple), and are no paths."""
    assert ICONS.picture(label) == initial(label)
    assert "\n" not in file_stem(label)


@pytest.mark.parametrize(
    ("label", "like"), [("Äpfel", "A"), ("é", "E"), ("7up", "7"), ("  [cat]", "C"), ("女", "?"), ("!", "?"), ("Kiwi", "Koala")]
)
def test_initials(label: str, like: str) -> None:
    """Without accents and marks; a question mark for other letters; each label in a colour of its own."""
    assert shape(label) == shape(like)
    assert set(initial(label)) == {BLACK, own_colour(label)}
    assert own_colour(label) == own_colour(label.upper()) != own_colour(like)


def test_no_two_letters_look_alike() -> None:
    assert len({tuple(shape(character)) for character in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789?"}) == 37
