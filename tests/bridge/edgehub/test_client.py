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
from bridge.sinks.edgehub import check_environment
from bridge.sinks.edgehub.client import EdgeHubSink, Timeouts
from bridge.sinks.edgehub.control import Control
from bus import Bus, InvalidSetting, Visit
from bus import metric_names as names
from bus.settings import BusSettings
from runtime.backoff import Backoff
from runtime.metrics import Metrics
from tests.edgehub.gateway import connection_string
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

    def wait_for_failures(self, number: int, seconds: float = 30) -> None:
        until(lambda: self.metric(names.SINK_FAILED) >= number, seconds, f"{number} failures")

    def wait_until_sent(self, seconds: float = 30) -> None:
        until(lambda: self.outbox.size == 0, seconds, "an empty outbox")

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


@pytest.mark.parametrize("signed_in_by", ["connection string", "workload"])
def test_a_visit_arrives_as_iot_hub_can_route_it(world: World, hub: EdgeHub, signed_in_by: str) -> None:
    with Workload(hub) as workload:
        if signed_in_by == "workload":
            world.set_environment(workload.environment)
        check_environment()
        world.outbox.add([results.from_visit(visit(1, "Frau Müller"))])
        with world.sender():
            world.wait_until_sent()
        assert bool(workload.signed) is (signed_in_by == "workload")
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


def test_an_edgehub_that_comes_late_gets_all_in_order(world: World, tmp_path: Path) -> None:
    """Each attempt is counted, and leaves no thread behind."""
    hub = EdgeHub(tmp_path / "hub")
    world.set_environment(hub.environment)
    world.backoff = Backoff(0.01, 0.01)
    world.put(*range(5))
    with world.sender():
        world.wait_for_failures(5, 60)
        few = threading.active_count()
        world.wait_for_failures(20, 60)
        assert threading.active_count() <= few + 6
        with hub:
            world.wait_until_sent(60)
    assert arrived(hub) == named(*range(5))


def test_a_frozen_edgehub_costs_the_client_and_no_result(world: World, hub: EdgeHub) -> None:
    """A call that hangs is given up in time, the same result sent again by another client; a stop does not wait for it."""
    world.timeouts.call = 1.5
    world.put(0)
    with world.sender():
        world.wait_until_sent()
        hub.is_frozen = True
        world.put(1, 2)
        world.wait_for_failures(2)
        assert arrived(hub) == named(0)
        hub.is_frozen = False
        world.wait_until_sent(60)
        assert arrived(hub) == named(0, 1, 2)
        hub.is_frozen = True
        world.put(3)
        until(lambda: world.waiting == named(3))
        began_at = time.monotonic()
    assert time.monotonic() - began_at < limit(3)
    assert world.waiting == named(3)


@pytest.mark.parametrize("fault", ["cut", "withheld"])
def test_what_is_not_acknowledged_is_sent_again_under_the_same_id(world: World, hub: EdgeHub, fault: str) -> None:
    world.timeouts.call = 1.5 if fault == "withheld" else 75.0
    world.put(0)
    with world.sender():
        world.wait_until_sent()
        clients = world.metric(names.EDGEHUB_CLIENTS)
        hub.cut_after, hub.withhold = fault == "cut", fault == "withheld"
        world.put(1, 2)
        if fault == "withheld":
            until(lambda: world.metric(names.EDGEHUB_CLIENTS) > clients, 30)
            assert world.waiting == named(1, 2)
            hub.withhold = False
        world.wait_until_sent(60)
    assert arrived(hub) == named(0, 1, 2)
    assert [record["body"]["id"] for record in hub.records()].count("door-1") >= 2


