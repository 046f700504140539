"""The bridge as a process on a real broker: what was accepted is counted, whatever happens to it."""

import json
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest
from paho.mqtt.client import MQTTMessage
from pydantic import JsonValue

from bridge.policy import Policy
from bus import Bus, Command, CurrentLabel, DayCounts, Message, Prediction, Status, Visit, topics
from bus.outbound import MOST_QUEUED, Acknowledged
from bus.settings import BusSettings
from counter.counting import Counting
from counter.database import FILE
from counter.hours import hour_begin
from counter.ledger import Changes, Ledger
from counter.site import SILENCE, Round, Site
from runtime.metrics import Metrics
from tests.counter.test_ledger import visit
from tests.counter.test_visits import RULES, seen
from tests.edgehub.stub import Stub
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.proxy import PUBACK, PUBLISH, Proxy
from tests.support.wait import limit, until
from tests.support.wall_clock import WallClock
from tests.support.zone import zone_at_noon

TOPICS = ("footfall/+/visit", "footfall/+/label", "footfall/+/counts", "footfall/+/command", "footfall/status/bridge")


class Shop:
    """A broker with a bridge that can be ended and begun again, and someone who hears all that it says."""

    def __init__(self, broker: Broker, listener: Listener, state: Path) -> None:
        self.broker = broker
        self.listener = listener
        self.state = state

    def bridge(self, **settings: object) -> Module:
        """The bridge, on the same ledger each time."""
        return Module("bridge", self.broker.port, STATE_DIR=self.state, **settings)

    def unpublished(self) -> list[str]:
        """Ids of the visits that the ledger has not marked as published."""
        with closing(sqlite3.connect(f"file:{self.state / FILE}?mode=ro", uri=True, timeout=limit(10))) as connection:
            return [one for (one,) in connection.execute("SELECT id FROM visit WHERE NOT is_told ORDER BY number")]

    def see(self, text: str, begin: float, camera: str = "door") -> None:
        """Publishes predictions."""
        for one in seen(text, begin=begin):
            self.listener.publish(topics.prediction(camera), replace(one, camera=camera).pack())

    def visits(self) -> list[Visit]:
        """Those told so far."""
        return [Visit.unpack(payload) for payload in self.listener.payloads("/visit")]

    def counts(self) -> list[DayCounts]:
        """Those told so far."""
        return [DayCounts.unpack(payload) for payload in self.listener.payloads("/counts")]

    def told(self, state: str) -> bool:
        """Whether the bridge's last word is that state."""
        words = self.listener.payloads("status/bridge")
        return bool(words) and json.loads(words[-1])["state"] == state

    def labels(self) -> list[str | None]:
        """Those told of the door."""
        return [CurrentLabel.unpack(payload).label for payload in self.listener.payloads("door/label")]


@pytest.fixture
def shop(broker: Broker, tmp_path: Path) -> Iterator[Shop]:
    """One without a bridge yet; its session is known to the broker."""
    with Listener(broker.port, *TOPICS) as listener:
        one = Shop(broker, listener, tmp_path / "state")
        with one.bridge():
            until(lambda: one.told("running"))
        yield one


def test_a_kill_in_the_middle_of_a_visit_does_not_split_it(shop: Shop) -> None:
    """The visit goes on with what the broker kept, and is told once, from its begin to its end."""
    begin = time.time() - 60
    with shop.bridge() as bridge:
        shop.see("w" * 10, begin)
        until(lambda: "woman" in shop.labels())
        bridge.end(signal.SIGKILL)
        shop.see("w" * 10, begin + 1)
    shop.see("w" * 10 + "n" * 10, begin + 2)
    with shop.bridge() as bridge:
        until(shop.visits)
        until(lambda: len(bridge.results_of("visit")) == 1)
        assert bridge.end() == 0
    assert [(one.label, one.frames) for one in shop.visits()] == [("woman", 30)]
    assert shop.visits()[0].started_at == pytest.approx(begin)
    assert shop.visits()[0].ended_at == pytest.approx(begin + 2.9)


