"""The screen and its matrices: what is shown where, and what happens when the matrix fails."""

import io

import pytest

from display.icons import OWN, read_icons
from display.matrix import Matrix, MatrixLost, TerminalMatrix
from display.pixels import BLACK, DARK, Picture
from display.screen import Screen
from runtime.backoff import Backoff

ICONS = read_icons(OWN)


class FlakyMatrix(Matrix):
    """Fails while `broken`."""

    def __init__(self) -> None:
        self.shown: list[Picture] = []
        self.broken = False
        self.opened = 0

    def __enter__(self) -> "FlakyMatrix":
        if self.broken:
            raise MatrixLost("not plugged in")
        self.opened += 1
        return self

    def __exit__(self, *_: object) -> None:
        self.show(DARK)

    def show(self, picture: Picture) -> None:
        if self.broken:
            raise MatrixLost("pulled out")
        self.shown.append(picture)


class Recorded(Screen):
    """Keeps what it publishes, and its states."""

    def __init__(self) -> None:
        self.matrix = FlakyMatrix()
        self.published: list[str] = []
        self.states: list[tuple[str, str]] = []
        super().__init__(
            self.matrix,
            ICONS,
            lambda label, _picture: self.published.append(label),
            lambda state, detail: self.states.append((state, detail)),
            Backoff(0.0, 0.0),
        )


@pytest.fixture
def screen() -> Recorded:
    return Recorded()


def test_a_change_is_drawn_and_published_once(screen: Recorded) -> None:
    """It begins and ends dark."""
    with screen:
        for label in (None, "Apple", "Apple", "Apple", "Banana", None, None):
            screen.show(label)
    assert screen.published == ["", "Apple", "Banana", "", ""]
    assert screen.matrix.shown == [DARK, ICONS.picture("Apple"), ICONS.picture("Banana"), DARK, DARK]
    assert screen.states == [("running", "")]


def test_a_matrix_that_comes_back_shows_the_label_of_now(screen: Recorded) -> None:
    """Meanwhile its pixels are published all the same."""
    with screen:
        screen.show("Apple")
        screen.matrix.broken = True
        screen.show("Banana")
        screen.show("Lemon")
        assert screen.states[-1] == ("matrix-lost", "not plugged in")
        screen.matrix.broken = False
        screen.show("Lemon")
        assert screen.matrix.shown[-1] == ICONS.picture("Lemon")
        assert screen.states[-1] == ("running", "")
    assert screen.published == ["", "Apple", "Banana", "Lemon", ""]
    assert screen.matrix.opened == 2


def test_without_its_matrix_it_starts(screen: Recorded) -> None:
    screen.matrix.broken = True
    with screen:
        screen.show("Apple")
    assert screen.published == ["", "Apple", ""]
    assert {state for state, _ in screen.states} == {"matrix-lost"}


def test_a_terminal_shows_all_pixels() -> None:
    """Two rows in each line: the upper one in the characters, the lower one behind them."""
    out = io.StringIO()
    picture = ((1, 2, 3), *[BLACK] * 7, (4, 5, 6), *[BLACK] * 55)
    with TerminalMatrix(out) as matrix:
        matrix.show(picture)
    lines = out.getvalue().splitlines()
    assert [line.count("\N{UPPER HALF BLOCK}") for line in lines] == [8] * 4
    assert lines[0].startswith("\x1b[38;2;1;2;3;48;2;4;5;6m\N{UPPER HALF BLOCK}\x1b[38;2;0;0;0;48;2;0;0;0m")
    assert all(line.endswith("\x1b[0m") for line in lines)
