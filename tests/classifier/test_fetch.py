"""Pictures from other machines, by way of the HTTP interface."""

from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings

from tests.support.broker import free_port
from tests.support.module import Module
from tests.support.secrets import MARK, addresses
from tests.support.wait import limit
from tests.support.web import SHOWN, probabilities, refused

pytestmark = pytest.mark.system


@pytest.mark.parametrize("key", ["url", "Url", "URL"])
@pytest.mark.parametrize("prefix", ["", "shop/", "shop/classify/iterations/v1/"])
def test_a_picture_elsewhere(client: httpx.Client, machine: int, prefix: str, key: str) -> None:
    """From a machine that is allowed, by redirections within it too; the cloud service's clients write `Url`."""
    for path in ("a.png", "to//a.png", f"to/http://127.0.0.1:{machine}/a.png"):
        response = client.post(f"/{prefix}url", json={key: f"http://127.0.0.1:{machine}/{path}"})
        assert probabilities(response) == pytest.approx(SHOWN, abs=0.001)


@pytest.mark.parametrize(
    ("url", "status", "reason"),
    [
        ("http://127.0.0.1:1/a.png", 403, "http://127.0.0.1:1 is not allowed"),
        ("http://127.0.0.1/a.png", 403, "not allowed"),
        ("http://HERE/to/http://127.0.0.1:9/a.png", 403, "127.0.0.1:9 is not allowed"),
        ("http://HERE/to/file:///etc/passwd", 403, "not allowed"),
        ("file:///etc/passwd", 403, "not allowed"),
        ("http://HERE@127.0.0.1:9/", 403, "not allowed"),
        ("ftp://HERE/a.png", 403, "not allowed"),
        ("http://HERE/none", 400, "answers 404"),
        ("http://HERE/endless", 400, "more than 4194304 bytes"),
        ("http://[", 403, "not allowed"),
        ("http://" + "a" * 70_000, 400, "not an address"),
        ("", 403, "not allowed"),
    ],
)
def test_addresses_that_are_refused(client: httpx.Client, machine: int, url: str, status: int, reason: str) -> None:
    """Other machines, ports and schemes, also by redirection; what fails or does not end."""
    url = url.replace("HERE", f"127.0.0.1:{machine}")
    assert reason in refused(client.post("/url", json={"url": url}), status)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"url": 7}', b"\xff"])
def test_what_is_no_address(client: httpx.Client, body: bytes) -> None:
    """A body that tells no address is told so."""
    assert "url" in refused(client.post("/url", content=body), 400)


def test_no_address_without_hosts(folder: Path) -> None:
    """Off unless machines are named."""
    port = free_port()
    with Module("classifier", free_port(), MODEL=folder, HTTP_PORT=port) as module:
        module.wait_for_log("running")
        response = httpx.post(
            f"http://127.0.0.1:{port}/url", json={"url": "http://127.0.0.1/"}, trust_env=False, timeout=limit(20)
        )
    assert "URL_HOSTS is not set" in refused(response, 403)


@settings(max_examples=60)
@given(addresses(schemes=("http", "HTTPS")))
def test_no_secret_of_an_address_is_shown(served: tuple[httpx.Client, Module], machine: int, given: tuple[str, str]) -> None:
    """Neither in an answer nor in the log, whether the machine is allowed, has the picture, or redirects."""
    client, module = served
    response = client.post("/url", json={"url": f"http://me:{MARK}@127.0.0.1:{machine}/a.png?token={MARK}"})
    assert probabilities(response)
    address, _ = given
    for url in (address, address.replace("127.0.0.1", f"127.0.0.1:{machine}"), f"http://127.0.0.1:{machine}/to/{address}"):
        assert MARK.lower() not in client.post("/url", json={"url": url}).text.lower()
    assert MARK not in module.log
