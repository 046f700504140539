"""Tests of model downloads, from servers that work, fail or cannot be reached."""

import logging
import re
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from bus import FootfallError
from classifier.download import (
    AddressNotAllowed,
    Limits,
    PermanentDownloadError,
    TransientDownloadError,
    download_model,
    find_address_problem,
    model_name,
)
from runtime.logs import silence_http_clients
from tests.classifier.model_server import (
    SECRET,
    Answer,
    Handler,
    ModelServer,
    cut_off,
    send_all,
    send_endlessly,
    send_range,
    send_status,
    sha256,
    trickle,
    trickle_head,
)
from tests.support.secrets import MARK, addresses
from tests.support.wait import limit

pytestmark = pytest.mark.broker  # uses sockets

CONTENT = bytes(range(256)) * 1200
LONG_LIMITS = Limits(len(CONTENT), limit(20), limit(20))
SHORT_LIMITS = Limits(len(CONTENT), timeout=0.3, read_timeout=0.15)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(CONTENT) as running:
        yield running


@pytest.fixture(autouse=True)
def _no_secret_in_the_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Checks that the signature and the path are not in the log."""
    caplog.set_level(logging.DEBUG)
    silence_http_clients()  # as a process does at its start
    yield
    assert SECRET not in caplog.text
    assert "people.zip" not in caplog.text


def download(url: str, digest: str = sha256(CONTENT), limits: Limits = LONG_LIMITS) -> None:
    """Downloads a model. Checks that an error contains no secret and leaves no file."""
    with TemporaryDirectory() as folder:
        target = Path(folder, "a.zip")
        try:
            for _ in download_model(url, digest, target, limits):
                assert not target.exists()
        except FootfallError as error:
            assert SECRET not in "".join(traceback.format_exception(error)) + repr(error.__dict__)
            assert error.__context__ is None
            assert not list(target.parent.iterdir())
            raise
        assert list(target.parent.iterdir()) == [target]
        assert target.read_bytes() == CONTENT


def redirect_slowly(handler: Handler) -> None:
    """Redirects to itself, after less than the time limit of an answer."""
    handler.server.answers.append(redirect_slowly)
    handler.server.released.wait(0.1)
    handler.head(302, Location=handler.path, Content_Length=0)


@pytest.mark.parametrize(
    ("answer", "limits", "kind", "reason"),
    [
        *((send_status(code), LONG_LIMITS, TransientDownloadError, f"answered HTTP {code}") for code in (408, 429, 500, 503)),
        *(
            (send_status(code), LONG_LIMITS, PermanentDownloadError, f"answered HTTP {code}")
            for code in (204, 206, 302, 304, 401, 403, 404, 410)
        ),
        (cut_off(5000), LONG_LIMITS, TransientDownloadError, "the connection was lost"),
        (lambda handler: handler.wfile.write(f"{SECRET}\r\n\r\n".encode()), LONG_LIMITS, TransientDownloadError, "not HTTP"),
        (
            cut_off(0, 2**28 + 1, is_held=True),
            LONG_LIMITS,
            PermanentDownloadError,
            f"268435457 bytes; at most {len(CONTENT)}",
        ),
        (send_endlessly, LONG_LIMITS, PermanentDownloadError, f"more than the allowed {len(CONTENT)} bytes"),
        (cut_off(100, is_held=True), replace(LONG_LIMITS, read_timeout=0.15), TransientDownloadError, "no answer within 0.15 s"),
        (trickle, SHORT_LIMITS, TransientDownloadError, "longer than 0.3 s"),
        (trickle_head, SHORT_LIMITS, TransientDownloadError, "longer than 0.3 s"),
        (redirect_slowly, SHORT_LIMITS, TransientDownloadError, "longer than 0.3 s"),
        (
            send_status(302, Location=f"ftp://127.0.0.1/?sig={SECRET}"),
            LONG_LIMITS,
            AddressNotAllowed,
            "begin with https:// or http://",
        ),
        (send_status(302, Location=f"http://me:{SECRET}@127.0.0.1/"), LONG_LIMITS, AddressNotAllowed, "a user or password"),
        (send_status(302, Location=f"http://[/?sig={SECRET}"), LONG_LIMITS, PermanentDownloadError, "not a valid address"),
        (send_status(302, Location=f"//127.0.0.1:99999/?sig={SECRET}"), LONG_LIMITS, AddressNotAllowed, "a valid host and port"),
        (send_status(302, Location=f"http://127.0.0.1/ü?sig={SECRET}"), LONG_LIMITS, AddressNotAllowed, "RFC 3986"),
    ],
)
def test_bad_answers(server: ModelServer, answer: Answer, limits: Limits, kind: type[FootfallError], reason: str) -> None:
    """Each error is transient or permanent, and has a reason and the server's name. The next download succeeds."""
    server.answers.append(answer)
    with pytest.raises(kind, match=reason) as error:
        download(server.url, limits=limits)
    assert server.root in str(error.value)
    server.answers.clear()
    download(server.url)