def test_an_hour_away_costs_nothing(shop: Shop) -> None:
    """36,000 predictions wait at the broker; of its 240 visits each is there, whole."""
    begin = time.time() - 3700
    frames = [one for number in range(240) for one in seen("w" * 100 + "n" * 50, begin=begin + 15 * number)]
    shop.listener.client.max_inflight_messages_set(1000)
    last = [shop.listener.client.publish(topics.prediction("door"), one.pack(), 1) for one in frames][-1]
    last.wait_for_publish(limit(60))
    with shop.bridge():
        until(lambda: len(shop.visits()) == 240, 60)
    assert [visit.frames for visit in shop.visits()] == [100] * 240
    assert [visit.started_at for visit in shop.visits()] == pytest.approx([begin + 15 * number for number in range(240)])


def test_a_stop_leaves_the_visit_open_and_says_that_nobody_is_known(shop: Shop) -> None:
    """While no bridge runs nobody is said to be there; the next one goes on with the visit."""
    begin = time.time() - 60
    with shop.bridge() as bridge:
        shop.see("w" * 10, begin)
        until(lambda: "woman" in shop.labels())
        assert bridge.end() == 0
    until(lambda: shop.labels()[-1] is None)
    assert not shop.visits()
    with shop.bridge():
        until(lambda: shop.labels()[-1] == "woman")
        shop.see("w" * 10 + "n" * 10, begin + 1)
        until(shop.visits)
    assert shop.visits()[0].frames == 20


def test_an_hour_that_is_over_is_summed_up(shop: Shop) -> None:
    """Of what is selected, by label, once, as soon as a later frame shows that it is over; over a restart too."""
    hour = hour_begin(time.time()) - 7200
    with shop.bridge(LABELS="woman") as bridge:
        shop.see("w" * 10 + "n" * 10 + "m" * 10 + "n" * 10 + "w" * 10 + "n" * 10, hour + 600)
        shop.see("n", hour + 3601)
        until(lambda: len(bridge.results) == 3)
        summary = bridge.results[-1]
    with shop.bridge(LABELS="woman") as again:
        shop.see("n" * 10, hour + 3602)
        until(lambda: shop.told("running"))
        again.end()
        assert not again.results
    assert (summary["type"], summary["visits"], summary["began_at"]) == ("summary", {"woman": 2}, hour)


def test_counts_survive_a_restart(shop: Shop) -> None:
    """Today's visits are those of the ledger, told at once."""
    begin, zone = time.time() - 5, zone_at_noon()
    for _ in range(2):
        with shop.bridge(TZ=zone):
            shop.see("w" * 10 + "n" * 10, begin)
            until(lambda: {"woman": 1} in [one.totals for one in shop.counts()])
    assert len(shop.visits()) == 1


def counted(counts: DayCounts) -> float:
    """For how many seconds of the day."""
    return 3600 * sum(share or 0.0 for share in counts.counted.values())


def test_an_empty_shop_is_known_to_have_been_counted(shop: Shop) -> None:
    """Counts are published once a camera counts, and every five minutes of it; after a stop the ledger has all of them."""
    begin, zone = time.time() - 45 * 20, zone_at_noon()
    with shop.bridge(TZ=zone):
        shop.see("n", begin)
        until(shop.counts)
        assert counted(shop.counts()[0]) == 0
        for number in range(1, 20):
            shop.see("n", begin + 45 * number)
        until(lambda: counted(shop.counts()[-1]) >= 500)
        assert not any(one.totals for one in shop.counts())
    number = len(shop.counts())
    with shop.bridge(TZ=zone):
        until(lambda: len(shop.counts()) > number)
        assert counted(shop.counts()[-1]) == pytest.approx(45 * 19, abs=10)


def test_a_visit_over_midnight_is_in_the_counts_of_the_day_it_began_on(shop: Shop) -> None:
    """They are told once more; what is retained are the counts of today."""
    now = time.time()
    yesterday, today = (datetime.fromtimestamp(at, timezone.utc).date().isoformat() for at in (now - 86400, now))
    with shop.bridge(TZ=zone_at_noon()):  # where it is the same day as at Greenwich
        shop.see("n", now - 86401)
        until(shop.counts)
        shop.see("w" * 10 + "n" * 10, now - 86400)
        until(lambda: yesterday in [one.day for one in shop.counts()[:-1]])
        with Listener(shop.broker.port, "footfall/door/counts") as later:
            later.wait_for("counts")
            retained = DayCounts.unpack(later.payloads("counts")[0])
    told = [(one.day, one.totals) for one in shop.counts()]
    assert told[0] == (today, {})
    assert told[-2:] == [(yesterday, {"woman": 1}), (today, {})]
    assert (retained.day, retained.totals) == (today, {})


