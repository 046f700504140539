"""Messages to systemd: of the heartbeat, and of a module, to a real socket."""

import socket
import tempfile
from collections.abc import Iterator

import pytest

from runtime.heartbeat import Heartbeat
from tests.support.broker import Broker
from tests.support.module import Module
from tests.support.wait import limit


class Systemd:
    """The socket at which systemd listens to a service; `address` is the service's NOTIFY_SOCKET."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(limit(10))
        self._socket.bind(f"\0{address[1:]}" if address.startswith("@") else address)

    def next(self) -> str:
        return self._socket.recv(4096).decode()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Systemd]:
    with tempfile.TemporaryDirectory() as folder:  # the name of a socket is at most 108 bytes long
        name = f"{folder}/notify"
        opened = Systemd(name if request.param == "path" else f"@{name}")
        monkeypatch.setenv("NOTIFY_SOCKET", opened.address)
        yield opened
        opened.close()


@pytest.mark.system
def test_the_heartbeat_reports_start_life_and_end(systemd: Systemd) -> None:
    """A sign of life follows each check of the watchdog."""
    with Heartbeat(timeout=1.0):
        assert [systemd.next() for _ in range(3)] == ["READY=1", "WATCHDOG=1", "WATCHDOG=1"]
    assert "STOPPING=1" in iter(systemd.next, None)


@pytest.mark.system
def test_nothing_is_sent_without_systemd_nor_fails_when_it_is_gone(systemd: Systemd, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module runs without systemd, and goes on if the socket has no reader."""
    systemd.close()
    Heartbeat().check()
    monkeypatch.delenv("NOTIFY_SOCKET")
    Heartbeat().check()


@pytest.mark.system
def test_a_module_reports_to_systemd(broker: Broker, systemd: Systemd) -> None:
    """Its start is complete before it connects to the broker. It announces its end. The broker starts first: it reports too."""
    with Module("bridge", broker.port, NOTIFY_SOCKET=systemd.address) as module:
        assert [systemd.next(), systemd.next()] == ["READY=1", "WATCHDOG=1"]
        assert module.end() == 0
    assert "STOPPING=1" in iter(systemd.next, None)