def attempts(server: ModelServer, folder: Path, digest: str = sha256(CONTENT)) -> list[str]:
    """Downloads a model as often as it takes. Returns the reasons of the transient errors."""
    reasons, target = [], folder / "a.zip"
    while True:
        try:
            list(download_model(server.url, digest, target, LONG_LIMITS))
        except TransientDownloadError as error:
            reasons.append(str(error))
        else:
            assert [*folder.iterdir()] == [target]
            assert target.read_bytes() == CONTENT
            return reasons


LOST, CHANGED = "the connection was lost", "the file has changed"
FIRST, SECOND = "bytes=5000-", "bytes=9000-"


@pytest.mark.parametrize(
    ("answers", "ranges", "reasons"),
    [
        ([send_range(end=9000), send_range()], [FIRST, SECOND], [LOST]),
        ([send_status(503), send_range()], [FIRST, FIRST], ["answered HTTP 503"]),
        ([send_status(302, Location="/elsewhere"), send_range()], [FIRST, FIRST], []),
        ([send_all], [FIRST], []),
        ([cut_off(9000), send_all], [FIRST, None], [LOST]),
        ([send_range('"v2"')], [FIRST], []),
        ([send_range('"v2"', is_conditional=False), send_range('"v2"')], [FIRST, None], [CHANGED]),
        ([send_range(first=4999), send_range()], [FIRST, None], [CHANGED]),
        ([send_status(416), send_range()], [FIRST, None], [CHANGED]),
    ],
    ids=["cut twice", "busy", "redirect", "no ranges", "no ETag", "changed", "changed for Azurite", "wrong range", "shorter"],
)
def test_a_lost_connection(
    server: ModelServer, tmp_path: Path, answers: list[Answer], ranges: list[str | None], reasons: list[str]
) -> None:
    """The next download continues where the first was cut, if the file on the server is the same; otherwise it begins again."""
    server.answers += [send_range(end=5000), *answers]
    found = attempts(server, tmp_path)
    assert server.ranges == [None, *ranges]
    assert [reason for reason, text in zip(found, [LOST, *reasons], strict=True) if text not in reason] == []


@pytest.mark.parametrize("etag", ['W/"v1"', "v1", '"v 1"', ""])
def test_a_file_whose_version_is_unknown(server: ModelServer, tmp_path: Path, etag: str) -> None:
    """Without a strong ETag (RFC 9110, 8.8.3) nothing is kept, and the download begins again."""
    server.answers += [send_range(etag, 5000), send_range(etag)]
    with pytest.raises(TransientDownloadError):
        list(download_model(server.url, sha256(CONTENT), tmp_path / "a.zip", LONG_LIMITS))
    assert [*tmp_path.iterdir()] == []
    assert (attempts(server, tmp_path), server.ranges) == ([], [None, None])


@pytest.mark.parametrize("damage", [b"", b"x" * 5000, b"x" * len(CONTENT), None])
def test_a_damaged_part(server: ModelServer, tmp_path: Path, damage: bytes | None) -> None:
    """Bytes that were damaged in between, as by a power failure, or lost, cost one more download at most."""
    server.answer = send_range()
    server.answers.append(send_range(end=5000))
    with pytest.raises(TransientDownloadError):
        list(download_model(server.url, sha256(CONTENT), tmp_path / "a.zip", LONG_LIMITS))
    part = tmp_path / "a.zip.part"
    part.unlink() if damage is None else part.write_bytes(damage)
    assert len(attempts(server, tmp_path)) == bool(damage)
    assert server.ranges[-1] is None


