"""The stand-in edgeHub, as the unmodified SDK sees it."""

import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.iot.device import MethodResponse

from tests.edgehub.hub import EdgeHub, properties
from tests.edgehub.sdk import Module
from tests.edgehub.workload import Workload
from tests.support.wait import limit, until


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[EdgeHub]:
    """A running one."""
    with EdgeHub(tmp_path / "hub") as running:
        yield running


@pytest.fixture
def module(hub: EdgeHub) -> Iterator[Module]:
    """A module that is connected to it and has read its twin."""
    with Module(hub.environment) as connected:
        connected.connect()
        connected.twin()
        yield connected


def patches(module: Module) -> list[dict[str, Any]]:
    """Collects the desired patches that the module hears from now on."""
    heard: list[dict[str, Any]] = []
    module.client.on_twin_desired_properties_patch_received = heard.append
    return heard


def answer(module: Module, make: Callable[[Any], tuple[int, Any]]) -> None:
    """Lets the module answer methods."""

    def handle(request: Any) -> None:
        response: Any = MethodResponse.create_from_method_request(request, *make(request))
        module.client.send_method_response(response)

    module.client.on_method_request_received = handle


def test_both_ways_of_signing_in(hub: EdgeHub, tmp_path: Path) -> None:
    """A module sends, signed in by connection string as well as by the workload API."""
    with hub.listener() as listener, Workload(tmp_path, hub) as workload:
        for environment in (hub.environment, workload.environment):
            with Module(environment) as module:
                module.send('{"a": 1}')
        assert listener.wait_for("", 2) == [b'{"a": 1}'] * 2
        topic = listener.messages()[1].topic
        assert workload.signed == 1
    assert topic.startswith("devices/pi/modules/bridge/messages/events/")
    assert properties(topic) == {"$.on": "visits", "$.mid": "id-1", "$.ct": "application/json", "$.ce": "utf-8"}
    assert hub.connects == 2


def test_each_has_an_address_of_its_own(hub: EdgeHub, tmp_path: Path) -> None:
    """Two run at once in one process; what is sent to one does not come to the other."""
    with (
        EdgeHub(tmp_path / "other") as other,
        hub.listener() as mine,
        other.listener() as theirs,
        Module(other.environment) as module,
    ):
        assert other.host != hub.host
        module.send("1")
        theirs.wait_for("")
        assert mine.payloads() == []


