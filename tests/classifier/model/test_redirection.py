"""Answers that lead elsewhere."""

from pathlib import Path

import pytest

from classifier.model import DownloadRefused
from tests.classifier.model.loading import cut_short, load
from tests.classifier.model.server import SECRET, Handler, Server, endless, status


@pytest.mark.parametrize("steps", [1, 3])
def test_redirections_are_followed(server: Server, tmp_path: Path, steps: int) -> None:
    """Three at most, to another path too, and with the range that is asked for."""
    cut_short(server, tmp_path / "a.zip")
    server.answers += [status(307, Location=f"/elsewhere?sig={SECRET}")] * steps
    load(server, tmp_path / "a.zip")
    assert server.requests[-1]["Range"] == "bytes=5000-"
    assert len(server.requests) == 2 + steps


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://127.0.0.1/a.zip?sig=", "https is needed"),
        ("ftp://127.0.0.1/a.zip?sig=", "https is needed"),
        ("https://user:password@127.0.0.1/a.zip?sig=", "a user or password"),
        ("https://example.org%3fsig=", "names no host"),
        ("https://[/a.zip?sig=", "ValueError"),
        ("https:///a.zip?sig=", "answers 404"),
        ("https://127.0.0.1/ü.zip?sig=", "RFC 3986"),
        ("//127.0.0.1:99999/?sig=", "cannot be read"),
    ],
)
def test_redirections_elsewhere_are_final(server: Server, tmp_path: Path, location: str, reason: str) -> None:
    """To http, with a password, or to nowhere; where they lead is not told."""
    server.answers += [status(302, Location=location + SECRET), status(404)]
    with pytest.raises(DownloadRefused, match=reason):
        load(server, tmp_path / "a.zip")


def test_what_comes_with_a_redirection_is_not_read(server: Server, tmp_path: Path) -> None:
    """However much it is."""

    def endless_redirection(handler: Handler) -> None:
        handler.send_response(302)
        handler.send_header("Location", "/elsewhere")
        endless(handler)

    server.answers.append(endless_redirection)
    load(server, tmp_path / "a.zip")
    assert len(server.requests) == 2


def test_redirections_without_end_are_final(server: Server, tmp_path: Path) -> None:
    """A fourth is not followed, nor is one to nowhere."""
    server.answers += [status(302, Location=f"/?sig={SECRET}")] * 4
    with pytest.raises(DownloadRefused, match="more than 3 redirections"):
        load(server, tmp_path / "a.zip")
    server.answers.append(status(302))
    with pytest.raises(DownloadRefused, match="answers 302"):
        load(server, tmp_path / "a.zip")