@pytest.mark.parametrize(
    ("answers", "digest", "kind"),
    [
        ([send_range(end=5000), send_status(403)], sha256(CONTENT), PermanentDownloadError),
        ([send_range(end=5000), send_range(), send_range()], "0" * 64, PermanentDownloadError),
        ([send_range(end=5000), send_range()], sha256(CONTENT), OSError),
    ],
    ids=["403", "another SHA-256", "full disk"],
)
def test_what_came_is_removed(
    server: ModelServer, tmp_path: Path, answers: list[Answer], digest: str, kind: type[Exception]
) -> None:
    """After an error that another try does not mend, and when the disk is full, no file stays. All requests were made."""
    server.answers += answers

    def download_again() -> None:
        with pytest.raises(TransientDownloadError):
            list(download_model(server.url, digest, tmp_path / "a.zip", LONG_LIMITS))
        if kind is OSError:
            (tmp_path / "a.zip.part").unlink()
            (tmp_path / "a.zip.part").symlink_to("/dev/full")
        attempts(server, tmp_path, digest)

    with pytest.raises(kind):
        download_again()
    assert not server.answers
    assert [*tmp_path.iterdir()] == []


def test_redirects(server: ModelServer) -> None:
    """Five redirects are followed, to another path too, and their bodies are not read. The sixth is refused."""
    steps = [send_status(307, Location=f"/elsewhere?sig={SECRET}")] * 4
    server.answers += [*steps, lambda handler: send_endlessly(handler, 302, Location="/elsewhere")]
    download(server.url)
    server.answers += [*steps, *steps]
    with pytest.raises(PermanentDownloadError, match="more than 5 redirects"):
        download(server.url)


def test_certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trusted server must not redirect to plain http. An untrusted server gets no request."""
    authority, other = trustme.CA(), tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    with authority.cert_pem.tempfile() as trusted, ModelServer(CONTENT, authority) as server, ModelServer(CONTENT) as plain:
        monkeypatch.setenv("SSL_CERT_FILE", trusted)
        download(server.url)
        server.answers.append(send_status(302, Location=plain.url))
        with pytest.raises(AddressNotAllowed, match="must begin with https://, as the first one does"):
            download(server.url)
        requests = len(server.paths)
        monkeypatch.setenv("SSL_CERT_FILE", str(other))
        with pytest.raises(TransientDownloadError, match="certificate verify failed"):
            download(server.url)
        assert (len(server.paths), plain.paths) == (requests, [])


def test_a_wrong_checksum_and_a_stopped_server() -> None:
    """A wrong checksum is a permanent error, a refused connection a transient one."""
    with (
        ModelServer(CONTENT) as gone,
        pytest.raises(PermanentDownloadError, match=f"its SHA-256 is {sha256(CONTENT)} instead of {'0' * 64}"),
    ):
        download(gone.url, "0" * 64)
    with pytest.raises(TransientDownloadError, match=r"cannot be reached .*Connection refused"):
        download(gone.url)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://example.org/a.zip", "^$"),
        ("HTTPS://example.org/a.zip", "^$"),
        ("https://[::1]:8443/a.zip?sig=%2B#x", "^$"),
        ("example.org/a.zip", "https:// or http://"),
        ("https:/a.zip", "name a host"),
        ("https://:443/a.zip", "name a host"),
        ("https://example.org%3fsig=/a.zip", "name a host"),
        ("https://@example.org/", "user or password"),
        ("https://example.org:70000/", "a valid host and port"),
        ("https://[::1/", "a valid host and port"),
        ("https://good.example\\@bad.example/", "RFC 3986"),
        ("https://example.org/\n", "RFC 3986"),
        ("https://example.org/" + "a" * 2048, "1 to 2048 characters"),
        ("", "1 to 2048 characters"),
    ],
)
def test_addresses(url: str, problem: str) -> None:
    """`find_address_problem` accepts valid addresses, and names the problem of others."""
    assert re.search(problem, find_address_problem(url))


@given(addresses(schemes=("https", "http")))
def test_a_problem_shows_no_secret(address: tuple[str, str]) -> None:
    assert MARK not in find_address_problem(address[0])


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/a/b/Shop%20door%20v2.ZIP?sv=1&sig=secret#x", "Shop_door_v2"),
        ("/%2e%2e%2f%2e%2e%2fetc%2fpasswd.zip", "passwd"),
        ("/a.zip%3Fsig=secret", "a"),
        ("/.models-" + "a" * 200 + ".zip", "models-" + "a" * 57),
        ("/m%C3%BC%00ller.zip", "m_ller"),
        ("/download/token-of-the-shop", "model"),
    ],
)
def test_names(path: str, name: str) -> None:
    """The name is the last part of the path, made safe, without query and fragment."""
    assert model_name(f"https://example.org{path}") == name


@given(st.text())
def test_names_are_safe(path: str) -> None:
    """Any path gives a single file name that is not hidden."""
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", model_name(f"https://example.org/{path}"))
