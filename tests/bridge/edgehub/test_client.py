"""Results upstream and twin changes down: the unmodified Azure SDK against a stand-in that fails in the known ways."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bridge import results
from bridge.forwarder import Forwarder
from bridge.outbox import Outbox
from bridge.policy import Policy
from bridge.sender import Sender
from bridge.sinks.edgehub.client import EdgeHubSink, Timeouts
from bridge.sinks.edgehub.control import Control
from bus import Bus, Visit
from bus import metric_names as names
from bus.settings import BusSettings
from runtime.backoff import Backoff
from runtime.metrics import Metrics
from tests.edgehub.hub import EdgeHub, properties
from tests.edgehub.workload import Workload
from tests.support.wait import limit, until

pytestmark = pytest.mark.system


def visit(number: int, label: str = "woman") -> Visit:
    return Visit(f"door-{number}", "door", label, 1000.0 + number, 1003.0 + number, 0.9, 30)


def named(*numbers: int) -> list[str]:
    return [visit(number).id for number in numbers]


class World:
    """The edgehub sink with an outbox; the bus is never entered."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch
        self.metrics = Metrics()
        self.outbox = Outbox(folder / "state", ["edgehub"], 10_000, self.metrics)
        self.bus = Bus(BusSettings.model_validate({"MODULE_NAME": "bridge"}))
        self.forwarder = Forwarder(self.bus, self.outbox, Policy(), threading.Event())
        self.control = Control(self.bus, self.forwarder, self.outbox, report_every=0.5)
        self.timeouts = Timeouts(twin=2.0, twin_max=2.0)
        self.backoff = Backoff(0.2, 0.2)

    def set_environment(self, environment: Mapping[str, str]) -> None:
        self.monkeypatch.delenv("EdgeHubConnectionString", raising=False)
        for name, value in environment.items():
            self.monkeypatch.setenv(name, value)

    def sender(self) -> Sender:
        """Sends while it is entered."""
        return Sender("edgehub", EdgeHubSink(self.control, self.metrics, self.timeouts), self.outbox, self.metrics, self.backoff)

    def put(self, *numbers: int) -> None:
        self.outbox.add([results.from_visit(visit(number)) for number in numbers])

    def metric(self, name: str) -> float:
        return self.metrics.snapshot().get(name, 0)

    def wait_for_failures(self, number: int = 1) -> None:
        """Until there are so many more."""
        all_of_them = self.metric(names.SINK_FAILED) + number
        until(lambda: self.metric(names.SINK_FAILED) >= all_of_them, 60, f"{number} failures")

    def wait_until_sent(self) -> None:
        until(lambda: self.outbox.size == 0, 60, "an empty outbox")

    @property
    def waiting(self) -> list[str]:
        return [entry.result.id for entry in self.outbox.waiting("edgehub", 100)]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    one = World(tmp_path, monkeypatch)
    with closing(one.outbox):
        yield one


@pytest.fixture
def hub(tmp_path: Path, world: World) -> Iterator[EdgeHub]:
    with EdgeHub(tmp_path / "hub") as running:
        world.set_environment(running.environment)
        yield running


def arrived(hub: EdgeHub) -> list[str]:
    """The ids that came, repeated ones once."""
    return list(dict.fromkeys(record["body"]["id"] for record in hub.records()))


def test_a_visit_arrives_as_iot_hub_can_route_it(world: World, hub: EdgeHub) -> None:
    world.outbox.add([results.from_visit(visit(1, "Frau Müller"))])
    with world.sender():
        world.wait_until_sent()
    record = hub.records()[0]
    assert record["topic"].startswith("devices/pi/modules/bridge/messages/events/")
    assert record["body"]["label"] == "Frau Müller"
    assert properties(record["topic"]) == {
        "$.on": "visits",
        "$.mid": "door-1",
        "$.ct": "application/json",
        "$.ce": "utf-8",
        "type": "visit",
        "camera": "door",
        "label": "Frau Müller",
        "probability": "0.9000",
    }


def test_an_edgehub_that_is_away_or_refuses_gets_all_in_order(world: World, tmp_path: Path) -> None:
    """Late; not authorised after a cut, when the library gives up for good; with nothing to send. Attempts leave no threads."""
    hub = EdgeHub(tmp_path / "hub")
    world.set_environment(hub.environment)
    world.backoff = Backoff(0.01, 0.01)
    world.timeouts.call, world.timeouts.unconnected = 5.0, 2.0
    world.put(*range(5))
    with world.sender():
        world.wait_for_failures(5)
        few = threading.active_count()
        world.wait_for_failures(15)
        assert threading.active_count() <= few + 6
        with hub:
            world.wait_until_sent()
            hub.refuse, hub.cut_after = 5, True
            world.put(5)
            world.wait_for_failures()
            hub.refuse = 0
            world.wait_until_sent()
            clients = world.metric(names.EDGEHUB_CLIENTS)
            hub.end()
            hub.refuse = 5
            hub.start()
            world.wait_for_failures()
            hub.refuse = 0
            until(lambda: world.metric(names.EDGEHUB_CLIENTS) > clients, 30)
    assert arrived(hub) == named(*range(6))


