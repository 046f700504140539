"""The scripted edgeHub as a process: what it has acknowledged, it has recorded, whenever it is killed."""

import signal
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from paho.mqtt import client as mqtt

from tests.edgehub.gateway import PORT
from tests.edgehub.process import StubProcess
from tests.edgehub.sdk import Module
from tests.support.wait import limit, until

EVENTS = "devices/pi/modules/bridge/messages/events/"
MANY = 2000


@pytest.fixture
def stub(tmp_path: Path) -> Iterator[StubProcess]:
    """A running one."""
    with StubProcess(tmp_path / "stub") as running:
        yield running


def paho(stub: StubProcess) -> mqtt.Client:
    """A plain client that is connected and has many messages under way at once."""
    client = mqtt.Client("pi/other")
    client.max_inflight_messages_set(100)
    client.tls_set_context(ssl.create_default_context(cafile=stub.authority))
    client.connect(stub.host, PORT)
    client.loop_start()
    return client


def test_killed_and_started_again_it_keeps_its_records(stub: StubProcess) -> None:
    """The module comes back by itself, sends on and still gets its twin; the address and the certificates are the same."""
    with Module(stub.environment) as module:
        module.twin()
        module.send("1")
        first = stub.pid
        stub.end()
        assert [record["body"] for record in stub.records()] == [1]
        until(lambda: not module.client.connected)
        stub.start()
        assert stub.pid != first
        until(lambda: module.client.connected)
        module.send("2")
        assert module.twin()["desired"] == {"$version": 1}
    assert [record["body"] for record in stub.records()] == [1, 2]


def test_what_is_acknowledged_is_recorded(stub: StubProcess) -> None:
    """Killed in the middle of a stream, it has on record whatever the sender was told."""
    client, acknowledged = paho(stub), []

    def on_publish(_client: mqtt.Client, _userdata: object, mid: int) -> None:
        acknowledged.append(mid)
        if len(acknowledged) == MANY // 4:
            stub.end()

    client.on_publish = on_publish
    numbers = {client.publish(EVENTS, str(number).encode(), 1).mid: number for number in range(MANY)}
    until(lambda: len(acknowledged) >= MANY // 4 and not client.is_connected())
    client.disconnect()
    client.loop_stop()
    recorded = [record["body"] for record in stub.records()]
    assert {numbers[mid] for mid in acknowledged} <= set(recorded)
    assert MANY // 4 <= len(recorded) < MANY


def test_it_keeps_up_with_a_thousand_a_second(stub: StubProcess) -> None:
    """Two thousand are recorded, in order, within two seconds on an idle machine."""
    client, begin = paho(stub), time.monotonic()
    sent = [client.publish(EVENTS, str(number).encode(), 1) for number in range(MANY)]
    sent[-1].wait_for_publish(limit(20))
    seconds = time.monotonic() - begin
    client.disconnect()
    client.loop_stop()
    assert [record["body"] for record in stub.records()] == list(range(MANY))
    assert seconds < limit(2)


def test_stopped_it_answers_nothing_until_continued(stub: StubProcess) -> None:
    """A process can be frozen from outside, too."""
    with Module(stub.environment) as module:
        module.connect()
        psutil.Process(stub.pid).suspend()
        with pytest.raises(TimeoutError):
            module.send("1", 0.3)
        psutil.Process(stub.pid).resume()
        until(stub.records)


def test_it_can_be_ended_when_stopped(stub: StubProcess) -> None:
    """No state of it holds the end of a test up."""
    process = psutil.Process(stub.pid)
    process.suspend()
    stub.end()
    assert not process.is_running()


def test_it_ends_with_whoever_started_it(stub: StubProcess) -> None:
    """When the pipe to it is closed, as it is when its parent is killed, it ends by itself."""
    process = stub._process
    assert process
    assert process.stdin
    process.stdin.close()
    assert process.wait(limit(10)) == 0
    assert "Traceback" not in stub.log


def test_the_host_can_be_chosen(stub: StubProcess, tmp_path: Path) -> None:
    """A stub that comes in the place of another has its address."""
    stub.end(signal.SIGTERM)
    with StubProcess(tmp_path / "second", stub.host) as second, Module(second.environment) as module:
        module.send("1")
        assert [record["body"] for record in second.records()] == [1]