def test_a_refused_connection_is_tried_again(world: World, hub: EdgeHub) -> None:
    """Not authorised at first, and again after a lost one, when the library gives up for good, with nothing to send too."""
    world.timeouts.call, world.timeouts.unconnected = 5.0, 2.0
    hub.refuse = 5
    world.put(0)
    with world.sender():
        world.wait_for_failures(2)
        hub.refuse = 0
        world.wait_until_sent()
        hub.refuse = 5
        hub.cut_after = True
        world.put(1)
        failed = world.metric(names.SINK_FAILED)
        world.wait_for_failures(int(failed) + 1, 60)
        hub.refuse = 0
        world.put(2)
        world.wait_until_sent(60)
        clients = world.metric(names.EDGEHUB_CLIENTS)
        hub.end()
        hub.refuse = 5
        failed = world.metric(names.SINK_FAILED)
        hub.start()
        world.wait_for_failures(int(failed) + 1, 60)
        hub.refuse = 0
        until(lambda: world.metric(names.EDGEHUB_CLIENTS) > clients, 30)
    assert arrived(hub) == named(0, 1, 2)


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


def test_a_lost_session_ends_in_a_client_that_is_subscribed(world: World, hub: EdgeHub) -> None:
    """An edgeHub that has forgotten its subscribers looks connected and sends nothing more."""
    with world.sender():
        until(lambda: hub.twin.reported.get("version"), 30)
        hub.forget()
        until(lambda: world.metric(names.EDGEHUB_CLIENTS) >= 2, 60)
        until(lambda: _call_status(hub) == 200, 30)
        hub.twin.patch({"forward": "none"})
        until(lambda: world.forwarder.policy.forward == "none", 30)


def _call_status(hub: EdgeHub) -> int | None:
    try:
        return hub.twin.call("status", None, 1)[0]
    except (TimeoutError, ConnectionError):
        return None


def test_a_token_that_cannot_be_renewed_ends_in_a_new_client(world: World, hub: EdgeHub) -> None:
    """The library tries a renewal once and never again."""
    world.timeouts.token_life = 124  # renewed two minutes before
    with Workload(hub) as workload:
        world.set_environment(workload.environment)
        with world.sender():
            until(lambda: world.metric(names.EDGEHUB_CLIENTS), 30)
            workload.fails = True
            world.wait_for_failures(2)
            workload.fails = False
            world.put(0)
            world.wait_until_sent()


def test_a_workload_api_that_is_silent_is_given_up(world: World, hub: EdgeHub) -> None:
    """The library waits for it for ever; the request that hangs is not repeated beside it."""
    world.timeouts.call = 1.0
    with Workload(hub) as workload:
        world.set_environment(workload.environment)
        workload.is_silent = True
        world.put(0)
        with world.sender():
            world.wait_for_failures(2)
            few = threading.active_count()
            world.wait_for_failures(5)
            assert threading.active_count() <= few
            world.timeouts.call = 20.0
            workload.is_silent = False
            world.wait_until_sent()


def test_patches_apply_in_the_order_of_their_versions(world: World, hub: EdgeHub) -> None:
    """Delivered out of order, twice, and with one missing, the result is what the cloud has."""
    hub.twin.merge({"forward": "changes", "minProbability": 0.1})
    with world.sender():
        until(lambda: world.forwarder.policy == Policy("changes", 0.1), 30)
        until(lambda: hub.twin.reported.get("desiredVersion") == 2)
        patches = [hub.twin.merge({"minProbability": number / 10, f"other{number}": 1}) for number in range(2, 7)]
        lost = hub.twin.merge({"labels": ["man"]})
        last = hub.twin.merge({"intervalSeconds": 5})
        for patch in [patches[2], patches[0], patches[4], patches[1], patches[3], patches[0], last]:
            hub.twin.publish(patch)
        until(lambda: world.forwarder.policy == Policy("changes", 0.6, ("man",), 5.0), 30)
        hub.twin.publish(lost)
        hub.twin.patch({"labels": None, "forward": None})
        until(lambda: world.forwarder.policy == Policy("visits", 0.6, (), 5.0), 30)


