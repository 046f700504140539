"""Tests of the sink `edgehub` with the unmodified Azure SDK, against a stand-in edgeHub that fails on demand."""

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
from bus import Crossing, CurrentLabel, DayCounts, Setup, topics
from bus import metric_names as names
from runtime.backoff import Backoff
from tests.bridge.support import FakeBus, visit, visit_ids, visits
from tests.edgehub.hub import EdgeHub, properties
from tests.edgehub.workload import WorkloadApi
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import limit, until

pytestmark = pytest.mark.system


class Harness:
    """The sink `edgehub` with its outbox and control, and a stand-in edgeHub that is not started yet."""

    def __init__(self, folder: Path) -> None:
        self.hub = EdgeHub(folder / "hub")
        self.bus = FakeBus()
        self.outbox = Outbox(folder, ["edgehub"], 10_000, self.bus.metrics)
        self.forwarder = Forwarder(self.bus, self.outbox, Policy(), threading.Event())
        self.control = Control(self.bus, self.forwarder, self.outbox, report_interval=0.5)
        self.timeouts, self.backoff = Timeouts(twin=2.0, twin_max=2.0), Backoff(0.2, 0.2)

    def sender(self) -> Sender:
        """Returns a sender, which sends while its context is entered."""
        sink = EdgeHubSink(self.control, self.bus.metrics, self.timeouts)
        return Sender("edgehub", sink, self.outbox, self.bus.metrics, self.backoff)

    def add(self, *numbers: int) -> None:
        self.outbox.add(visits(*numbers))

    def wait_until_sent(self, *numbers: int) -> None:
        """Adds visits, and waits until the outbox is empty."""
        self.add(*numbers)
        until(lambda: self.outbox.size == 0, 60, "an empty outbox")

    def metric(self, name: str) -> float:
        return self.bus.metrics.snapshot().get(name, 0)

    def wait_for(self, name: str, number: int = 1) -> None:
        """Waits until a metric has grown by `number`."""
        target = self.metric(name) + number
        until(lambda: self.metric(name) >= target, 60, name)

    @property
    def received_ids(self) -> list[str]:
        """The ids of the results that the hub received, in order and without repeats."""
        return list(dict.fromkeys(record["body"]["id"] for record in self.hub.records()))


@pytest.fixture
def harness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Harness]:
    harness = Harness(tmp_path)
    for name, value in harness.hub.environment.items():
        monkeypatch.setenv(name, value)
    with closing(harness.outbox):
        yield harness


def test_a_failing_edgehub_receives_all_results_in_order(harness: Harness) -> None:
    """It starts late, does not acknowledge, is frozen, and refuses to reconnect, after which the library gives up.

    Unacknowledged results are sent again with the same id. Failed attempts leave no threads.
    """
    hub, harness.backoff = harness.hub, Backoff(0.01, 0.01)
    harness.timeouts.call, harness.timeouts.reconnect = 1.5, 2.0
    harness.add(*range(5))
    with harness.sender():
        harness.wait_for(names.SINK_FAILED, 5)
        threads = threading.active_count()
        harness.wait_for(names.SINK_FAILED, 15)
        assert threading.active_count() <= threads + 6
        with hub:
            harness.wait_until_sent()
            hub.cut_next = True
            harness.wait_until_sent(5)
            hub.withhold_acks = True
            harness.add(6, 7)
            harness.wait_for(names.EDGEHUB_CLIENTS)
            assert harness.outbox.size == 2
            hub.withhold_acks = False
            harness.wait_until_sent()
            hub.is_frozen = True
            harness.add(8)
            harness.wait_for(names.SINK_FAILED, 2)
            assert harness.received_ids == visit_ids(*range(8))
            hub.is_frozen = False
            harness.wait_until_sent()
            hub.connack_code, hub.cut_next = 5, True
            harness.add(9)
            harness.wait_for(names.SINK_FAILED)
            hub.connack_code = 0
            harness.wait_until_sent()
            hub.twin.patch({"forward": "all"})
            until(lambda: hub.twin.reported.get("policy", {}).get("forward") == "all", 30)
            clients = harness.metric(names.EDGEHUB_CLIENTS)
            hub.end()  # while there is nothing to send, report or wait for
            hub.connack_code = 5
            hub.start()
            harness.wait_for(names.SINK_FAILED)
            hub.connack_code = 0
            until(lambda: harness.metric(names.EDGEHUB_CLIENTS) > clients, 30)
    assert harness.received_ids == visit_ids(*range(10))
    ids = [record["body"]["id"] for record in hub.records()]
    assert min(ids.count(visit_id) for visit_id in visit_ids(5, 6, 9)) >= 2


def test_results_are_sent_without_a_twin(harness: Harness) -> None:
    """The client is replaced until the twin arrives, which is then applied."""
    twin = harness.hub.twin
    twin.is_silent = True
    twin.merge({"forward": "all"})
    with harness.hub, harness.sender():
        harness.wait_until_sent(0)
        until(lambda: harness.metric(names.EDGEHUB_CLIENTS) >= 3, 60)
        harness.wait_until_sent(1)
        assert harness.forwarder.policy.forward == "visits"
        until(lambda: harness.metric(names.EDGEHUB_STUCK) >= 2, 60)
        twin.is_silent = False
        until(lambda: harness.forwarder.policy.forward == "all", 30)


