"""The screen, and its recovery from a failing matrix."""

from display.icons import BUILT_IN, read_icons
from display.matrix import Matrix, MatrixLost
from display.pixels import DARK, Picture
from display.screen import Screen
from runtime.backoff import Backoff


class FlakyMatrix(Matrix):
    """A matrix that fails while `broken`."""

    def __init__(self) -> None:
        self.shown: list[Picture] = []
        self.broken = True
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


def test_a_change_is_drawn_and_published_once() -> None:
    """Pixels are published even while the matrix is lost. A reopened matrix shows the current picture."""
    matrix, icons = FlakyMatrix(), read_icons(BUILT_IN)
    published: list[tuple[str, Picture]] = []
    states: list[tuple[str, str]] = []
    screen = Screen(
        matrix,
        icons,
        lambda label, picture: published.append((label, picture)),
        lambda state, detail: states.append((state, detail)),
        Backoff(0.0, 0.0),
    )
    apple, banana, lemon = (icons.picture(label) for label in ("Apple", "Banana", "Lemon"))
    with screen:
        screen.show("Apple")
        assert {*states} == {("matrix-lost", "not plugged in")}
        matrix.broken = False
        for label in ("Apple", "Apple", "Banana", None, None, "Apple"):
            screen.show(label)
        assert states[-1] == ("running", "")
        matrix.broken = True
        screen.show("Banana")
        assert states[-1] == ("matrix-lost", "pulled out")
        screen.show("Lemon")
        assert states[-1] == ("matrix-lost", "not plugged in")
        matrix.broken = False
        screen.show("Lemon")
        assert states[-1] == ("running", "")
    assert matrix.shown == [apple, banana, DARK, apple, lemon, DARK]
    assert matrix.opened == 2
    assert [label for label, _ in published] == ["", "Apple", "Banana", "", "Apple", "Banana", "Lemon", ""]
    assert [picture for _, picture in published] == [DARK, apple, banana, DARK, apple, banana, lemon, DARK]
