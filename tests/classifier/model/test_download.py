"""Downloads from servers that are good, bad, or not there."""

import os
import threading
import time
from pathlib import Path

import pytest
import trustme

from bus import FootfallError
from classifier.model import DownloadFailed, DownloadRefused, download
from classifier.model.download import fetch
from classifier.model.part import Part
from tests.classifier.model.loading import cut_short, load
from tests.classifier.model.server import CONTENT, SHA256, Answer, Handler, Server, endless, silent, stalled, status, trickling
from tests.classifier.model.zips import names
from tests.support.wait import limit, until


def test_a_file_arrives(server: Server, tmp_path: Path) -> None:
    """Whole, alone, and in whatever case its checksum is written; a second time it is not asked for."""
    for _ in range(2):
        load(server, tmp_path / "a.zip", SHA256.upper())
        assert (tmp_path / "a.zip").read_bytes() == CONTENT
        assert names(tmp_path) == {"a.zip"}
    assert len(server.requests) == 1
    assert server.requests[0]["Accept-Encoding"] == "identity"


def test_no_address_is_in_the_log(server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the path nor the query of a request, also of an answer whose headers cannot be read."""

    def broken(handler: Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nbroken header\r\n\r\n")
        handler.close_connection = True

    server.answers.append(broken)
    with pytest.raises(DownloadRefused):
        load(server, tmp_path / "a.zip")
    load(server, tmp_path / "a.zip")
    assert "people.zip" not in caplog.text


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503])
def test_answers_that_may_be_others_another_time(server: Server, tmp_path: Path, code: int) -> None:
    """They are told as such, keep what has come, and the next try succeeds."""
    cut_short(server, tmp_path / "a.zip")
    server.answers.append(status(code))
    with pytest.raises(DownloadFailed, match=f"^{server.root}: the server answers {code}$"):
        load(server, tmp_path / "a.zip")
    load(server, tmp_path / "a.zip")
    assert server.requests[-1]["Range"] == "bytes=5000-"


@pytest.mark.parametrize("code", [204, 206, 300, 304, 400, 401, 403, 404, 410, 416])
def test_answers_that_are_final(server: Server, tmp_path: Path, code: int) -> None:
    """Trying again cannot mend them."""
    server.answers.append(status(code))
    with pytest.raises(DownloadRefused, match=f"^{server.root}: the server answers {code}$"):
        load(server, tmp_path / "a.zip")
    assert not names(tmp_path)


def test_a_wrong_checksum_is_final(server: Server, tmp_path: Path) -> None:
    """Nothing is left of it."""
    with pytest.raises(DownloadRefused, match=f"SHA-256 is not {'0' * 64}"):
        load(server, tmp_path / "a.zip", "0" * 64)
    assert not names(tmp_path)
    assert len(server.requests) == 1


def test_too_large_is_final_before_it_is_read(server: Server, tmp_path: Path) -> None:
    """A length that is announced is enough: nothing of what would come is waited for."""

    def large(handler: Handler) -> None:
        handler.head(200, Content_Length=2**28 + 1)
        silent(handler)

    server.answers.append(large)
    begin = time.monotonic()
    with pytest.raises(DownloadRefused, match="268435457 bytes, at most 268435456 are allowed"):
        load(server, tmp_path / "a.zip")
    assert time.monotonic() - begin < limit(2)
    assert not names(tmp_path)


def test_too_large_is_final_when_it_comes(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a length, and together with what was there, no more than the limit is written."""
    monkeypatch.setattr(download, "LIMIT", len(CONTENT))
    load(server, tmp_path / "as large as may be.zip")
    monkeypatch.setattr(download, "LIMIT", 200_000)
    server.answers.append(endless)
    with pytest.raises(DownloadRefused, match="more than 200000 bytes"):
        load(server, tmp_path / "a.zip")
    cut_short_at = 150_000
    monkeypatch.setattr(download, "LIMIT", len(CONTENT))
    cut_short(server, tmp_path / "a.zip", cut_short_at)
    monkeypatch.setattr(download, "LIMIT", 200_000)
    with pytest.raises(DownloadRefused, match="307200 bytes, at most 200000"):
        load(server, tmp_path / "a.zip")
    assert names(tmp_path) == {"as large as may be.zip"}


@pytest.mark.parametrize("answer", [silent, stalled])
def test_a_silent_server_is_given_up(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Answer) -> None:
    """At the beginning and in the middle; the next try goes on."""
    monkeypatch.setattr(download, "TIMEOUT", 0.3)
    server.answers.append(answer)
    with pytest.raises(DownloadFailed, match="TimeoutError"):
        load(server, tmp_path / "a.zip")
    monkeypatch.setattr(download, "TIMEOUT", 10.0)
    load(server, tmp_path / "a.zip")
    assert ("Range" in server.requests[1]) == (answer is stalled)


def test_a_slow_server_is_given_up(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that sends just enough not to be silent."""
    monkeypatch.setattr(download, "PATIENCE", 0.5)
    server.answers.append(trickling)
    begin = time.monotonic()
    with pytest.raises(DownloadFailed, match=r"not whole within 0\.5 s"):
        load(server, tmp_path / "a.zip")
    assert 0.5 <= time.monotonic() - begin < limit(3)


def test_a_download_can_be_stopped(server: Server, tmp_path: Path) -> None:
    """Another thread ends it between two parts of the answer."""
    server.answers.append(trickling)
    stop = threading.Event()
    errors: list[FootfallError] = []

    def run() -> None:
        try:
            fetch(server.url, SHA256, tmp_path / "a.zip", stop)
        except FootfallError as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    until((tmp_path / "a.zip.part").exists, what="the part")
    stop.set()
    thread.join(limit(2))
    assert not thread.is_alive()
    assert isinstance(errors[0], DownloadFailed)
    assert "stopped" in str(errors[0])


def test_an_unknown_authority_is_not_trusted(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is asked of such a server; a wrong clock may be why, so it is tried again. A bundle that is missing is told."""
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))
    with pytest.raises(DownloadFailed, match="certificate verify failed"):
        load(server, tmp_path / "a.zip")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    with pytest.raises(DownloadFailed, match=r"none\.pem"):
        load(server, tmp_path / "a.zip")
    assert not server.requests