def test_methods_are_answered_also_after_a_lost_session(harness: Harness) -> None:
    """A method that is slow or fails returns an error. A restarted edgeHub has lost the session, but appears connected."""
    release, harness.timeouts.method = threading.Event(), 1.0
    methods: dict[str, Any] = harness.control.methods._methods
    no_payload = methods["status"][0]
    methods["slow"] = no_payload, lambda _payload: release.wait(limit(20))
    methods["bad"] = no_payload, lambda _payload: 1 // 0
    with harness.hub as hub, harness.sender():
        until(lambda: hub.twin.reported.get("version"), 30)
        assert [hub.twin.call(name, None)[0] for name in ("slow", "bad", "reboot", "status")] == [504, 500, 404, 200]
        release.set()
        hub.end()
        hub.start()
        harness.wait_for(names.EDGEHUB_CLIENTS)
        until(lambda: "methods" in str(hub.subscriptions), 30)
        assert hub.twin.call("status", None)[0] == 200
        hub.twin.patch({"forward": "none"})
        until(lambda: harness.forwarder.policy.forward == "none", 30)


def test_the_sink_recovers_from_a_failing_or_silent_workload_api(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library never repeats a failed token renewal, and waits for the workload API without a timeout."""
    harness.timeouts.token_lifetime, harness.timeouts.call = 124, 1.5  # renewed two minutes before
    with harness.hub, WorkloadApi(harness.hub) as workload:
        monkeypatch.delenv("EdgeHubConnectionString")
        for name, value in workload.environment.items():
            monkeypatch.setenv(name, value)
        with harness.sender():
            until(lambda: harness.metric(names.EDGEHUB_CLIENTS), 30)
            assert workload.signatures
            workload.fails = True
            harness.wait_for(names.SINK_FAILED, 2)
            workload.is_silent = True
            harness.wait_for(names.SINK_FAILED, 2)
            threads = threading.active_count()
            harness.wait_for(names.SINK_FAILED, 3)
            assert threading.active_count() <= threads, "a request that hangs must not be repeated"
            harness.timeouts.call = 20.0
            workload.fails = workload.is_silent = False
            harness.wait_until_sent(0)


def test_desired_properties_are_applied_and_reported(harness: Harness) -> None:
    """Patches can be lost, or arrive in any order. Invalid properties are reported by name; the others are applied.

    A report that the hub refuses is sent again. It delays no result, and the client is kept.
    """
    twin = harness.hub.twin
    twin.refuse_reports = True
    twin.merge({"forward": "changes", "minProbability": 7, "modelUrl": 5})
    with harness.hub, harness.sender():
        until(lambda: twin.refused >= 2, 30)
        harness.wait_until_sent(0)
        twin.refuse_reports = False
        until(lambda: twin.reported.get("desiredVersion") == 2, 30)
        assert twin.reported["policy"] == {"forward": "changes", "minProbability": 0.0, "labels": [], "intervalSeconds": 0.0}
        assert twin.reported["refused"].keys() == {"minProbability", "modelUrl"}
        patches = [twin.merge({"minProbability": number / 10, "modelUrl": None}) for number in range(2, 7)]
        twin.merge({"labels": ["man"]})
        last = twin.merge({"intervalSeconds": 5})
        for patch in [patches[2], patches[0], patches[1], last, patches[0]]:
            twin.publish(patch)
        until(lambda: harness.forwarder.policy == Policy("changes", 0.6, ("man",), 5.0), 30)
        twin.patch({"labels": None, "forward": None})
        until(lambda: harness.forwarder.policy == Policy("visits", 0.6, (), 5.0), 30)
        until(lambda: twin.reported["refused"] == {} and twin.reported["policy"]["minProbability"] == 0.6)
        assert harness.metric(names.EDGEHUB_CLIENTS) == 1


def test_two_sinks_receive_the_results_that_the_cloud_selects(broker: Broker, tmp_path: Path) -> None:
    """`python -m bridge` sends to IoT Hub and prints lines with counts. A frozen edgeHub does not delay the end.

    A setup in the twin is retained for its camera.
    """
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
            until(lambda: bridge.log.count("applied version") == 2)
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
            listener.publish(topics.label("door"), CurrentLabel("door", None, None, None, at).pack(), retain=True)
            listener.publish(topics.crossing("door"), Crossing("id-9", "door", "id-2", "gate", "in", "Herr", at).pack())
            until(lambda: len(hub.records()) == 2, 30)
            crossing = {"type": "crossing", "camera": "door", "label": "Herr", "direction": "in", "line": "gate"}
            assert properties(hub.records()[1]["topic"]).items() >= ({"$.on": "crossings"} | crossing).items()
            until(lambda: bridge.out.endswith(" door: Herr went in (gate)\n"))
            hub.twin.patch({"setup": {"door": {"lines": []}, "back": {}}})
            until(lambda: hub.twin.call("status", None)[1]["setup"].get("door") == {"state": "applied"}, 30)
            assert hub.twin.call("status", None)[1]["setup"]["back"]["detail"] == "unknown camera; known cameras: door"
            with Listener(broker.port, topics.setup("door")) as late:
                [retained] = late.wait_for("setup")
            assert late.messages()[0].retain
            assert Setup.from_topic(topics.setup("door"), retained) == Setup("door", lines=())
            hub.is_frozen = True
            listener.publish(topics.visit("door"), visits[2].pack())
            until(lambda: bridge.out.count("\n") == 3)
            started_at = time.monotonic()
            assert bridge.end() == 0
            assert time.monotonic() - started_at < limit(5)
