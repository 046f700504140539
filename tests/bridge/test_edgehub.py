"""Visits upstream: the unmodified Azure SDK against a stand-in edgeHub."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.edgehub import EdgeHubUpstream
from bridge.upstream import telemetry
from bus import InvalidSetting, Visit
from bus.figures import Figures
from tests.support.edgehub import EdgeHub, properties
from tests.support.wait import until

NUMBERS = range(5)


def visit(number: int) -> Visit:
    """A visit of its own."""
    return Visit(f"id-{number}", "door", "Frau Müller", 1000.0 + number, 1003.0 + number, 0.91, 30)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EdgeHub]:
    """A stand-in edgeHub, and the environment that leads to it."""
    with EdgeHub(tmp_path / "hub") as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        yield running


def test_a_visit_arrives_as_iot_hub_can_route_it(hub: EdgeHub) -> None:
    """Output, content type, encoding, id and properties are set; the body is the telemetry in UTF-8."""
    with hub.listener() as listener, EdgeHubUpstream(Figures()) as upstream:
        upstream.send(visit(1))
        body = json.loads(listener.wait_for("", 1, 30)[0])
        topic = listener.messages()[0].topic
    assert topic.startswith("devices/pi/modules/bridge/messages/events/")
    assert body == telemetry(visit(1))
    assert properties(topic) == {
        "$.on": "visits",
        "$.mid": "id-1",
        "$.ct": "application/json",
        "$.ce": "utf-8",
        "camera": "door",
        "label": "Frau Müller",
        "probability": "0.9100",
    }


def test_what_is_queued_is_sent_before_the_end(hub: EdgeHub) -> None:
    """Stopping waits, within bounds, until edgeHub has what was queued."""
    figures = Figures()
    with hub.listener() as listener:
        with EdgeHubUpstream(figures) as upstream:
            for number in NUMBERS:
                upstream.send(visit(number))
        assert figures.snapshot()["upstream_sent"] == len(NUMBERS)
        until(lambda: len(listener.payloads()) == len(NUMBERS))
        assert [json.loads(payload)["id"] for payload in listener.payloads()] == [visit(number).id for number in NUMBERS]


def test_an_edgehub_that_comes_late_gets_all_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Visits wait for an edgeHub that is not there yet; the failures are counted."""
    monkeypatch.setattr("bridge.edgehub.Backoff.next", lambda self: 0.2)
    hub = EdgeHub(tmp_path / "hub")
    for name, value in hub.environment.items():
        monkeypatch.setenv(name, value)
    figures = Figures()
    with EdgeHubUpstream(figures) as upstream:
        for number in NUMBERS:
            upstream.send(visit(number))
        until(lambda: figures.snapshot().get("upstream_failed"), 30)
        with hub, hub.listener() as listener:
            ids = [json.loads(payload)["id"] for payload in listener.wait_for("", len(NUMBERS), 60)]
            until(lambda: figures.snapshot().get("upstream_sent") == len(NUMBERS))
    assert list(dict.fromkeys(ids)) == [visit(number).id for number in NUMBERS]


def test_a_call_that_never_returns_is_given_up(hub: EdgeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A send that hangs, as it does towards a frozen edgeHub, ends in a new client and the same visit sent again."""
    monkeypatch.setattr("bridge.edgehub.TIMEOUT", 1.5)
    monkeypatch.setattr("bridge.edgehub.Backoff.next", lambda self: 0.2)
    figures = Figures()
    with hub.listener() as listener, EdgeHubUpstream(figures) as upstream:
        upstream.send(visit(1))
        until(lambda: figures.snapshot().get("upstream_sent") == 1, 30)
        hub.freeze()
        upstream.send(visit(2))
        until(lambda: figures.snapshot().get("upstream_failed"), 30)
        hub.thaw()
        until(lambda: figures.snapshot().get("upstream_sent") == 2, 60)
        until(lambda: "id-2" in [json.loads(payload)["id"] for payload in listener.payloads()])


def test_failed_tries_leave_no_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each client that could not connect is shut down again."""
    monkeypatch.setattr("bridge.edgehub.Backoff.next", lambda self: 0.01)
    for name, value in EdgeHub(tmp_path / "hub").environment.items():
        monkeypatch.setenv(name, value)
    figures = Figures()
    with EdgeHubUpstream(figures) as upstream:
        upstream.send(visit(1))
        until(lambda: int(str(figures.snapshot().get("upstream_failed", 0))) >= 5, 60)
        few = threading.active_count()
        until(lambda: int(str(figures.snapshot().get("upstream_failed", 0))) >= 20, 60)
        assert threading.active_count() <= few + 4


def test_a_full_queue_drops_the_oldest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is over the bound is counted, never waited for."""
    monkeypatch.setattr("bridge.edgehub.MOST_WAITING", 3)
    for name, value in EdgeHub(tmp_path / "hub").environment.items():
        monkeypatch.setenv(name, value)
    figures = Figures()
    upstream = EdgeHubUpstream(figures)
    begin = time.monotonic()
    for number in NUMBERS:
        upstream.send(visit(number))
    assert time.monotonic() - begin < 1
    assert figures.snapshot()["dropped_upstream"] == 2
    assert [upstream._waiting.get_nowait().id for _ in range(3)] == ["id-2", "id-3", "id-4"]


def test_without_an_edgehub_in_the_environment_the_setting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """UPSTREAM=edgehub on a laptop is told at once, with what is missing."""
    monkeypatch.delenv("EdgeHubConnectionString", raising=False)
    with pytest.raises(InvalidSetting, match=r"UPSTREAM='edgehub'.*IOTEDGE_WORKLOADURI.*EdgeHubConnectionString"):
        EdgeHubUpstream(Figures())
