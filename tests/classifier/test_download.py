"""Downloads of models, from servers that are good, bad, or not there."""

import logging
import re
import traceback
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from bus import FootfallError
from classifier.download import TransientDownloadError, PermanentDownloadError, Limits, AddressNotAllowed, download_model, model_name
from classifier.download import find_address_problem
from runtime.logs import silence_http_clients
from tests.classifier import model_server
from tests.classifier.model_server import SECRET, Answer, ModelServer, send_endlessly, sha256, send_status, trickle
from tests.support.secrets import MARK, addresses
from tests.support.wait import limit

pytestmark = pytest.mark.broker  # it needs sockets

CONTENT = bytes(range(256)) * 1200
LONG_LIMITS = Limits(len(CONTENT), limit(20), limit(20))
SHORT_LIMITS = Limits(len(CONTENT), timeout=0.3, read_timeout=0.15)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(CONTENT) as running:
        yield running


@pytest.fixture(autouse=True)
def _kept_secret(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """The signature is never in the log."""
    caplog.set_level(logging.DEBUG)
    silence_http_clients()  # as the process does at its start
    yield
    assert SECRET not in caplog.text
    assert "people.zip" not in caplog.text


def download(url: str, digest: str = sha256(CONTENT), limits: Limits = LONG_LIMITS) -> None:
    """All of it; an error has no secret, anywhere, and leaves no file."""
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


@pytest.mark.parametrize(
    ("answer", "limits", "kind", "reason"),
    [
        *((send_status(code), LONG_LIMITS, TransientDownloadError, f"answers {code}") for code in (408, 429, 500, 503)),
        *((send_status(code), LONG_LIMITS, PermanentDownloadError, f"answers {code}") for code in (204, 206, 302, 304, 401, 403, 404, 410)),
        (servers.cut_off(5000), LONG_LIMITS, TransientDownloadError, "the connection broke"),
        (lambda handler: handler.wfile.write(f"{SECRET}\r\n\r\n".encode()), LONG_LIMITS, TransientDownloadError, "not HTTP"),
        (servers.cut_off(0, 2**28 + 1, is_held=True), LONG_LIMITS, PermanentDownloadError, f"268435457 bytes; at most {len(CONTENT)}"),
        (send_endlessly, LONG_LIMITS, PermanentDownloadError, f"more than {len(CONTENT)} bytes"),
        (servers.cut_off(100, is_held=True), SHORT_LIMITS, TransientDownloadError, "no answer within 0.15 s"),
        (trickle, SHORT_LIMITS, TransientDownloadError, "longer than allowed"),
        (send_status(302, Location=f"ftp://127.0.0.1/?sig={SECRET}"), LONG_LIMITS, AddressNotAllowed, "begin with https:// or http://"),
        (send_status(302, Location=f"http://me:{SECRET}@127.0.0.1/"), LONG_LIMITS, AddressNotAllowed, "a user or password"),
        (send_status(302, Location=f"http://[/?sig={SECRET}"), LONG_LIMITS, PermanentDownloadError, "not an address"),
        (send_status(302, Location=f"//127.0.0.1:99999/?sig={SECRET}"), LONG_LIMITS, AddressNotAllowed, "cannot be read"),
        (send_status(302, Location=f"http://127.0.0.1/ü?sig={SECRET}"), LONG_LIMITS, AddressNotAllowed, "RFC 3986"),
    ],
)
def test_bad_answers(server: ModelServer, answer: Answer, limits: Limits, kind: type[FootfallError], reason: str) -> None:
    """Each is final or not, with its reason and the server's name; the next download succeeds."""
    server.answers.append(answer)
    with pytest.raises(kind, match=reason) as error:
        download(server.url, limits=limits)
    assert server.root in str(error.value)
    download(server.url)


def test_redirections(server: ModelServer) -> None:
    """Five are followed, to another path too; what comes with one is not read; a sixth is not followed."""
    steps = [send_status(307, Location=f"/elsewhere?sig={SECRET}")] * 4
    server.answers += [*steps, lambda handler: send_endlessly(handler, 302, Location="/elsewhere")]
    download(server.url)
    server.answers += [*steps, *steps]
    with pytest.raises(PermanentDownloadError, match="more than 5 redirections"):
        download(server.url)


def test_certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server of a trusted authority may not redirect to plain http; one of another authority is not asked."""
    authority, other = trustme.CA(), tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    with authority.cert_pem.tempfile() as trusted, ModelServer(CONTENT, authority) as server, ModelServer(CONTENT) as plain:
        monkeypatch.setenv("SSL_CERT_FILE", trusted)
        download(server.url)
        server.answers.append(send_status(302, Location=plain.url))
        with pytest.raises(AddressNotAllowed, match="must begin with https:// as the first one does"):
            download(server.url)
        asked = len(server.paths)
        monkeypatch.setenv("SSL_CERT_FILE", str(other))
        with pytest.raises(TransientDownloadError, match="certificate verify failed"):
            download(server.url)
        assert (len(server.paths), plain.paths) == (asked, [])


def test_a_wrong_checksum_and_nobody_there() -> None:
    """What is not what was wanted is refused; who is not there may be there later."""
    with ModelServer(CONTENT) as gone, pytest.raises(PermanentDownloadError, match=f"its SHA-256 is {sha256(CONTENT)}, not {'0' * 64}"):
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
        ("https://example.org:70000/", "cannot be read"),
        ("https://[::1/", "cannot be read"),
        ("https://good.example\\@bad.example/", "RFC 3986"),
        ("https://example.org/\n", "RFC 3986"),
        ("https://example.org/" + "a" * 2048, "1 to 2048 characters"),
        ("", "1 to 2048 characters"),
    ],
)
def test_addresses(url: str, problem: str) -> None:
    """Which are allowed, and the problem with others, which are refused before anything is sent."""
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
    """The last part of the path, made safe, and nothing behind it."""
    assert model_name(f"https://example.org{path}") == name


@given(st.text())
def test_names_are_safe(path: str) -> None:
    """Any path: one part, not hidden."""
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", model_name(f"https://example.org/{path}"))