def test_a_visit_that_was_committed_and_not_published_is_published(shop: Shop) -> None:
    """A bridge that ended between the two makes up for it at the next start, once."""
    with closing(Ledger(shop.state, 10, Metrics())) as ledger:
        ledger.commit(Changes(visits=[visit(1), visit(2)]))
    with shop.bridge():
        until(lambda: len(shop.visits()) == 2)
    with shop.bridge():
        until(lambda: shop.told("running"))
    assert shop.visits() == [visit(1), visit(2)]


def test_every_visit_arrives_when_the_broker_comes_late(shop: Shop) -> None:
    """More visits than any queue holds wait in the ledger while there is no broker; each arrives, in order, at the connection."""
    visits = [visit(number) for number in range(MOST_QUEUED + 200)]
    with closing(Ledger(shop.state, 10, Metrics())) as ledger:
        ledger.commit(Changes(visits=visits))
    proxy = Proxy(shop.broker.port)
    with shop.bridge(MQTT_PORT=proxy.port) as bridge:
        bridge.wait_for_log("no broker at")
        with proxy:
            until(lambda: len(shop.visits()) == len(visits), 60)
            until(lambda: not shop.unpublished(), 20)
    assert shop.visits() == visits


@pytest.mark.parametrize("dropped", [PUBLISH, PUBACK], ids=["PUBLISH", "PUBACK"])
@pytest.mark.parametrize("end", ["cut", "killed"])
def test_a_visit_is_published_again_until_it_is_acknowledged(shop: Shop, dropped: int, end: str) -> None:
    """Whichever packet was lost, and with whichever end: at the next connection it comes again, and is then marked."""
    with closing(Ledger(shop.state, 10, Metrics())) as ledger:
        ledger.commit(Changes(visits=[visit(1)]))
    with Proxy(shop.broker.port) as proxy:
        proxy.drops = {dropped}
        with shop.bridge(MQTT_PORT=proxy.port) as bridge:
            until(lambda: proxy.dropped and (shop.visits() or dropped == PUBLISH))
            before = len(shop.visits())
            shop.see("n", time.time())
            assert shop.unpublished() == [visit(1).id]
            if end == "killed":
                bridge.end(signal.SIGKILL)
            proxy.drops = set()
            proxy.cut()
            if end == "cut":
                until(lambda: not shop.unpublished(), 40)
        with shop.bridge(MQTT_PORT=proxy.port):
            until(lambda: not shop.unpublished())
        until(lambda: len(shop.visits()) > before)
        published = len(shop.visits())
        with shop.bridge(MQTT_PORT=proxy.port):
            until(lambda: shop.told("running"))
        shop.listener.settle()
        assert len(shop.visits()) == published
    assert set(shop.visits()) == {visit(1)}


