"""What the tests of models share: a server that is trusted, a store, a device, and that no secret gets out."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from classifier.model import updates
from classifier.model.store import ModelStore
from runtime.logs import silence_http_clients
from tests.classifier.model.device import Device
from tests.classifier.model.server import SECRET, Server
from tests.classifier.model.zips import tree


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Signs the servers' certificates."""
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The authority is trusted, and no proxy is in between."""
    path = tmp_path_factory.mktemp("authority") / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def server(authority: trustme.CA, trusted: None) -> Iterator[Server]:
    """One that is trusted."""
    with Server(authority) as running:
        yield running


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    """An empty one."""
    return ModelStore(tmp_path / "models")


@pytest.fixture
def device(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Device]:
    """An empty one, which tries again soon."""
    monkeypatch.setattr(updates, "RETRY", (0.05, 0.1))
    running = Device(tmp_path / "models", server)
    yield running
    server.released.set()
    running.stop()


@pytest.fixture
def fast() -> Iterator[None]:
    """Nothing is written through to the disk, as hypothesis has much to write."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)
        yield


@pytest.fixture(autouse=True)
def _kept_secret(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> Iterator[None]:
    """Whatever a test here does, the signature is in no line of the log, and in no file."""
    caplog.set_level(logging.DEBUG)
    silence_http_clients()  # as the process does at its start
    yield
    for record in caplog.get_records("call"):
        assert SECRET not in logging.Formatter().format(record)
        assert SECRET not in repr(record.__dict__)
    assert SECRET not in repr(tree(tmp_path))
