"""Addresses: which may be fetched from, how they are told, and what their models are called."""

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model import DownloadRefused
from bridge.model.address import name_of, told, unsound
from bridge.model.download import fetch
from tests.bridge.model.server import SECRET, SHA256
from tests.bridge.model.zips import URL


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


@given(st.text(max_size=40), st.sampled_from(["https://example.org/", "https://example.org", "", "//", "https://[", "https:?"]))
def test_what_is_told_has_no_query(text: str, before: str) -> None:
    """Nothing behind a question mark, fragment or user of whatever address is told, nor what would steer a terminal."""
    for mark in ("?", "#", "%3f", "%3F"):
        address = told(f"{before}{text}{mark}{SECRET}")
        assert SECRET not in address
        assert address.isprintable()
    assert SECRET not in told(f"https://user:{SECRET}@example.org/{text}")
    assert SECRET not in unsound(f"{before}{text}?{SECRET}")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (URL, "people"),
        ("https://example.org/a/b/Shop%20door%20v2.ZIP?sv=1&sig=secret#x", "Shop_door_v2"),
        ("https://example.org/a.zip/", "model"),
        ("https://example.org", "model"),
        ("https://example.org/.zip", "model"),
        ("https://example.org/..", "model"),
        ("https://example.org/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "passwd"),
        ("https://example.org/a.zip%3Fsig=secret", "a"),
        ("https://example.org/.footfall-x.zip", "footfall-x"),
        ("https://example.org/" + "a" * 200 + ".zip", "a" * 64),
        ("https://example.org/m%C3%BC%00ller.tar", "m_ller.tar"),
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
