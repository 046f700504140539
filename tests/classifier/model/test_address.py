"""Addresses: which may be fetched from, how they are told, and what their models are called."""

import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.model import DownloadRefused
from classifier.model.address import name_of, unsound
from classifier.model.download import fetch
from classifier.model.wanted import refusals
from tests.classifier.model.server import SHA256
from tests.classifier.model.zips import URL
from tests.support.secrets import MARK, addresses


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://example.org/a.zip", "https is needed"),
        ("HTTPS://example.org/a.zip", ""),
        ("https://example.org", ""),
        ("https://[::1]:8443/a.zip?sig=%2B#x", ""),
        ("example.org/a.zip", "https is needed"),
        ("file:///etc/passwd", "https is needed"),
        ("https:/a.zip", "names no host"),
        ("https://:443/a.zip", "names no host"),
        ("https://example.org%3fsig=/a.zip", "names no host"),
        ("https://user@example.org/", "user or password"),
        ("https://user:word@example.org/", "user or password"),
        ("https://@example.org/", "user or password"),
        ("https://example.org:port/", "cannot be read"),
        ("https://example.org:70000/", "cannot be read"),
        ("https://[::1/", "cannot be read"),
        ("https://good.example\\@bad.example/", "RFC 3986"),
        ("https://example.org/a b.zip", "RFC 3986"),
        ("https://example.org/\n", "RFC 3986"),
        ("https://example.org/ä", "RFC 3986"),
        ("https://example.org/" + "a" * 2048, "RFC 3986"),
        ("", "RFC 3986"),
    ],
)
def test_addresses(url: str, reason: str, tmp_path: Path) -> None:
    """Which may be fetched from, and what is wrong with the others, which is refused before anything is asked of anybody."""
    assert reason in unsound(url)
    assert bool(reason) == bool(unsound(url))
    if reason:
        with pytest.raises(DownloadRefused, match=reason):
            fetch(url, SHA256, tmp_path / "a.zip", threading.Event())


@settings(deadline=None)
@given(addresses(schemes=("https", "http")))
def test_a_refusal_shows_no_secret(given: tuple[str, str]) -> None:
    """What is wrong with an address is said without the address."""
    address, _ = given
    assert MARK not in unsound(address)
    assert MARK not in repr(refusals(address, "none"))


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (URL, "people"),
        ("https://example.org/a/b/Shop%20door%20v2.ZIP?sv=1&sig=secret#x", "Shop_door_v2"),
        ("https://example.org/a.zip/", "model"),
        ("https://example.org", "model"),
        ("https://example.org/.zip", "model"),
        ("https://example.org/..", "model"),
        ("https://example.org/%2e%2e%2f%2e%2e%2fetc%2fpasswd.zip", "passwd"),
        ("https://example.org/a.zip%3Fsig=secret", "a"),
        ("https://example.org/.footfall-x.zip", "footfall-x"),
        ("https://example.org/" + "a" * 200 + ".zip", "a" * 64),
        ("https://example.org/m%C3%BC%00ller.zip", "m_ller"),
        ("https://example.org/download/token-of-the-shop", "model"),
    ],
)
def test_names(url: str, name: str) -> None:
    """The last part of the path, made safe, and never what is behind it."""
    assert name_of(url) == name


@given(st.text())
def test_names_are_safe(path: str) -> None:
    """Whatever the path is: one part, not hidden, none of the store's own."""
    name = name_of(f"https://example.org/{path}")
    assert 1 <= len(name) <= 64
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")
    assert not name.startswith(".")
