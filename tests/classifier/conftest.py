"""A classifier that is served over HTTP."""

import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from tests.classifier.shelf import put
from tests.support.broker import free_port
from tests.support.module import Module
from tests.support.wait import limit
from tests.support.web import Pictures


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that gives the mean colour of a picture."""
    return put(tmp_path_factory.mktemp("models") / "colours", ("blue", "green", "red"))


@pytest.fixture(scope="module")
def machine() -> Iterator[int]:
    """The port of a machine with pictures."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Pictures) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(scope="module")
def served(folder: Path, machine: int) -> Iterator[tuple[httpx.Client, Module]]:
    """A running classifier, without a broker, that may fetch from the machine."""
    port = free_port()
    module = Module("classifier", free_port(), MODEL=folder, HTTP_PORT=port, URL_HOSTS=f"127.0.0.1:{machine}, other.example")
    with (
        module,
        httpx.Client(
            limits=httpx.Limits(max_keepalive_connections=0),
            base_url=f"http://127.0.0.1:{port}",
            trust_env=False,
            timeout=limit(20),
        ) as client,
    ):
        module.wait_for_log("running")
        yield client, module


@pytest.fixture
def client(served: tuple[httpx.Client, Module]) -> httpx.Client:
    """Asks the classifier."""
    return served[0]