def test_what_is_not_acknowledged_is_sent_again_under_the_same_id(world: World, hub: EdgeHub) -> None:
    """By another client when a call hangs, as of a frozen edgeHub; a stop does not wait for it."""
    world.timeouts.call = 1.5
    world.put(0)
    with world.sender():
        world.wait_until_sent()
        hub.cut_after = True
        world.put(1)
        world.wait_until_sent()
        clients = world.metric(names.EDGEHUB_CLIENTS)
        hub.withhold = True
        world.put(2, 3)
        until(lambda: world.metric(names.EDGEHUB_CLIENTS) > clients, 30)
        assert world.waiting == named(2, 3)
        hub.withhold = False
        world.wait_until_sent()
        hub.is_frozen = True
        world.put(4)
        world.wait_for_failures(2)
        assert arrived(hub) == named(0, 1, 2, 3)
        hub.is_frozen = False
        world.wait_until_sent()
        hub.is_frozen = True
        world.put(5)
        until(lambda: world.waiting == named(5))
        began_at = time.monotonic()
    assert time.monotonic() - began_at < limit(3)
    assert world.waiting == named(5)
    assert arrived(hub) == named(0, 1, 2, 3, 4)
    ids = [record["body"]["id"] for record in hub.records()]
    assert min(ids.count("door-1"), ids.count("door-2")) >= 2


def test_a_twin_that_does_not_come_holds_nothing_up(world: World, hub: EdgeHub) -> None:
    """Results go all the same, clients follow each other, and when the twin comes it is applied."""
    hub.twin.is_silent = True
    hub.twin.merge({"forward": "all"})
    with world.sender():
        world.put(0)
        world.wait_until_sent()
        until(lambda: world.metric(names.EDGEHUB_CLIENTS) >= 3, 60)
        world.put(1)
        world.wait_until_sent()
        assert world.forwarder.policy.forward == "visits"
        until(lambda: world.metric(names.EDGEHUB_STUCK) >= 2, 60)
        hub.twin.is_silent = False
        until(lambda: world.forwarder.policy.forward == "all", 30)
    assert arrived(hub) == named(0, 1)


def test_methods_are_answered_and_a_lost_session_is_noticed(world: World, hub: EdgeHub) -> None:
    """A method that takes too long or fails gets an error. An edgeHub that forgot its subscribers looks connected."""
    release = threading.Event()
    world.timeouts.method = 1.0
    methods: dict[str, Any] = world.control.methods._methods
    nothing = methods["status"][0]
    methods["slow"] = nothing, lambda _payload: release.wait(limit(20))
    methods["bad"] = nothing, lambda _payload: 1 // 0
    with world.sender():
        until(lambda: hub.twin.reported.get("version"), 30)
        for name, status in {"slow": 504, "bad": 500, "reboot": 404, "status": 200}.items():
            assert hub.twin.call(name, None)[0] == status
        release.set()
        clients = world.metric(names.EDGEHUB_CLIENTS)
        hub.forget()
        until(lambda: world.metric(names.EDGEHUB_CLIENTS) > clients, 60)
        until(lambda: _call_status(hub) == 200, 30)
        hub.twin.patch({"forward": "none"})
        until(lambda: world.forwarder.policy.forward == "none", 30)


def _call_status(hub: EdgeHub) -> int | None:
    try:
        return hub.twin.call("status", None, 1)[0]
    except (TimeoutError, ConnectionError):
        return None


def test_a_workload_api_that_fails_or_is_silent(world: World, hub: EdgeHub) -> None:
    """The library tries to renew a token once and never again, and waits for an answer for ever."""
    world.timeouts.token_life, world.timeouts.call = 124, 1.5  # renewed two minutes before
    with Workload(hub) as workload:
        world.set_environment(workload.environment)
        with world.sender():
            until(lambda: world.metric(names.EDGEHUB_CLIENTS), 30)
            workload.fails = True
            world.wait_for_failures(2)
            workload.is_silent = True
            world.wait_for_failures(2)
            few = threading.active_count()
            world.wait_for_failures(3)
            assert threading.active_count() <= few, "a request that hangs is not repeated"
            world.timeouts.call = 20.0
            world.put(0)
            workload.fails = workload.is_silent = False
            world.wait_until_sent()
        assert workload.signed


def test_what_the_cloud_wants_is_in_force_and_reported(world: World, hub: EdgeHub) -> None:
    """In whatever order patches come, and with some lost; what is refused is reported by name, and the rest applied.

    A report that the hub refuses costs no client, holds up no result, and is tried again. A restart without edgeHub keeps it all.
    """
    hub.twin.refuse_reports = True
    hub.twin.merge({"forward": "changes", "minProbability": 7, "modelUrl": 5})
    with world.sender():
        until(lambda: hub.twin.refused >= 2, 30)
        world.put(0)
        world.wait_until_sent()
        assert world.metric(names.EDGEHUB_CLIENTS) == 1
        hub.twin.refuse_reports = False
        until(lambda: hub.twin.reported.get("desiredVersion") == 2, 30)
        reported = hub.twin.reported
        assert reported["policy"] == {"forward": "changes", "minProbability": 0.0, "labels": [], "intervalSeconds": 0.0}
        assert "a number from 0 to 1" in reported["refused"]["minProbability"]
        assert "must be text" in reported["refused"]["modelUrl"]
        patches = [hub.twin.merge({"minProbability": number / 10, "modelUrl": None}) for number in range(2, 7)]
        hub.twin.merge({"labels": ["man"]})
        last = hub.twin.merge({"intervalSeconds": 5})
        for patch in [patches[2], patches[0], patches[1], last, patches[0]]:
            hub.twin.publish(patch)
        until(lambda: world.forwarder.policy == Policy("changes", 0.6, ("man",), 5.0), 30)
        hub.twin.patch({"labels": None, "forward": None})
        until(lambda: world.forwarder.policy == Policy("visits", 0.6, (), 5.0), 30)
        until(lambda: hub.twin.reported["refused"] == {} and hub.twin.reported["policy"]["minProbability"] == 0.6)
        assert world.metric(names.EDGEHUB_CLIENTS) == 1
    world.forwarder.policy = Policy()
    Control(world.bus, world.forwarder, world.outbox).recall()
    assert world.forwarder.policy == Policy("visits", 0.6, (), 5.0)
