"""Results upstream, and the cloud's word back: the unmodified Azure SDK against stand-ins that fail as it is known to happen."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bridge import outgoing
from bridge.cloud.control import Control
from bridge.cloud.edgehub import EdgeHubUpstream
from bridge.policy import Policy
from bridge.upstream import Sender
from bus import Bus, InvalidSetting
from bus.settings import BusSettings
from counter.ledger import Ledger
from counter.site import Site
from counter.visits import Rules
from runtime.metrics import Metrics
from tests.counter.test_ledger import ids, visit, with_visit
from tests.edgehub.hub import EdgeHub, properties
from tests.edgehub.stub import Stub
from tests.edgehub.workload import Workload
from tests.support.wait import limit, until


class World:
    """All of the bridge that is towards the cloud, without the rest of it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch
        self.ledger = Ledger(folder / "state", 10_000, Metrics())
        self.metrics = Metrics()
        bus = Bus(BusSettings.model_validate({"MODULE_NAME": "bridge"}))  # never entered: what is published waits
        self.site = Site(Rules(0.5, 3, 1.5, lambda label: label == "nobody"), Policy(), bus.count_and_warn)
        self.control = Control(bus, self.site, self.ledger, None)

    def leads_to(self, environment: Mapping[str, str]) -> None:
        """Has the environment name an edgeHub."""
        for name, value in environment.items():
            self.monkeypatch.setenv(name, value)

    def sender(self) -> Sender:
        """A running one sends what the ledger holds."""
        return Sender(self.ledger, EdgeHubUpstream(self.control, self.metrics), self.metrics)

    def put(self, *numbers: int) -> None:
        """Visits to be sent."""
        for number in numbers:
            self.ledger.commit(with_visit(number))

    def figure(self, name: str) -> int:
        """What a figure has come to."""
        return int(str(self.metrics.snapshot().get(name, 0)))

    def wait_until_sent(self, seconds: float = 30) -> None:
        """Until the outbox is empty."""
        until(lambda: not ids(self.ledger), seconds, "an empty outbox")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """One that tries again quickly."""
    monkeypatch.setattr("bridge.upstream.Backoff.next", lambda self: 0.2)
    monkeypatch.setattr("bridge.cloud.edgehub.Backoff.next", lambda self: 2.0)
    one = World(tmp_path, monkeypatch)
    with closing(one.ledger):
        yield one


@pytest.fixture
def hub(tmp_path: Path, world: World) -> Iterator[EdgeHub]:
    """A stand-in edgeHub to which the environment leads."""
    with EdgeHub(tmp_path / "hub") as running:
        world.leads_to(running.environment)
        yield running


@pytest.fixture
def stub(tmp_path: Path, world: World) -> Iterator[Stub]:
    """A scripted one."""
    with Stub(tmp_path / "stub") as running:
        world.leads_to(running.environment)
        yield running


def arrived(stub: Stub) -> list[str]:
    """The ids that a stub was sent, repeated ones once."""
    return list(dict.fromkeys(record["body"]["id"] for record in stub.records()))


def named(*numbers: int) -> list[str]:
    """The ids of visits."""
    return [visit(number).id for number in numbers]


