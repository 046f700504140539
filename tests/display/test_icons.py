"""Icons and initials."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from display.icons import OWN, InvalidIcon, file_stem, parse_icon, read_icons
from display.letters import initial, own_colour
from display.pixels import BLACK, DARK, rgb_bytes

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


def test_an_icon_is_what_its_grid_says() -> None:
    """Rows from the top, colours from the palette, "." dark; a "#" may be a colour too."""
    icon = parse_icon(LEAF)
    assert len(icon) == 64
    assert icon[8 + 2] == icon[63] == (0, 0xA0, 0)
    assert icon[16:24] == ((0xC0, 0, 0),) * 8
    assert icon[:8] == (BLACK,) * 8


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("..g.....", "..x....."), "line 7: '..x.....'"),
        (("..g.....", "..g...."), "line 7"),
        (("#00a000", "green"), "line 3"),
        (("........\n..g", "..g"), "7 rows"),
        (("........\n..g", "........\n........\n..g"), "9 rows"),
    ],
)
def test_icons_that_are_refused(change: tuple[str, str], reason: str) -> None:
    """The line and what it should be are told."""
    with pytest.raises(InvalidIcon, match=reason):
        parse_icon(LEAF.replace(*change, 1))


@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    """Any text is an icon of 64 colours or refused."""
    with contextlib.suppress(InvalidIcon):
        assert len(parse_icon(text)) == 64


@pytest.mark.parametrize("label", ["Apple", "Banana", "Lemon", "Orange", "man", "woman"])
def test_fruits_and_visitors_have_icons(label: str) -> None:
    """They are found whatever the case, are not mostly dark, and differ from an initial."""
    icons = read_icons(OWN)
    picture = icons.picture(label)
    assert picture == icons.picture(label.upper())
    assert picture != initial(label)
    assert sum(colour != BLACK for colour in picture) > 20


def test_labels_are_looked_up_whole() -> None:
    """An apple is not shown for a pineapple, which has its initial."""
    assert read_icons(OWN).picture("pineapple") == initial("pineapple")


def test_own_icons_go_first(tmp_path: Path) -> None:
    """A user's file adds an icon, or replaces one that comes with the module."""
    (tmp_path / "apple.txt").write_text(LEAF)
    (tmp_path / "granny_smith.txt").write_text(LEAF)
    icons = read_icons(tmp_path, OWN)
    assert icons.picture("Apple") == icons.picture("Granny  Smith") == parse_icon(LEAF)
    assert icons.picture("Banana") == read_icons(OWN).picture("Banana")


def test_a_bad_file_is_named(tmp_path: Path) -> None:
    """The path and the line are told; a folder that is not there as well."""
    (tmp_path / "bad.txt").write_text("nonsense here")
    with pytest.raises(InvalidIcon, match=r"bad\.txt: line 1"):
        read_icons(tmp_path)
    with pytest.raises(InvalidIcon, match="no such folder"):
        read_icons(tmp_path / "none")


@pytest.mark.parametrize("label", ["../../etc/passwd", "a/b", "con", "%00", "x" * 256])
def test_labels_are_no_paths(label: str) -> None:
    """A label that looks like a path is only ever compared."""
    assert read_icons(OWN).picture(label) == initial(label)
    assert "\n" not in file_stem(label)


def test_initials_are_letters_in_a_colour_of_their_own() -> None:
    """One colour and dark; the same label always the same, another label another colour."""
    picture = initial("Kiwi")
    assert set(picture) == {BLACK, own_colour("Kiwi")}
    assert [colour != BLACK for colour in initial("Kiwi")] == [colour != BLACK for colour in initial("Koala")]
    assert own_colour("Kiwi") != own_colour("Koala")
    assert own_colour("kiwi") == own_colour("KIWI")


@pytest.mark.parametrize(("label", "like"), [("Äpfel", "A"), ("é", "E"), ("7up", "7"), ("  [cat]", "C"), ("女", "?"), ("!", "?")])
def test_initials_of_any_label(label: str, like: str) -> None:
    """Accents are left out, marks passed over; what is neither letter nor figure here is a question mark."""
    assert [colour != BLACK for colour in initial(label)] == [colour != BLACK for colour in initial(like)]


@given(st.text(min_size=1, max_size=40))
def test_every_label_shows_something(label: str) -> None:
    """No label is dark, and none fails."""
    assert read_icons(OWN).picture(label) != DARK


def test_the_letters_differ() -> None:
    """No two of the letters and metrics look alike."""
    shapes = {tuple(colour != BLACK for colour in initial(character)) for character in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789?"}
    assert len(shapes) == 37


def test_pixels_go_row_by_row() -> None:
    """Three bytes a colour, in the order of the rows."""
    assert rgb_bytes(((1, 2, 3), (4, 5, 6))) == b"\x01\x02\x03\x04\x05\x06"
