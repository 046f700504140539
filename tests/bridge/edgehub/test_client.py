"""Results upstream and twin changes down: the unmodified Azure SDK against a stand-in that fails in the known ways."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge.forwarder import Forwarder
from bridge.outbox import Outbox
from bridge.policy import Policy
from bridge.sender import Sender
from bridge.sinks.edgehub.client import EdgeHubSink, Timeouts
from bridge.sinks.edgehub.control import Control
from bus import DayCounts, topics
from bus import metric_names as names
from runtime.backoff import Backoff
from tests.bridge.support import FakeBus, named, visit, visits
from tests.edgehub.hub import EdgeHub, properties
from tests.edgehub.workload import Workload
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import limit, until

pytestmark = pytest.mark.system


class World:
    """The sink edgehub with all that it needs, and an edgeHub that is to be started."""

    def __init__(self, folder: Path) -> None:
        self.hub = EdgeHub(folder / "hub")
        self.bus = FakeBus()
        self.outbox = Outbox(folder, ["edgehub"], 10_000, self.bus.metrics)
        self.forwarder = Forwarder(self.bus, self.outbox, Policy(), threading.Event())
        self.control = Control(self.bus, self.forwarder, self.outbox, report_every=0.5)
        self.timeouts, self.backoff = Timeouts(twin=2.0, twin_max=2.0), Backoff(0.2, 0.2)

    def sender(self) -> Sender:
        """Sends while it is entered."""
        sink = EdgeHubSink(self.control, self.bus.metrics, self.timeouts)
        return Sender("edgehub", sink, self.outbox, self.bus.metrics, self.backoff)

    def put(self, *numbers: int) -> None:
        self.outbox.add(visits(*numbers))

    def wait_until_sent(self, *numbers: int) -> None:
        """These too."""
        self.put(*numbers)
        until(lambda: self.outbox.size == 0, 60, "an empty outbox")

    def metric(self, name: str) -> float:
        return self.bus.metrics.snapshot().get(name, 0)

    def wait_for(self, name: str, number: int = 1) -> None:
        """Until a metric is so much larger."""
        target = self.metric(name) + number
        until(lambda: self.metric(name) >= target, 60, name)

    @property
    def arrived(self) -> list[str]:
        """Repeated ones once."""
        return list(dict.fromkeys(record["body"]["id"] for record in self.hub.records()))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    one = World(tmp_path)
    for name, value in one.hub.environment.items():
        monkeypatch.setenv(name, value)
    with closing(one.outbox):
        yield one


def test_an_edgehub_that_fails_gets_all_in_order(world: World) -> None:
    """Late; not acknowledging; frozen, while calls hang; not authorised after a cut, when the library gives up for good.

    What is not acknowledged is sent again under the same id. Attempts leave no threads.
    """
    hub, world.backoff = world.hub, Backoff(0.01, 0.01)
    world.timeouts.call, world.timeouts.unconnected = 1.5, 2.0
    world.put(*range(5))
    with world.sender():
        world.wait_for(names.SINK_FAILED, 5)
        few = threading.active_count()
        world.wait_for(names.SINK_FAILED, 15)
        assert threading.active_count() <= few + 6
        with hub:
            world.wait_until_sent()
            hub.cut_after = True
            world.wait_until_sent(5)
            hub.withhold = True
            world.put(6, 7)
            world.wait_for(names.EDGEHUB_CLIENTS)
            assert world.outbox.size == 2
            hub.withhold = False
            world.wait_until_sent()
            hub.is_frozen = True
            world.put(8)
            world.wait_for(names.SINK_FAILED, 2)
            assert world.arrived == named(*range(8))
            hub.is_frozen = False
            world.wait_until_sent()
            hub.refuse, hub.cut_after = 5, True
            world.put(9)
            world.wait_for(names.SINK_FAILED)
            hub.refuse = 0
            world.wait_until_sent()
            hub.twin.patch({"forward": "all"})
            until(lambda: hub.twin.reported.get("policy", {}).get("forward") == "all", 30)
            clients = world.metric(names.EDGEHUB_CLIENTS)
            hub.end()  # with nothing to send, to report or to wait for
            hub.refuse = 5
            hub.start()
            world.wait_for(names.SINK_FAILED)
            hub.refuse = 0
            until(lambda: world.metric(names.EDGEHUB_CLIENTS) > clients, 30)
    assert world.arrived == named(*range(10))
    ids = [record["body"]["id"] for record in hub.records()]
    assert min(ids.count(one) for one in named(5, 6, 9)) >= 2


def test_a_twin_that_does_not_come_holds_nothing_up(world: World) -> None:
    """Results go all the same, clients follow each other, and when the twin comes it is applied."""
    twin = world.hub.twin
    twin.is_silent = True
    twin.merge({"forward": "all"})
    with world.hub, world.sender():
        world.wait_until_sent(0)
        until(lambda: world.metric(names.EDGEHUB_CLIENTS) >= 3, 60)
        world.wait_until_sent(1)
        assert world.forwarder.policy.forward == "visits"
        until(lambda: world.metric(names.EDGEHUB_STUCK) >= 2, 60)
        twin.is_silent = False
        until(lambda: world.forwarder.policy.forward == "all", 30)


def test_methods_are_answered_and_a_lost_session_is_noticed(world: World) -> None:
    """A method that takes too long or fails gets an error. An edgeHub that forgot its subscribers looks connected."""
    release, world.timeouts.method = threading.Event(), 1.0
    methods: dict[str, Any] = world.control.methods._methods
    nothing = methods["status"][0]
    methods["slow"] = nothing, lambda _payload: release.wait(limit(20))
    methods["bad"] = nothing, lambda _payload: 1 // 0
    with world.hub as hub, world.sender():
        until(lambda: hub.twin.reported.get("version"), 30)
        assert [hub.twin.call(name, None)[0] for name in ("slow", "bad", "reboot", "status")] == [504, 500, 404, 200]
        release.set()
        hub.end()
        hub.start()
        world.wait_for(names.EDGEHUB_CLIENTS)
        until(lambda: "methods" in str(hub.filters), 30)
        assert hub.twin.call("status", None)[0] == 200
        hub.twin.patch({"forward": "none"})
        until(lambda: world.forwarder.policy.forward == "none", 30)


def test_a_workload_api_that_fails_or_is_silent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library tries to renew a token once and never again, and waits for an answer for ever."""
    world.timeouts.token_life, world.timeouts.call = 124, 1.5  # renewed two minutes before
    with world.hub, Workload(world.hub) as workload:
        monkeypatch.delenv("EdgeHubConnectionString")
        for name, value in workload.environment.items():
            monkeypatch.setenv(name, value)
        with world.sender():
            until(lambda: world.metric(names.EDGEHUB_CLIENTS), 30)
            assert workload.signed
            workload.fails = True
            world.wait_for(names.SINK_FAILED, 2)
            workload.is_silent = True
            world.wait_for(names.SINK_FAILED, 2)
            few = threading.active_count()
            world.wait_for(names.SINK_FAILED, 3)
            assert threading.active_count() <= few, "a request that hangs is not repeated"
            world.timeouts.call = 20.0
            workload.fails = workload.is_silent = False
            world.wait_until_sent(0)


