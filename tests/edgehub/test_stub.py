"""The scripted edgeHub, as the unmodified SDK sees it: each failure, and what comes after it."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from azure.iot.device.exceptions import ConnectionFailedError, CredentialError, NoConnectionError
from paho.mqtt import client as mqtt

from tests.edgehub import packets
from tests.edgehub.gateway import PORT
from tests.edgehub.packets import Kind
from tests.edgehub.sdk import Module
from tests.edgehub.stub import Stub
from tests.edgehub.workload import Workload
from tests.support.broker import accepts
from tests.support.wait import limit, until

EVENTS = "devices/pi/modules/bridge/messages/events/"


@pytest.fixture
def stub(tmp_path: Path) -> Iterator[Stub]:
    """A running one."""
    with Stub(tmp_path / "stub") as running:
        yield running


@pytest.fixture
def module(stub: Stub) -> Iterator[Module]:
    """A module that is connected to it."""
    with Module(stub.environment) as connected:
        connected.connect()
        yield connected


def bodies(stub: Stub) -> list[object]:
    """What was recorded."""
    return [record["body"] for record in stub.records()]


def plain(stub: Stub) -> ssl.SSLSocket:
    """A connection on which nothing was said yet."""
    context = ssl.create_default_context(cafile=stub.authority)
    return context.wrap_socket(socket.create_connection((stub.host, PORT), timeout=limit(10)), server_hostname=stub.host)


def paho(stub: Stub, client: str) -> mqtt.Client:
    """A plain client."""
    made = mqtt.Client(client)
    made.tls_set_context(ssl.create_default_context(cafile=stub.authority))
    return made


def test_an_event_is_recorded(stub: Stub, tmp_path: Path) -> None:
    """Topic, body and time are there when the send returns, whichever way the module signed in."""
    with Workload(tmp_path, stub) as workload:
        for environment in (stub.environment, workload.environment):
            with Module(environment) as module:
                module.send('{"a": 1}')
    first, second = stub.records()
    assert first["topic"] == second["topic"] == f"{EVENTS}%24.on=visits&%24.mid=id-1&%24.ct=application%2Fjson&%24.ce=utf-8"
    assert (first["body"], second["body"]) == ({"a": 1}, {"a": 1})
    assert first["at"] <= second["at"]
    assert stub.connects == 2


def test_the_twin_is_told_and_reported_to(stub: Stub, module: Module) -> None:
    """Empty at first; then what it is given, and what the module reports."""
    assert module.twin() == {"desired": {"$version": 1}, "reported": {"$version": 1}}
    stub.twin.desired = {"least": 0.5}
    module.report({"a": 1})
    assert module.twin() == {"desired": {"least": 0.5, "$version": 1}, "reported": {"a": 1, "$version": 2}}
    assert stub.records() == []


def test_a_silent_twin_is_not_answered(stub: Stub, module: Module) -> None:
    """The SDK waits on, while events are acknowledged."""
    stub.twin_silent = True
    with pytest.raises(TimeoutError):
        module.twin(0.3)
    assert stub.twin.gets == 1
    module.send("1")


@pytest.mark.parametrize(("code", "error"), [(3, ConnectionFailedError), (5, CredentialError)])
def test_a_refused_client_is_told(stub: Stub, code: int, error: type[Exception]) -> None:
    """Each code is the SDK's error for it; nothing is recorded, and whoever comes later is let in."""
    stub.refuse = code
    with Module(stub.environment) as module, pytest.raises(error):
        module.connect()
    assert (stub.connects, stub.records()) == (1, [])
    stub.refuse = 0
    with Module(stub.environment) as module:
        module.send("1")
    assert bodies(stub) == [1]


def test_a_refused_connection_is_closed(stub: Stub) -> None:
    """After its code comes the end, as the standard wants it."""
    stub.refuse = 5
    with plain(stub) as connection:
        connection.sendall(packets.write(Kind.CONNECT, b"\x00\x04MQTT\x04\x00\x00\x00\x00\x01a"))
        assert connection.recv(10) == b"\x20\x02\x00\x05"
        assert connection.recv(10) == b""


