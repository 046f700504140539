"""Fetches as the tests make them, whose errors are looked through."""

import threading
import traceback
from pathlib import Path

import pytest

from bus import FootfallError
from classifier.model import DownloadFailed
from classifier.model.download import fetch
from tests.classifier.model.server import SECRET, SHA256, Server, cut


def load(server: Server, target: Path, sha256: str = SHA256) -> None:
    """A fetch that nobody stops; errors tell no secret, in no way."""
    try:
        fetch(server.url, sha256, target, threading.Event())
    except FootfallError as error:
        assert SECRET not in "".join(traceback.format_exception(error)) + repr(error) + repr(error.__dict__)
        assert error.__context__ is None
        assert error.__cause__ is None
        assert "https://127.0.0.1:" in str(error)
        raise


def cut_short(server: Server, target: Path, end: int = 5000) -> None:
    """Leaves a beginning behind."""
    server.answers.append(cut(end))
    with pytest.raises(DownloadFailed):
        load(server, target)