def test_the_twin_is_told_and_reported_to(hub: EdgeHub, module: Module) -> None:
    """The module gets the desired properties, and what it reports is merged."""
    hub.twin.desired = {"policy": {"least": 0.5}}
    hub.twin.version = 4
    module.report({"a": 1, "b": {"c": 2, "d": 3}})
    module.report({"b": {"c": None}})
    assert hub.twin.reported == {"a": 1, "b": {"d": 3}}
    assert [report["patch"] for report in hub.twin.reports] == [{"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"c": None}}]
    assert module.twin() == {
        "desired": {"policy": {"least": 0.5}, "$version": 4},
        "reported": {"a": 1, "b": {"d": 3}, "$version": 3},
    }
    assert hub.twin.gets == 2


def test_a_silent_twin_is_not_answered(hub: EdgeHub, module: Module) -> None:
    """The SDK waits on, while the rest of the hub works."""
    hub.twin.is_silent = True
    with pytest.raises(TimeoutError):
        module.twin(0.3)
    assert hub.twin.gets == 2
    module.send("1")


def test_a_request_before_the_cloud_is_there_is_answered_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that is faster than the twin's client, at the very first start, does not wait for ever."""
    hub = EdgeHub(tmp_path / "hub")
    open_later = hub.twin.open
    monkeypatch.setattr(hub.twin, "open", lambda: None)
    with hub, Module(hub.environment) as module:
        with pytest.raises(TimeoutError):
            module.twin(0.3)
        assert hub.twin.gets == 0
        open_later()
        until(lambda: hub.twin.gets == 1)


def test_a_patch_is_heard(hub: EdgeHub, module: Module) -> None:
    """The patch holds the changes and the version, and is in the next twin."""
    heard = patches(module)
    hub.twin.patch({"a": 1})
    hub.twin.patch({"a": None, "b": 2}, version=9)
    until(lambda: len(heard) == 2)
    assert sorted(heard, key=lambda patch: patch["$version"]) == [{"a": 1, "$version": 2}, {"a": None, "b": 2, "$version": 9}]
    assert module.twin()["desired"] == {"b": 2, "$version": 9}


def test_patches_are_told_in_the_order_given(hub: EdgeHub, module: Module) -> None:
    """What was merged unknown to the module can be told later, the newest first."""
    heard = patches(module)
    first, second = hub.twin.merge({"a": 1}), hub.twin.merge({"a": 2})
    hub.twin.publish(second)
    until(lambda: len(heard) == 1)  # of two at once, the SDK's own threads may change the order
    hub.twin.publish(first)
    until(lambda: len(heard) == 2)
    assert heard == [{"a": 2, "$version": 3}, {"a": 1, "$version": 2}]


def test_a_method_is_answered(hub: EdgeHub, module: Module) -> None:
    """Name and payload arrive; status and answer come back."""
    answer(module, lambda request: (207, {"name": request.name, "payload": request.payload}))
    assert hub.twin.call("counts now", {"day": "today"}) == (207, {"name": "counts now", "payload": {"day": "today"}})
    assert hub.twin.call("status", None) == (207, {"name": "status", "payload": None})
    assert hub.twin.call_raw("status", b'"a"') == (207, {"name": "status", "payload": "a"})


def test_a_method_that_nobody_answers(hub: EdgeHub, module: Module) -> None:
    """The call ends in time, and says which it was; one that is no JSON never gets through the SDK."""
    answer(module, lambda request: (200, None))
    with pytest.raises(TimeoutError, match="'status'"):
        hub.twin.call_raw("status", b"{no JSON", 0.3)
    assert hub.twin.call("status", {}) == (200, None)


def test_calls_at_once_get_each_its_answer(hub: EdgeHub, module: Module) -> None:
    """Answers are told apart by the id of the request."""
    answer(module, lambda request: (200, request.payload))
    answers: dict[int, Any] = {}

    def call(number: int) -> None:
        answers[number] = hub.twin.call("echo", number)

    threads = [threading.Thread(target=call, args=(number,), daemon=True) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(limit(15))
    assert answers == {number: (200, number) for number in range(8)}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_sessions_outlive_it(hub: EdgeHub, module: Module, number: signal.Signals) -> None:
    """Ended by SIGTERM, or saved before a crash, it still knows what the module is subscribed to."""
    heard = patches(module)
    hub.save()
    hub.end(number)
    hub.start()
    until(lambda: hub.connects == 2)
    hub.twin.patch({"a": 1})
    until(lambda: heard)
    assert module.twin()["desired"] == {"a": 1, "$version": 2}


def test_sessions_can_be_forgotten(hub: EdgeHub, module: Module) -> None:
    """The module comes back and can send, but hears nothing more."""
    heard = patches(module)
    answer(module, lambda request: (200, None))
    assert hub.twin.call("status", None) == (200, None)
    hub.save()
    hub.forget()
    until(lambda: hub.connects == 2)
    hub.twin.patch({"a": 1})
    with pytest.raises(TimeoutError):
        hub.twin.call("status", None, 0.5)
    module.send("1")
    assert heard == []


def test_frozen_it_answers_nothing_until_thawed(hub: EdgeHub, module: Module) -> None:
    """A send waits, and is done after the thaw."""
    with hub.listener() as listener:
        hub.freeze()
        with pytest.raises(TimeoutError):
            module.send("1", 0.3)
        assert listener.payloads() == []
        hub.thaw()
        assert listener.wait_for("") == [b"1"]


def test_a_frozen_one_can_be_killed(hub: EdgeHub) -> None:
    """Nothing waits for an answer of it; the next one is as good as new."""
    hub.freeze()
    hub.end()
    hub.start()
    with Module(hub.environment) as module:
        assert module.twin()["desired"] == {"$version": 1}


def test_nobody_is_told_while_it_is_not_running(hub: EdgeHub) -> None:
    """A patch is then refused before it is merged; merging alone works."""
    hub.end()
    with pytest.raises(ConnectionError, match="edgeHub is not running"):
        hub.twin.patch({"a": 1})
    assert (hub.twin.desired, hub.twin.version) == ({}, 1)
    hub.twin.merge({"a": 2})
    hub.start()
    with Module(hub.environment) as module:
        assert module.twin()["desired"] == {"a": 2, "$version": 2}