def test_a_bad_value_is_refused_by_name_and_the_rest_is_in_force(world: World, hub: EdgeHub) -> None:
    """Both are reported, with the version; once corrected, the refusal is withdrawn. A restart without edgeHub keeps it all."""
    hub.twin.merge({"forward": "all", "minProbability": 7, "modelUrl": 5})
    with world.sender():
        until(lambda: hub.twin.reported.get("desiredVersion") == 2, 30)
        reported = hub.twin.reported
        assert "a number from 0 to 1" in reported["refused"]["minProbability"]
        assert "must be text" in reported["refused"]["modelUrl"]
        assert reported["policy"] == {"forward": "all", "minProbability": 0.0, "labels": [], "intervalSeconds": 0.0}
        hub.twin.patch({"minProbability": 0.7, "modelUrl": None})
        until(lambda: hub.twin.reported.get("desiredVersion") == 3, 30)
        until(lambda: hub.twin.reported["refused"] == {})
        assert hub.twin.reported["policy"]["minProbability"] == 0.7
    world.forwarder.policy = Policy()
    Control(world.bus, world.forwarder, world.outbox).recall()
    assert world.forwarder.policy == Policy("all", 0.7)


def test_reports_keep_their_distance_and_may_be_refused(world: World, hub: EdgeHub) -> None:
    """However often things change; a refused report costs no client, holds up no result, and is tried again."""
    world.control = Control(world.bus, world.forwarder, world.outbox, report_every=1.0)
    hub.twin.refuse_reports = True
    with world.sender():
        until(lambda: hub.twin.refused, 30)
        clients = world.metric(names.EDGEHUB_CLIENTS)
        until(lambda: hub.twin.refused >= 2, 30)
        world.put(0)
        world.wait_until_sent()
        assert world.metric(names.EDGEHUB_CLIENTS) == clients
        hub.twin.refuse_reports = False
        for number in range(40):
            hub.twin.patch({"minProbability": number / 100})
            time.sleep(0.05)
        until(lambda: hub.twin.reported.get("policy", {}).get("minProbability") == 0.39, 30)
    times = [report["at"] for report in hub.twin.reports]
    assert (len(times) - 1) * 1.0 < times[-1] - times[0] + 1.0, "one may be late, and the next be the sooner after it"


def test_a_method_that_takes_too_long_or_fails_is_answered(world: World, hub: EdgeHub) -> None:
    """In time, by an error; the next is answered as ever."""
    release = threading.Event()
    world.timeouts.method = 1.0
    methods: dict[str, Any] = world.control.methods._methods
    methods["slow"] = lambda _payload: release.wait(limit(20))
    methods["bad"] = lambda _payload: 1 // 0
    with world.sender():
        until(lambda: hub.twin.reported.get("version"), 30)
        assert hub.twin.call("slow", None)[0] == 504
        assert hub.twin.call("bad", None)[0] == 500
        assert hub.twin.call("reboot", None)[0] == 404
        assert hub.twin.call("status", None)[0] == 200
        release.set()


@pytest.mark.parametrize("twin", [None, [], {"desired": 3, "reported": []}, {"desired": {"$version": "x"}}])
def test_an_invalid_twin_is_ignored(world: World, twin: object) -> None:
    world.control.connected(twin)
    world.control.refreshed(twin)
    assert world.control.due()
    assert world.forwarder.policy == Policy()


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({}, r"SINKS='edgehub'.*IOTEDGE_WORKLOADURI.*EdgeHubConnectionString"),
        ({"EdgeHubConnectionString": "HostName=foo"}, r"EdgeHubConnectionString: GatewayHostName.* missing"),
        (
            {"EdgeHubConnectionString": "HostName=a;GatewayHostName=;DeviceId=b;ModuleId=c;SharedAccessKey=d"},
            r"GatewayHostName missing",
        ),
    ],
)
def test_an_environment_that_no_retry_helps_is_refused(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], reason: str
) -> None:
    """At the start, with what is missing and without the key."""
    for name in connection_string("", Path("x")):
        monkeypatch.delenv(name, raising=False)
    for name, value in (environment and {"EdgeModuleCACertificateFile": "authority.pem"} | environment).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSetting, match=reason) as refused:
        check_environment()
    assert "=d" not in str(refused.value)