def test_what_the_cloud_wants_is_in_force_and_reported(world: World) -> None:
    """In whatever order patches come, and with some lost; what is refused is reported by name, and the rest applied.

    A report that the hub refuses costs no client, holds up no result, and is tried again.
    """
    twin = world.hub.twin
    twin.refuse_reports = True
    twin.merge({"forward": "changes", "minProbability": 7, "modelUrl": 5})
    with world.hub, world.sender():
        until(lambda: twin.refused >= 2, 30)
        world.wait_until_sent(0)
        twin.refuse_reports = False
        until(lambda: twin.reported.get("desiredVersion") == 2, 30)
        assert twin.reported["policy"] == {"forward": "changes", "minProbability": 0.0, "labels": [], "intervalSeconds": 0.0}
        assert twin.reported["refused"].keys() == {"minProbability", "modelUrl"}
        patches = [twin.merge({"minProbability": number / 10, "modelUrl": None}) for number in range(2, 7)]
        twin.merge({"labels": ["man"]})
        last = twin.merge({"intervalSeconds": 5})
        for patch in [patches[2], patches[0], patches[1], last, patches[0]]:
            twin.publish(patch)
        until(lambda: world.forwarder.policy == Policy("changes", 0.6, ("man",), 5.0), 30)
        twin.patch({"labels": None, "forward": None})
        until(lambda: world.forwarder.policy == Policy("visits", 0.6, (), 5.0), 30)
        until(lambda: twin.reported["refused"] == {} and twin.reported["policy"]["minProbability"] == 0.6)
        assert world.metric(names.EDGEHUB_CLIENTS) == 1


def test_two_sinks_get_what_the_cloud_wants(broker: Broker, tmp_path: Path) -> None:
    """By `python -m bridge`: as IoT Hub can route it, and as lines with counts. A frozen edgeHub does not delay its end."""
    at = time.time() - 4
    visits = [replace(visit(number, "Frau Müller"), started_at=at + number, ended_at=at + 3 + number) for number in range(3)]
    counts = DayCounts("door", time.strftime("%Y-%m-%d", time.localtime(at)), {"Frau Müller": 6, "Herr": 7}, {})
    with EdgeHub(tmp_path) as hub, Listener(broker.port, topics.status("bridge")) as listener:
        hub.twin.merge({"forward": "none"})
        with Module("bridge", broker.port, SINKS="edgehub,log", LOG_RESULTS="text", **hub.environment) as bridge:
            until(lambda: hub.twin.reported.get("policy", {}).get("forward") == "none", 30)
            listener.publish(topics.visit("door"), visits[0].pack())
            listener.settle()
            time.sleep(1)
            hub.twin.patch({"forward": "visits"})
            until(lambda: bridge.log.count("is in force") == 2)
            for message in (visits[1], visits[1], counts):
                listener.publish(message.topic, message.pack())
            [record] = until(hub.records, 30)
            assert record["topic"].startswith("devices/pi/modules/bridge/messages/events/")
            assert record["body"]["label"] == "Frau Müller"
            assert properties(record["topic"]) == {
                **{"$.on": "visits", "$.mid": "id-1", "$.ct": "application/json", "$.ce": "utf-8"},
                **{"type": "visit", "camera": "door", "label": "Frau Müller", "probability": "0.9000"},
            }
            assert hub.twin.call("status", None)[1]["policy"]["forward"] == "visits"
            assert b'"running"' in listener.payloads()[-1]
            until(lambda: bridge.out.count("\n") == 1)
            assert bridge.out[8:] == " door: Frau Müller, 3.0 s (today: Frau Müller 6, Herr 7)\n"
            hub.is_frozen = True
            listener.publish(topics.visit("door"), visits[2].pack())
            until(lambda: bridge.out.count("\n") == 2)
            began_at = time.monotonic()
            assert bridge.end() == 0
            assert time.monotonic() - began_at < limit(5)