def test_without_an_acknowledgement_a_send_waits(stub: Stub, module: Module) -> None:
    """The event is recorded, and nobody but the stub knows."""
    stub.withhold = True
    with pytest.raises(TimeoutError):
        module.send("1", 0.3)
    until(lambda: bodies(stub) == [1])
    stub.withhold = False
    module.send("2")
    assert bodies(stub) == [1, 2]


def test_cut_after_an_event_it_comes_twice(stub: Stub, module: Module) -> None:
    """The SDK connects again and sends what was not acknowledged, even when it raises; the script is played once."""
    stub.cut_after = True
    with suppress(NoConnectionError):
        module.send("1")
    until(lambda: bodies(stub) == [1, 1])
    assert (stub.connects, stub.cut_after) == (2, False)


def test_frozen_it_neither_records_nor_answers(stub: Stub, module: Module) -> None:
    """What was sent meanwhile is there after the thaw."""
    stub.is_frozen = True
    with pytest.raises(TimeoutError):
        module.send("1", 0.3)
    assert (stub.is_frozen, stub.records()) == (True, [])
    stub.is_frozen = False
    until(lambda: bodies(stub) == [1])
    module.send("2")


def test_frozen_it_accepts_without_a_handshake(stub: Stub) -> None:
    """A new client waits in its handshake, and goes on after the thaw."""
    stub.is_frozen = True
    context = ssl.create_default_context(cafile=stub.authority)
    with socket.create_connection((stub.host, PORT), timeout=0.3) as waiting, pytest.raises(TimeoutError):
        context.wrap_socket(waiting, server_hostname=stub.host)
    stub.is_frozen = False
    with Module(stub.environment) as module:
        module.send("1")


def test_a_newer_connection_ends_the_older(stub: Stub) -> None:
    """A client that comes twice is there once, as the standard wants it."""
    older, newer, ended = paho(stub, "pi/bridge"), paho(stub, "pi/bridge"), []
    older.on_disconnect = lambda *_: ended.append(older.disconnect())
    for client in (older, newer):
        client.connect(stub.host, PORT)
        client.loop_start()
        until(client.is_connected)
    until(lambda: ended)
    assert newer.is_connected()
    for client in (older, newer):
        client.disconnect()
        client.loop_stop()


def test_only_events_with_qos_1_are_recorded(stub: Stub) -> None:
    """What nobody waits for, and what is no event, is passed over."""
    client = paho(stub, "another")
    client.connect(stub.host, PORT)
    client.loop_start()
    client.publish(EVENTS, b"0", 0)
    client.publish("elsewhere", b"1", 1)
    client.publish(EVENTS, b"2", 1).wait_for_publish(limit(10))
    client.disconnect()
    client.loop_stop()
    assert bodies(stub) == [2]


@pytest.mark.parametrize(
    "sent",
    [
        packets.write(Kind.PUBLISH, b"\x00\x01aa"),
        packets.write(Kind.CONNECT, b"nonsense"),
        b"\x10\xff\xff\xff\xff\xff",
        b"\xf0\x00",
    ],
)
def test_nonsense_ends_its_connection_only(stub: Stub, module: Module, sent: bytes) -> None:
    """Whoever does not speak MQTT is hung up on; the others do not notice."""
    with plain(stub) as connection:
        connection.sendall(sent)
        assert connection.recv(10) == b""
    module.send("1")


@pytest.mark.parametrize("is_frozen", [False, True])
def test_it_ends_and_starts_on_its_address(stub: Stub, module: Module, is_frozen: bool) -> None:
    """The module comes back by itself and still hears of its twin; the records go on."""
    module.twin()
    module.send("1")
    stub.is_frozen = is_frozen
    stub.end()
    assert not accepts(PORT, stub.host)
    until(lambda: not module.client.connected)
    stub.start()
    until(lambda: module.client.connected)
    module.send("2")
    assert module.twin()["desired"] == {"$version": 1}
    assert bodies(stub) == [1, 2]