@pytest.mark.parametrize("signed_in_by", ["connection string", "workload"])
def test_a_visit_arrives_as_iot_hub_can_route_it(world: World, hub: EdgeHub, tmp_path: Path, signed_in_by: str) -> None:
    """Output, content type, encoding, id and properties are set; the body is the ledger's; both ways of signing in."""
    with Workload(tmp_path / "w", hub) as workload, hub.listener() as listener:
        if signed_in_by == "workload":
            world.monkeypatch.delenv("EdgeHubConnectionString")
            world.leads_to(workload.environment)
        one = outgoing.of_visit(visit(1, "Frau Müller"))
        world.ledger.commit(with_visit(1, "Frau Müller"))
        with world.sender():
            body = listener.wait_for("", 1, 30)[0].decode()
            topic = listener.messages()[0].topic
            world.wait_until_sent()
        assert bool(workload.signed) is (signed_in_by == "workload")
    assert topic.startswith("devices/pi/modules/bridge/messages/events/")
    assert body == one.body
    assert properties(topic) == {
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
    """Where nobody listens each try is counted; what waits is sent once somebody does."""
    hub = EdgeHub(tmp_path / "hub")
    world.leads_to(hub.environment)
    world.put(*range(5))
    with world.sender():
        until(lambda: world.figure("upstream_failed") >= 2, 30)
        with hub, hub.listener() as listener:
            told = [json.loads(payload)["id"] for payload in listener.wait_for("", 5, 60)]
            world.wait_until_sent()
    assert list(dict.fromkeys(told)) == named(*range(5))


def test_a_frozen_edgehub_costs_the_client_and_no_message(world: World, stub: Stub) -> None:
    """A send that hangs is given up in time, and the same visit sent again by another client."""
    world.monkeypatch.setattr("bridge.cloud.edgehub.TIMEOUT", 1.5)
    world.put(0)
    with world.sender():
        world.wait_until_sent()
        stub.is_frozen = True
        world.put(1, 2)
        until(lambda: world.figure("upstream_failed") >= 2, 30)
        assert arrived(stub) == named(0)
        stub.is_frozen = False
        world.wait_until_sent(60)
    assert arrived(stub) == named(0, 1, 2)


def test_a_connection_lost_before_the_acknowledgement_repeats_the_id(world: World, stub: Stub) -> None:
    """What edgeHub may have, but has not acknowledged, is sent again under the same id."""
    world.put(0)
    with world.sender():
        world.wait_until_sent()
        stub.cut_after = True
        world.put(1, 2)
        world.wait_until_sent(60)
    assert arrived(stub) == named(0, 1, 2)
    assert [record["body"]["id"] for record in stub.records()].count("door-1") >= 2


def test_a_message_that_is_never_acknowledged_is_sent_by_another_client(world: World, stub: Stub) -> None:
    """The watchdog on each send ends the wait for an acknowledgement that does not come."""
    world.monkeypatch.setattr("bridge.cloud.edgehub.TIMEOUT", 1.5)
    stub.withhold = True
    world.put(0, 1)
    with world.sender():
        until(lambda: world.figure("upstream_clients") >= 2, 30)
        assert ids(world.ledger) == named(0, 1)
        stub.withhold = False
        world.wait_until_sent()
    assert arrived(stub) == named(0, 1)


def test_a_refused_connection_is_tried_again(world: World, stub: Stub) -> None:
    """Not authorised at first, and again when it comes back: the library gives up for good, the bridge does not."""
    world.monkeypatch.setattr("bridge.cloud.edgehub.TIMEOUT", 5.0)
    stub.refuse = 5
    world.put(0)
    with world.sender():
        until(lambda: world.figure("upstream_failed") >= 2, 30)
        stub.refuse = 0
        world.wait_until_sent()
        stub.refuse = 5
        stub.cut_after = True
        world.put(1)
        failed = world.figure("upstream_failed")
        until(lambda: world.figure("upstream_failed") > failed, 60)
        stub.refuse = 0
        world.put(2)
        world.wait_until_sent(60)
    assert arrived(stub) == named(0, 1, 2)


def test_a_client_that_does_not_come_back_is_replaced(world: World, stub: Stub) -> None:
    """With nothing to send: a library that was refused once stops connecting, and the cloud would hear nothing for ever."""
    world.monkeypatch.setattr("bridge.cloud.edgehub.UNCONNECTED", 2.0)
    with world.sender():
        until(lambda: stub.twin.reports, 30)
        stub.end()
        stub.refuse = 5
        connects = stub.connects
        stub.start()
        until(lambda: stub.connects > connects, 30, "a connection that is refused")
        until(lambda: world.figure("upstream_failed"), 30, "a client that is given up")
        stub.refuse = 0
        until(lambda: world.figure("upstream_clients") >= 2, 30)  # on a slow machine the second is given up too


def test_a_twin_that_is_not_told_holds_nothing_up(world: World, stub: Stub) -> None:
    """Messages go all the same, clients follow each other, and once it is told, what the cloud wants is in force."""
    stub.twin_silent = True
    stub.twin.merge({"forward": "all"})
    with world.sender():
        world.put(0)
        world.wait_until_sent()
        until(lambda: world.figure("upstream_clients") >= 3, 30)
        world.put(1)
        world.wait_until_sent()
        assert world.site.policy.forward == "visits"
        until(lambda: world.figure("upstream_stuck") >= 2, 60)  # one whose connection is lost meanwhile is not stuck
        stub.twin_silent = False
        until(lambda: world.site.policy.forward == "all", 30)
    assert arrived(stub) == named(0, 1)


def test_a_lost_session_ends_in_a_client_that_hears(world: World, hub: EdgeHub) -> None:
    """An edgeHub that has forgotten its subscribers looks connected and says nothing more: methods work again all the same."""
    with world.sender():
        until(lambda: hub.twin.reported.get("version"), 30)
        hub.forget()
        until(lambda: world.figure("upstream_clients") >= 2, 60)
        until(lambda: _status_of_call(hub, "status") == 200, 30)
        hub.twin.patch({"forward": "none"})
        until(lambda: world.site.policy.forward == "none", 30)


def _status_of_call(hub: EdgeHub, name: str) -> int | None:
    try:
        return hub.twin.call(name, None, 1)[0]
    except (TimeoutError, ConnectionError):
        return None


def test_a_token_that_cannot_be_renewed_ends_in_a_new_client(world: World, hub: EdgeHub, tmp_path: Path) -> None:
    """The library tries a renewal once and never again; the bridge signs in anew as soon as that works."""
    world.monkeypatch.setattr("bridge.cloud.edgehub.TOKEN_LIFE", 124)  # renewed two minutes before
    with Workload(tmp_path / "w", hub) as workload, hub.listener() as listener:
        world.monkeypatch.delenv("EdgeHubConnectionString")
        world.leads_to(workload.environment)
        with world.sender():
            until(lambda: world.figure("upstream_clients"), 30)
            workload.fails = True
            until(lambda: world.figure("upstream_failed") >= 2, 30)
            workload.fails = False
            world.put(0)
            world.wait_until_sent()
        listener.wait_for("", 1)


def test_a_workload_api_that_is_silent_is_given_up(world: World, hub: EdgeHub, tmp_path: Path) -> None:
    """The library waits for it without an end."""
    world.monkeypatch.setattr("bridge.cloud.edgehub.TIMEOUT", 1.0)
    with Workload(tmp_path / "w", hub) as workload:
        world.monkeypatch.delenv("EdgeHubConnectionString")
        world.leads_to(workload.environment)
        workload.is_silent = True
        world.put(0)
        with world.sender():
            until(lambda: world.figure("upstream_failed") >= 2, 30)
            few = threading.active_count()
            until(lambda: world.figure("upstream_failed") >= 5, 30)
            assert threading.active_count() <= few, "the same question is not asked again beside the one that hangs"
            world.monkeypatch.setattr("bridge.cloud.edgehub.TIMEOUT", 20.0)
            workload.is_silent = False
            world.wait_until_sent()


def test_a_client_is_let_go_without_waiting(world: World, stub: Stub) -> None:
    """Shutting down towards a frozen edgeHub takes long, or for ever: the bridge ends in time."""
    world.put(0)
    with world.sender():
        world.wait_until_sent()
        stub.is_frozen = True
        world.put(1)
        until(lambda: ids(world.ledger) == named(1))
        began_at = time.monotonic()
    assert time.monotonic() - began_at < limit(3)
    assert ids(world.ledger) == named(1)


def test_failed_tries_leave_no_threads(world: World, tmp_path: Path) -> None:
    """Each client that could not connect is shut down again."""
    world.monkeypatch.setattr("bridge.upstream.Backoff.next", lambda self: 0.01)
    world.leads_to(EdgeHub(tmp_path / "hub").environment)
    world.put(0)
    with world.sender():
        until(lambda: world.figure("upstream_failed") >= 5, 60)
        few = threading.active_count()
        until(lambda: world.figure("upstream_failed") >= 20, 60)
        assert threading.active_count() <= few + 6


def test_patches_apply_in_the_order_of_their_versions(world: World, hub: EdgeHub) -> None:
    """Told out of order, twice, and with one left out, what is in force at the end is what the cloud has."""
    hub.twin.merge({"forward": "changes", "minProbability": 0.1})
    with world.sender():
        until(lambda: world.site.policy == Policy("changes", 0.1), 30)
        until(lambda: hub.twin.reported.get("desiredVersion") == 2)
        patches = [hub.twin.merge({"minProbability": number / 10, f"other{number}": 1}) for number in range(2, 7)]
        lost = hub.twin.merge({"labels": ["man"]})
        last = hub.twin.merge({"intervalSeconds": 5})
        for patch in [patches[2], patches[0], patches[4], patches[1], patches[3], patches[0], last]:
            hub.twin.publish(patch)
        until(lambda: world.site.policy == Policy("changes", 0.6, ("man",), 5.0), 30)
        hub.twin.publish(lost)
        hub.twin.patch({"labels": None, "forward": None})
        until(lambda: world.site.policy == Policy("visits", 0.6, (), 5.0), 30)


def test_a_bad_value_is_refused_by_name_and_the_rest_is_in_force(world: World, hub: EdgeHub) -> None:
    """Both are reported, with the version; once mended, the refusal is taken back."""
    world.monkeypatch.setattr("bridge.cloud.control.REPORT_EVERY", 0.5)
    hub.twin.merge({"forward": "all", "minProbability": 7, "modelUrl": "https://models.example/a.zip"})
    with world.sender():
        until(lambda: hub.twin.reported.get("desiredVersion") == 2, 30)
        reported = hub.twin.reported
        assert "a number from 0 to 1" in reported["refused"]["minProbability"]
        assert "MODEL_STORE is not set" in reported["refused"]["modelUrl"]
        assert reported["policy"] == {"forward": "all", "minProbability": 0.0, "labels": [], "intervalSeconds": 0.0}
        hub.twin.patch({"minProbability": 0.7, "modelUrl": None})
        until(lambda: hub.twin.reported.get("desiredVersion") == 3, 30)
        until(lambda: hub.twin.reported["refused"] == {})
        assert hub.twin.reported["policy"]["minProbability"] == 0.7


def test_what_the_cloud_wanted_holds_while_it_is_away(world: World, hub: EdgeHub) -> None:
    """A bridge that starts without an edgeHub goes on as it was told last."""
    hub.twin.merge({"forward": "none"})
    with world.sender():
        until(lambda: world.site.policy.forward == "none", 30)
    bus = Bus(BusSettings.model_validate({"MODULE_NAME": "bridge"}))
    site = Site(world.site._rules, Policy(), bus.count_and_warn)
    Control(bus, site, world.ledger, None).recall()
    assert site.policy.forward == "none"


def test_reports_keep_their_distance(world: World, hub: EdgeHub) -> None:
    """However often things change, they are reported no more often than allowed, and the last state in the end."""
    world.monkeypatch.setattr("bridge.cloud.control.REPORT_EVERY", 2.0)
    with world.sender():
        until(lambda: hub.twin.reports, 30)
        for number in range(40):
            hub.twin.patch({"minProbability": number / 100})
            time.sleep(0.05)
        until(lambda: hub.twin.reported.get("policy", {}).get("minProbability") == 0.39, 30)
    times = [report["at"] for report in hub.twin.reports]
    assert len(times) >= 2
    assert (len(times) - 1) * 2.0 < times[-1] - times[0] + 2.0, "one may be late, and the next be the sooner after it"


def test_a_report_that_is_refused_holds_nothing_up(world: World, hub: EdgeHub) -> None:
    """Messages go on through the same client; the report is tried again when the next is due."""
    world.monkeypatch.setattr("bridge.cloud.control.REPORT_EVERY", 0.5)
    tries: list[str] = []

    def refuse(request: str, _payload: bytes) -> tuple[str, bytes]:
        tries.append(request)
        return f"$iothub/twin/res/413/?$rid={request}", b""

    world.monkeypatch.setattr(hub.twin, "_report", refuse)
    with world.sender():
        world.put(0)
        world.wait_until_sent()
        until(lambda: tries, 30)
        clients, first = world.figure("upstream_clients"), len(tries)
        until(lambda: len(tries) > first + 1, 30)
        world.put(1)
        world.wait_until_sent()
        assert world.figure("upstream_clients") == clients


@pytest.mark.parametrize("twin", [None, [], {"desired": 3, "reported": []}, {"desired": {"$version": "x"}}])
def test_a_twin_that_is_none_is_passed_over(world: World, twin: object) -> None:
    """Whatever the hub tells, what was in force stays so."""
    world.control.connected(twin)
    world.control.refreshed(twin)
    assert world.control.due()
    assert world.site.policy == Policy()


def test_methods_are_answered(world: World, hub: EdgeHub) -> None:
    """Known ones do what they say, unknown ones and bad payloads are 4xx with the reason; each in time."""
    world.ledger.commit(with_visit(1))
    world.site.recall({"door": f'{{"visits": {{"timeline": {{"last_at": {time.time()}}}}}}}'}, time.time())
    with world.sender():
        until(lambda: hub.twin.reported.get("version"), 30)
        status, answer = hub.twin.call("status", None)
        assert (status, answer["policy"]["forward"]) == (200, "visits")
        day = "2026-09-21"
        status, answer = hub.twin.call("counts", {"day": day})
        assert (status, answer["cameras"]["door"]["day"], answer["cameras"]["door"]["totals"]) == (200, day, {"woman": 1})
        assert hub.twin.call("pause", {"camera": "door"}) == (200, {"cameras": ["door"]})
        assert hub.twin.call("reboot", None)[0] == 404
        assert hub.twin.call("counts", {"day": "soon"})[0] == 400
        assert hub.twin.call("rollback", None)[0] == 409


def test_a_method_that_takes_too_long_or_fails_is_answered(world: World, hub: EdgeHub) -> None:
    """Soon, by an error; the next is answered as ever."""
    release = threading.Event()
    answers: dict[str, Any] = {"slow": lambda: release.wait(limit(20)), "bad": lambda: 1 // 0}
    own = world.control.methods.answer
    world.monkeypatch.setattr(
        world.control.methods, "answer", lambda name, payload: (answers.get(name) or own)(*_given(name, payload))
    )
    with world.sender():
        until(lambda: hub.twin.reported.get("version"), 30)
        began_at = time.monotonic()
        assert hub.twin.call("slow", None)[0] == 504
        assert time.monotonic() - began_at < limit(5)
        assert hub.twin.call("bad", None)[0] == 500
        assert hub.twin.call("status", None)[0] == 200
        release.set()


def _given(name: str, payload: object) -> tuple[Any, ...]:
    return () if name in ("slow", "bad") else (name, payload)


def test_without_an_edgehub_in_the_environment_the_setting_is_refused(world: World) -> None:
    """UPSTREAM=edgehub on a laptop is told at once, with what is missing."""
    world.monkeypatch.delenv("EdgeHubConnectionString", raising=False)
    with pytest.raises(InvalidSetting, match=r"UPSTREAM='edgehub'.*IOTEDGE_WORKLOADURI.*EdgeHubConnectionString"):
        EdgeHubUpstream(world.control, Metrics())


@pytest.mark.parametrize("given", ["HostName=foo", "HostName=a;GatewayHostName=;DeviceId=b;ModuleId=c;SharedAccessKey=d"])
def test_a_connection_string_that_is_none_is_refused(world: World, given: str) -> None:
    """At the start, with what it lacks and without its key: no retry would mend it."""
    world.monkeypatch.setenv("EdgeHubConnectionString", given)
    world.monkeypatch.setenv("EdgeModuleCACertificateFile", "authority.pem")
    with pytest.raises(InvalidSetting, match=r"EdgeHubConnectionString: GatewayHostName.* missing") as refused:
        EdgeHubUpstream(world.control, Metrics())
    assert "=d" not in str(refused.value)
