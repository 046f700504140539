"""The stand-in workload API, asked by the SDK and by hand."""

import base64
import hashlib
import hmac
import json
import socket
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.edgehub.certificates import issue
from tests.edgehub.sdk import Module
from tests.edgehub.workload import MOST_PATH, SIGN, Workload
from tests.support.wait import limit

REQUEST = {"keyId": "primary", "algo": "HMACSHA256", "data": base64.b64encode(b"hub.example\n1").decode()}


class Somewhere(NamedTuple):
    """A gateway that nobody needs to connect to."""

    host: str
    authority: Path


class UnixConnection(HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: str, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        """Connects to the path in place of the host."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


@pytest.fixture
def workload(tmp_path: Path) -> Iterator[Workload]:
    """A running one for a hub that is not."""
    with Workload(tmp_path, gateway(tmp_path)) as running:
        yield running


def encoded(content: object) -> bytes:
    """JSON."""
    return json.dumps(content).encode()


def gateway(folder: Path) -> Somewhere:
    """With a certificate that is real."""
    return Somewhere("127.0.0.1", issue(folder / "hub", "127.0.0.1").authority)


def ask(workload: Workload, method: str, path: str, body: bytes = b"", seconds: float = limit(10)) -> tuple[int, Any]:
    """Status and decoded answer."""
    connection = UnixConnection(workload.environment["IOTEDGE_WORKLOADURI"].removeprefix("unix://"), seconds)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def test_a_module_is_made_with_its_bundle_and_signature(workload: Workload) -> None:
    """The SDK asks for both when a client is made from the environment that IoT Edge sets."""
    assert len(workload.environment) == 7
    with Module(workload.environment):
        assert workload.signed == 1


def test_the_digest_is_that_of_the_data(workload: Workload) -> None:
    """A real HMAC-SHA256, which can be checked with the key."""
    status, content = ask(workload, "POST", f"{SIGN}?api-version=2019-11-05", encoded(REQUEST))
    assert status == 200
    assert base64.b64decode(content["digest"]) == hmac.new(workload.key, b"hub.example\n1", hashlib.sha256).digest()


def test_the_bundle_is_the_authority(workload: Workload, tmp_path: Path) -> None:
    """It vouches for the hub."""
    status, content = ask(workload, "GET", "/trust-bundle?api-version=2019-11-05")
    assert (status, content) == (200, {"certificate": (tmp_path / "hub" / "authority.pem").read_text()})


def test_when_it_fails_no_module_is_made(workload: Workload) -> None:
    """The SDK raises, nothing is counted, and the next try may do better."""
    workload.fails = True
    with pytest.raises(ValueError, match="Could not create a SasToken"):
        Module(workload.environment)
    assert workload.signed == 0
    workload.fails = False
    with Module(workload.environment):
        assert workload.signed == 1


def test_silent_it_answers_after_its_release(workload: Workload) -> None:
    """Whoever asks waits, and those who waited longest are answered too."""
    workload.is_silent = True
    with pytest.raises(TimeoutError):
        ask(workload, "GET", "/trust-bundle", seconds=0.2)
    assert workload.is_silent
    workload.is_silent = False
    assert ask(workload, "GET", "/trust-bundle")[0] == 200


def test_silent_until_its_end_it_lets_go(tmp_path: Path) -> None:
    """What still waits at the end gets no answer, and does not hold the end up."""
    with Workload(tmp_path, gateway(tmp_path)) as workload:
        workload.is_silent = True
        path = workload.environment["IOTEDGE_WORKLOADURI"].removeprefix("unix://")
        connection = UnixConnection(path, 0.3)
        connection.request("POST", SIGN, encoded(REQUEST))
        with pytest.raises(TimeoutError):
            connection.sock.recv(1)
        connection.sock.settimeout(limit(10))
    assert connection.sock.recv(1) == b""
    connection.close()
    assert workload.signed == 0
    assert not Path(path).exists()


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("GET", SIGN), ("POST", "/trust-bundle"), ("POST", "/modules/x/sign")]
)
def test_there_is_nothing_else(workload: Workload, method: str, path: str) -> None:
    """Another module, or another call, is told what there is."""
    status, content = ask(workload, method, path)
    assert status == 404
    assert "there is /" in content["message"]


@given(st.binary(max_size=40) | st.dictionaries(st.sampled_from(list(REQUEST)), st.text(max_size=8)).map(encoded))
@example(encoded({**REQUEST, "data": "no base64!"}))
@example(encoded({**REQUEST, "data": None}))
@example(encoded({**REQUEST, "algo": "MD5"}))
def test_anything_else_is_not_signed(request: bytes) -> None:
    """A request that is not as it must be is answered 400, whatever it is."""
    workload = Workload(Path("unused"), Somewhere("127.0.0.1", Path("unused")))
    status, content = workload.sign(request)
    assert (status, workload.signed) == (400, 0)
    assert content["message"]


def test_a_long_folder_gets_a_short_path(tmp_path: Path) -> None:
    """A unix socket's path has a limit that a folder may be over."""
    folder = tmp_path / ("long" * 30)
    with Workload(folder, gateway(tmp_path)) as workload:
        assert len(workload.environment["IOTEDGE_WORKLOADURI"].removeprefix("unix://")) < MOST_PATH
        assert ask(workload, "GET", "/trust-bundle")[0] == 200