def test_a_queue_that_has_room_again_takes_what_it_refused(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The visit stays in the ledger, nothing newer goes before it, and the next turn publishes it in the same connection."""
    bus = Bus(BusSettings.model_validate({"MODULE_NAME": "bridge", "mqtt_port": broker.port}), persistent=True)
    publish = bus.publish
    refused: list[str] = []

    def refuse_twice(message: Message, acknowledged: Acknowledged | None = None) -> bool:
        if isinstance(message, Visit) and len(refused) < 2:
            refused.append(message.id)
            return False
        return publish(message, acknowledged)

    monkeypatch.setattr(bus, "publish", refuse_twice)
    with closing(Ledger(tmp_path / "s", 10, Metrics())) as ledger, Listener(broker.port, *TOPICS) as listener:
        ledger.commit(Changes(visits=[visit(number) for number in range(3)]))
        counting, end = (
            Counting(bus, Site(RULES, Policy(), bus.count_and_warn), ledger, 400, threading.Event()),
            time.monotonic() + 20,
        )
        with bus:
            while ledger.unpublished(10) and time.monotonic() < end:
                counting.turn(0.1)
        assert refused == [visit(0).id] * 2
        assert [Visit.unpack(payload) for payload in listener.wait_for("/visit", 3)] == [visit(number) for number in range(3)]


def test_a_locked_ledger_holds_up_and_loses_nothing(shop: Shop) -> None:
    """That is said; the broker keeps the predictions, and everything else goes on."""
    begin = time.time() - 60
    with shop.bridge() as bridge:
        until(lambda: shop.told("running"))
        with closing(sqlite3.connect(shop.state / FILE, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            shop.see("w" * 200 + "n" * 10, begin)
            until(lambda: shop.told("ledger-unavailable"), 20)
            assert b"database is locked" in shop.listener.payloads("status/bridge")[-1]
            assert not shop.visits()
        until(shop.visits, 20)
        until(lambda: shop.told("running"))
        assert bridge.running
    assert [one.frames for one in shop.visits()] == [200]


def test_a_stop_while_the_ledger_is_locked_loses_nothing(shop: Shop) -> None:
    """It ends in time, and what it could not keep comes again to the next."""
    begin = time.time() - 60
    with closing(sqlite3.connect(shop.state / FILE, isolation_level=None)) as other, shop.bridge() as bridge:
        until(lambda: shop.told("running"))
        other.execute("BEGIN IMMEDIATE")
        shop.see("w" * 20 + "n" * 10, begin)
        until(lambda: shop.told("ledger-unavailable"), 20)
        stopped_at = time.monotonic()
        assert bridge.end() == 0
        assert time.monotonic() - stopped_at < limit(6)
    with shop.bridge():
        until(shop.visits)
    assert [one.frames for one in shop.visits()] == [20]


def test_a_broken_ledger_is_told_and_what_is_open_goes_on(shop: Shop) -> None:
    """A file that breaks under the bridge is replaced; the visit that goes on is not split by it."""
    begin = time.time() - 60
    with shop.bridge() as bridge:
        shop.see("w" * 10, begin)
        until(lambda: "woman" in shop.labels())
        for path in shop.state.glob(f"{FILE}*"):
            with path.open("r+b") as file:
                file.write(os.urandom(path.stat().st_size))
        shop.see("w" * 10 + "n" * 20, begin + 1)
        until(shop.visits, 20)
        until(
            lambda: (
                b"the ledger was broken and is repaired; the old file is ledger.db.broken-"
                in shop.listener.payloads("status/bridge")[-1]
            )
        )
        assert bridge.running
    assert [one.frames for one in shop.visits()] == [20]


def test_a_paused_camera_stays_so_over_a_restart(shop: Shop) -> None:
    """What it sends is not counted, and it is told to pause again."""
    with shop.bridge() as bridge:
        shop.see("www", time.time())
        until(lambda: shop.labels()[-1:] == ["woman"])
        shop.listener.publish(topics.command("door"), b'{"do": "pause"}')
        until(lambda: shop.labels()[-1:] == [None])
    until(shop.visits)
    with shop.bridge() as bridge:
        until(lambda: shop.told("running"))
        number = len(shop.listener.payloads("door/command"))
        shop.see("w" * 10 + "n" * 10, time.time() + 10)
        bridge.wait_for_log("door is paused")
        end = time.monotonic() + limit(20)
        while len(shop.listener.payloads("door/command")) == number and time.monotonic() < end:
            shop.see("w", time.time() + 20)
        assert Command.received(topics.command("door"), shop.listener.payloads("door/command")[-1]).do == "pause"
    assert len(shop.visits()) == 1


def test_the_end_of_a_recording_ends_what_is_open(shop: Shop) -> None:
    """What is open is counted at once, without the silence of a lost camera; then the bridge reports that all is counted, until
    predictions come again.
    """
    ended = Status("capture", "ended", metrics={"camera": "door"})

    def reported() -> object:
        return json.loads(shop.listener.payloads("status/bridge")[-1])["metrics"].get("ended")

    with shop.bridge() as bridge:
        bridge.wait_for_log("connected")
        begun_at = time.monotonic()
        shop.see("wwwwww", time.time() - 1)
        shop.listener.publish(ended.topic, ended.pack(), retain=True)
        until(lambda: reported() == ["door"])
        assert [visit.label for visit in shop.visits()] == ["woman"]
        assert shop.labels()[-1] is None
        assert time.monotonic() - begun_at < SILENCE
        shop.see("m", time.time())
        until(lambda: reported() == [])


@pytest.mark.parametrize(
    "camera", [None, 7, "Door", "status", "x" * 64_000], ids=["none", "number", "invalid", "reserved", "long"]
)
def test_the_end_of_a_recording_of_no_camera_is_dropped(tmp_path: Path, camera: JsonValue) -> None:
    """A status whose camera is no name is counted as invalid; it neither ends the bridge nor gets into its own status."""
    bus = Bus(BusSettings.model_validate({"MODULE_NAME": "bridge"}))
    with closing(Ledger(tmp_path, 10, Metrics())) as ledger:
        counting = Counting(bus, Site(RULES, Policy(), bus.count_and_warn), ledger, 400, threading.Event())
        hand(bus, Status("capture", "ended", metrics={} if camera is None else {"camera": camera}))
        hand(bus, Status("capture-2", "ended", metrics={"camera": "door"}))
        counting.turn(0)
    metrics = bus.metrics.snapshot()
    assert (metrics["invalid"], metrics["ended"]) == (1, ["door"])


def test_ended_recordings_are_bounded_and_can_be_forgotten(tmp_path: Path) -> None:
    """Of more than 64 made-up cameras the rest is dropped; one that is forgotten is no longer reported."""
    bus = Bus(BusSettings.model_validate({"MODULE_NAME": "bridge"}))
    with closing(Ledger(tmp_path, 10, Metrics())) as ledger:
        counting = Counting(bus, Site(RULES, Policy(), bus.count_and_warn), ledger, 400, threading.Event())
        for number in range(70):
            hand(bus, Status(f"capture-{number}", "ended", metrics={"camera": f"c{number:02}"}))
        counting.turn(0)
        metrics = bus.metrics.snapshot()
        assert (metrics["ended"], metrics["dropped_camera"]) == ([f"c{number:02}" for number in range(64)], 6)
        counting._on_cleared(topics.label("c00"))
        counting.turn(0)
    assert bus.metrics.snapshot()["ended"] == [f"c{number:02}" for number in range(1, 64)]


def test_statuses_do_not_pile_up_while_the_ledger_cannot_be_used(tmp_path: Path) -> None:
    """Of 10,000 that nobody takes only the end of the recording waits."""
    bus = Bus(BusSettings.model_validate({"MODULE_NAME": "bridge"}))
    with closing(Ledger(tmp_path, 10, Metrics())) as ledger:
        counting = Counting(bus, Site(RULES, Policy(), bus.count_and_warn), ledger, 400, threading.Event())
        for number in range(10_000):
            hand(bus, Status("capture", "ended" if number % 2 else "running", 1.0, 2.0 + number, metrics={"camera": "door"}))
        assert [message.topic for message in counting._inbox.take(0)] == [topics.status("capture")]


def hand(bus: Bus, message: Message) -> None:
    """Has a bus that is not connected take a message in, as from the broker."""
    received = MQTTMessage(topic=message.topic.encode())
    received.payload, received.retain = message.pack(), message.RETAINED
    for callback in bus._client._on_message_filtered.iter_match(message.topic):  # type: ignore[attr-defined]
        callback(None, None, received)


def test_a_command_does_not_overtake_what_came_before_it(shop: Shop) -> None:
    """A visit that was over when the pause came is counted, however late the bridge gets to both."""
    begin = time.time() - 60
    with shop.bridge():
        until(lambda: shop.told("running"))
        with closing(sqlite3.connect(shop.state / FILE, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            shop.see("w" * 10, begin)
            until(lambda: shop.told("ledger-unavailable"), 20)
            shop.see("w" * 20 + "n" * 10, begin + 1)
            shop.listener.publish(topics.command("door"), b'{"do": "pause"}')
        until(shop.visits, 20)
    assert [visit.frames for visit in shop.visits()] == [30]


def test_a_bridge_that_stood_still_splits_nothing(shop: Shop) -> None:
    """Suspended for longer than a camera may be silent, it hears first what came meanwhile."""
    begin = time.time() - 100
    with shop.bridge() as bridge:
        shop.see("w" * 10, begin)
        until(lambda: "woman" in shop.labels())
        assert bridge.process
        bridge.process.send_signal(signal.SIGSTOP)
        time.sleep(SILENCE + 2)
        shop.see("w" * 10 + "n" * 10, begin + 1)
        bridge.process.send_signal(signal.SIGCONT)
        until(shop.visits, 20)
    assert [visit.frames for visit in shop.visits()] == [20]


def test_it_ends_in_time_while_edgehub_is_frozen(shop: Shop, tmp_path: Path) -> None:
    """The library may wait for long for a connection; the bridge does not wait for the library."""
    with Stub(tmp_path / "hub") as stub:
        stub.is_frozen = True
        with shop.bridge(UPSTREAM="edgehub", **stub.environment) as bridge:
            until(lambda: shop.told("running"))
            shop.see("w" * 10 + "n" * 10, time.time() - 60)
            until(shop.visits)
            bridge.wait_for_log("connected to the broker")
            began_at = time.monotonic()
            assert bridge.end() == 0
            assert time.monotonic() - began_at < limit(4)


def test_a_label_that_nobody_knows_of_is_cleared(shop: Shop) -> None:
    """What the broker has kept of a camera that the ledger does not know is true no more."""
    shop.listener.publish("footfall/ghost/label", CurrentLabel("ghost", "woman", 0.9, 1000.0).pack(), retain=True)
    with shop.bridge():
        until(lambda: CurrentLabel.unpack(shop.listener.payloads("ghost/label")[-1]).label is None)


def test_a_camera_that_is_forgotten_stays_so(shop: Shop) -> None:
    """Its label is cleared at the broker: its open visit ends, and neither a new connection nor a restart brings it back."""

    def kept(camera: str) -> list[str]:
        with Listener(shop.broker.port, f"footfall/{camera}/#") as late:
            late.settle()
            return sorted(message.topic for message in late.messages() if message.retain)

    begin = time.time() - 5
    with shop.bridge():
        for camera in ("back", "door"):
            shop.see("w" * 10, begin, camera)
        until(lambda: len(kept("back") + kept("door")) == 4)
        until(lambda: "woman" in shop.labels())
        for topic in (topics.label("back"), topics.counts("back")):
            shop.listener.publish(topic, b"", retain=True)
        until(lambda: [visit.camera for visit in shop.visits()] == ["back"], what="the end of the visit that was open")
        shop.broker.end(signal.SIGTERM)  # after a crash, predictions of the last seconds come again
        reports = len(shop.listener.payloads("status/bridge"))
        shop.broker.start()
        until(lambda: any(not one.retain for one in shop.listener.messages("status/bridge")[reports:]), 60, "a new connection")
        until(lambda: len(kept("door")) == 2)
        assert kept("back") == []
    with shop.bridge():
        until(lambda: shop.told("running"))
        shop.see("n", time.time())
        until(lambda: len(kept("door")) == 2)
        assert kept("back") == []
    assert [visit.label for visit in shop.visits()][:1] == ["woman"], "what was counted stays"


def test_what_cannot_be_dealt_with_is_passed_over(broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A prediction that fails is counted and acknowledged; it would come again and again, to every bridge."""
    bus = Bus(BusSettings.model_validate({"MODULE_NAME": "bridge", "mqtt_port": broker.port}), persistent=True)
    site, stop = Site(RULES, Policy(), bus.count_and_warn), threading.Event()
    regard = site.take_in

    def take_in(prediction: Prediction, round_: Round) -> None:
        if prediction.camera == "bad":
            raise ZeroDivisionError
        regard(prediction, round_)

    monkeypatch.setattr(site, "take_in", take_in)
    with closing(Ledger(tmp_path / "s", 10, Metrics())) as ledger, Listener(broker.port, *TOPICS) as listener:
        counting, end = Counting(bus, site, ledger, 400, stop), time.monotonic() + limit(20)
        with bus:
            until(lambda: listener.payloads("status/bridge"))
            for one in seen("w" * 10 + "n" * 10, begin=time.time() - 60):
                for camera in ("bad", "door"):
                    listener.publish(topics.prediction(camera), replace(one, camera=camera).pack())
            while not listener.payloads("/visit") and time.monotonic() < end:
                counting.turn(0.1)
        assert listener.payloads("/visit")
        assert bus.metrics.snapshot()["failed"] == 20


def test_a_second_bridge_on_the_same_folder_is_refused(shop: Shop) -> None:
    """It ends with exit code 2 and one line."""
    with shop.bridge():
        until(lambda: shop.told("running"))
        with shop.bridge(MODULE_NAME="other") as other:
            until(lambda: not other.running)
            assert other.end() == 2
            assert "another bridge uses it" in other.log
            assert len(other.log.splitlines()) == 1


@pytest.mark.parametrize("zone", ["Europe/Berlim", "../etc/passwd", "", "Nowhere"])
def test_a_time_zone_that_there_is_not_is_refused(shop: Shop, zone: str) -> None:
    """A misspelt zone would count in UTC without a word."""
    with shop.bridge(TZ=zone) as bridge:
        if not zone:
            until(lambda: shop.told("running"))
            return
        until(lambda: not bridge.running)
        assert bridge.end() == 2
        assert "TZ=" in bridge.log


def test_a_bridge_that_starts_with_a_wrong_clock_deletes_nothing(shop: Shop, tmp_path: Path) -> None:
    """Three years ahead at two starts in a row, both reported: the visits of the last month are all there afterwards."""
    clock = WallClock(tmp_path / "clock", 3 * 365 * 86400)
    now = time.time()
    with closing(Ledger(shop.state, 10, Metrics())) as ledger:
        ledger.commit(Changes(visits=[visit(number, at=now - 2900 * number - 60) for number in range(900)]))
    for environment in (clock.environment, clock.environment, {}):
        with shop.bridge(**environment) as bridge:
            bridge.wait_for_log("running")
            until(lambda: shop.told("running"))
            ahead = b"the clock jumped ahead by 1095 days" in shop.listener.payloads("status/bridge")[-1]
            assert ahead is bool(environment)
            bridge.end()
    with closing(Ledger(shop.state, 10, Metrics())) as ledger:
        assert sum(ledger.totals("door", 0, 1e11).values()) == 900


def test_a_clock_that_jumps_is_reported_and_deletes_nothing(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The status says so while the bridge runs; visits of the last month are all there, and somebody who comes is counted."""
    bus = Bus(BusSettings.model_validate({"MODULE_NAME": "bridge", "mqtt_port": broker.port}), persistent=True)
    now = time.time()
    with closing(Ledger(tmp_path / "s", 10, Metrics())) as ledger, Listener(broker.port, *TOPICS) as listener:
        ledger.commit(Changes(visits=[visit(number, at=now - 2900 * number - 60) for number in range(900)]))
        counting = Counting(bus, Site(RULES, Policy(), bus.count_and_warn), ledger, 400, threading.Event())
        with bus:
            assert counting.begin()
            counting.turn(0.1)
            monkeypatch.setattr("counter.expiry.time.time", lambda: now + 3 * 365 * 86400)
            monkeypatch.setattr("counter.counting.PRUNE_EVERY", 0.0)

            def reported() -> bool:
                counting.turn(0.1)
                is_told = any(b"the clock jumped ahead by 1095 days" in one for one in listener.payloads("status/bridge"))
                return is_told and bus.metrics.snapshot()["clock_jump_seconds"] == pytest.approx(3 * 365 * 86400, abs=60)

            until(reported)
        assert sum(ledger.totals("door", 0, 1e11).values()) == 900


def test_a_clock_that_was_never_set_is_put_right(shop: Shop) -> None:
    """A boot in 1970: when the clock is set, the visits before are published again, counted and sent, on their day."""
    now = round(time.time() - 100, 3)
    frames = seen("w" * 10 + "n" * 20 + "m" * 20 + "n" * 20, begin=now)
    with shop.bridge(TZ=zone_at_noon()) as bridge:
        until(lambda: shop.told("running"))
        for number, one in enumerate(frames):
            wrong = now - 60 if number < 40 else 0.0
            read = round(one.captured_at - wrong, 3)
            told = replace(one, sequence=number, session_time=number / 10, captured_at=read)
            shop.listener.publish(one.topic, told.pack())
            if number == 29:
                until(lambda: len(shop.visits()) == 1 and len(bridge.results_of("visit")) == 1)
        until(lambda: len(shop.visits()) == 3 and len(bridge.results_of("visit")) == 3)
        until(lambda: {"woman": 1, "man": 1} in [one.totals for one in shop.counts()])
        until(lambda: [one.totals for one in shop.counts() if one.day < "1971"] == [{"woman": 1}, {}])
        sent = {result["id"]: result["started_at"] for result in bridge.results_of("visit")}
    first, corrected, after = shop.visits()
    assert (first.label, first.started_at) == ("woman", 60.0)
    assert corrected == replace(first, started_at=now, ended_at=round(now + 0.9, 3))
    assert (after.label, after.started_at, after.frames) == ("man", round(now + 3, 3), 20)
    assert sent == {corrected.id: now, after.id: after.started_at}
