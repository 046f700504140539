"""The form to sign in, in the language of the browser."""

import pytest

from dashboard.sign_in_form import preferred_language, sign_in_form


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-CH,de;q=0.9,en;q=0.8", "de"),
        ("fr-CH, en;q=0.5, de;q=0.7", "de"),
        ("de;q=0, en;q=0.1", "en"),
        ("DE", "de"),
        ("fr,*;q=0.5", "en"),
        ("../../de;q=x, ;;, de ; q = 0.3", "de"),
        ("de," * 10_000, "de"),
    ],
)
def test_the_language_is_the_browsers(accepted: str, language: str) -> None:
    """The one that it prefers among the catalogues; English for all others."""
    assert preferred_language(accepted) == language
    assert f'<html lang="{language}">' in sign_in_form(accepted)


def test_all_texts_are_filled_in() -> None:
    """A problem is an alert, with its values."""
    assert "{" not in sign_in_form("de")
    assert '<p class="problem" role="alert">Versuchen Sie' not in sign_in_form("de")
    assert "Too many failed attempts. Try again in 7 s." in sign_in_form("en", "wait", seconds=7)
    assert '<p class="problem" role="alert">Falsches Passwort.</p>' in sign_in_form("de", "wrong")