def test_nobody_there(authority: trustme.CA, trusted: None, tmp_path: Path) -> None:
    """A server that is gone may come back."""
    with Server(authority) as server:
        pass
    with pytest.raises(DownloadFailed, match="ConnectionRefusedError: Connection refused"):
        load(server, tmp_path / "a.zip")


def test_a_password_of_netrc_is_not_sent(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is for other programs."""
    (tmp_path / "netrc").write_text("default login user password word\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    load(server, tmp_path / "a.zip")
    assert "Authorization" not in server.requests[0]


def test_a_full_disk_is_left_to_others(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written is given up, as it would keep the disk full until the next try."""

    def begin(part: Part, tag: str) -> None:
        part.path.symlink_to("/dev/full")

    with monkeypatch.context() as patched:
        patched.setattr(Part, "begin", begin)
        with pytest.raises(DownloadFailed, match="No space left on device"):
            load(server, tmp_path / "a.zip")
    assert not names(tmp_path)
    load(server, tmp_path / "a.zip")


def test_a_folder_that_is_not_there(server: Server, tmp_path: Path) -> None:
    """What the file system says is told, and may be mended."""
    with pytest.raises(DownloadFailed, match="FileNotFoundError: No such file or directory"):
        load(server, tmp_path / "none" / "a.zip")


def test_it_is_written_for_others_to_read(server: Server, tmp_path: Path) -> None:
    """The classifier may run as another user."""
    before = os.umask(0o022)
    try:
        load(server, tmp_path / "a.zip")
    finally:
        os.umask(before)
    assert (tmp_path / "a.zip").stat().st_mode & 0o777 == 0o644
