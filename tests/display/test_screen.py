"""The screen: what goes where, and what happens when the matrix fails."""

import pytest

from display.icons import OWN, read_icons
from display.matrix import MatrixLost
from display.pixels import DARK, Picture
from display.screen import Screen


class Flaky:
    """A matrix that fails when told to."""

    def __init__(self) -> None:
        self.shown: list[Picture] = []
        self.broken = False
        self.opened = 0

    def __enter__(self) -> "Flaky":
        if self.broken:
            raise MatrixLost("not plugged in")
        self.opened += 1
        return self

    def __exit__(self, *_: object) -> None:
        self.show(DARK)

    def show(self, picture: Picture) -> None:
        """Keeps the picture."""
        if self.broken:
            raise MatrixLost("pulled out")
        self.shown.append(picture)


class Setup:
    """A screen whose words are kept."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("display.screen.Backoff.next", lambda self: 0.0)
        self.matrix = Flaky()
        self.icons = read_icons(OWN)
        self.published: list[tuple[str, Picture]] = []
        self.told: list[tuple[str, str]] = []
        self.screen = Screen(
            self.matrix,
            self.icons,
            lambda label, picture: self.published.append((label, picture)),
            lambda state, detail: self.told.append((state, detail)),
        )


def test_a_change_is_drawn_and_published_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking again and again at the same label changes nothing; it begins and ends dark."""
    setup = Setup(monkeypatch)
    with setup.screen:
        for label in (None, "Apple", "Apple", "Apple", "Banana", None, None):
            setup.screen.show(label)
    assert [label for label, _ in setup.published] == ["", "Apple", "Banana", "", ""]
    expected = [DARK, setup.icons.picture("Apple"), setup.icons.picture("Banana"), DARK, DARK]
    assert setup.matrix.shown == expected
    assert setup.told == [("running", "")]


def test_a_matrix_that_fails_comes_back_with_what_it_should_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pulled out, it is told; the broker goes on getting pixels; plugged in again, it shows the label of now."""
    setup = Setup(monkeypatch)
    with setup.screen:
        setup.screen.show("Apple")
        setup.matrix.broken = True
        setup.screen.show("Banana")
        setup.screen.show("Lemon")
        assert setup.told[-1] == ("matrix-lost", "not plugged in")
        setup.matrix.broken = False
        setup.screen.show("Lemon")
        assert setup.matrix.shown[-1] == setup.icons.picture("Lemon")
        assert setup.told[-1] == ("running", "")
    assert [label for label, _ in setup.published] == ["", "Apple", "Banana", "Lemon", ""]
    assert setup.matrix.opened == 2


def test_a_missing_matrix_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that starts without its matrix publishes all the same."""
    setup = Setup(monkeypatch)
    setup.matrix.broken = True
    with setup.screen:
        setup.screen.show("Apple")
    assert [label for label, _ in setup.published] == ["", "Apple", ""]
    assert {state for state, _ in setup.told} == {"matrix-lost"}
