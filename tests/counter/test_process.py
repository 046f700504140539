"""The counter as a process with a real broker: every prediction that the broker has accepted is counted."""

import json
import signal
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from bus import (
    About,
    Alert,
    AlertRule,
    Alerts,
    Crossing,
    CurrentLabel,
    DayCounts,
    Line,
    Occupancy,
    Setup,
    Status,
    Tracks,
    Visit,
    Zone,
    states,
    topics,
)
from bus import metric_names as names
from counter.database import FILE
from tests.counter.shop import NOON, scripted
from tests.counter.street import Walker, predictions
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import limit, until

pytestmark = pytest.mark.system
VISITS = 240


def test_a_kill_and_an_hour_of_downtime_lose_and_split_no_visit(broker: Broker, tmp_path: Path) -> None:
    """After a kill in the first of 240 visits, an hour of predictions waits at the broker. After a stop, the label is unknown."""
    start = round(time.time()) - 3700.0
    frames = [one for number in range(VISITS) for one in scripted("w" * 100 + "n" * 50, start=start + 15 * number)]
    with Listener(broker.port, topics.visit(), topics.label()) as listener:
        listener.client.max_inflight_messages_set(1000)

        def labels() -> list[CurrentLabel]:
            return [CurrentLabel.unpack(payload) for payload in listener.payloads("door/label")]

        with Module("counter", broker.port, STATE_DIR=tmp_path) as counter:
            counter.wait_for_log("connected to the broker")  # from here on the broker keeps predictions
            for one in frames[:50]:
                listener.client.publish(one.topic, one.pack(), 1)
            until(lambda: "woman" in [one.label for one in labels()])
            counter.end(signal.SIGKILL)
        for one in frames[50:]:
            sent = listener.client.publish(one.topic, one.pack(), 1)
        sent.wait_for_publish(limit(60))
        with Module("counter", broker.port, STATE_DIR=tmp_path) as counter:
            listener.wait_for("/visit", VISITS, 120)
            assert counter.end() == 0
        until(lambda: labels()[-1] == CurrentLabel("door", None, None, None, at=None))
        visits = [Visit.unpack(payload) for payload in listener.payloads("/visit")]
    assert [(one.label, one.frames) for one in visits] == [("woman", 100)] * VISITS
    assert [one.started_at for one in visits] == pytest.approx([start + 15 * number for number in range(VISITS)])


HOSTILE = (
    b"\x82\xa1v\x01\xa6labels" + b"\xdd\x00\x00\xff\xf0" * 13_000,
    b"\x82\xa1v\x01\xa6labels\xdd\x00\x00\x3f\x00" + b"\xc0" * 0x3F00,
    b"\x81\xa1v" + b"\x91" * 1000 + b"\xc0",
)
"""Predictions: nested headers that claim half a megabyte each, thousands of wrong labels, and a version in a deep list."""
ROOM = 16 * 2**20
"""Bytes that a counter may take in addition to what it has after its start."""


def test_hostile_predictions_are_refused_once(broker: Broker, tmp_path: Path) -> None:
    """They fit into the little memory that is left, and are acknowledged: the broker does not bring them again.

    The visits that come between and after them are counted.
    """
    start = round(time.time()) - 60.0
    with Listener(broker.port, topics.visit(), topics.status("counter")) as listener:
        for number, refused in enumerate((7, 0)):
            with Module("counter", broker.port, STATE_DIR=tmp_path) as counter:
                counter.wait_for_log("- running")  # all its threads have started
                assert counter.process
                process = psutil.Process(counter.process.pid)
                if hasattr(process, "rlimit"):  # not on macOS
                    process.rlimit(psutil.RLIMIT_AS, (process.memory_info().vms + ROOM,) * 2)
                for count, one in enumerate(scripted("w" * 20 + "n" * 50, start=start + 20 * number)):
                    if count in range(0, 4 * refused, 4):  # the last one before the visit is over
                        listener.client.publish(one.topic, HOSTILE[count % 3], 1)
                    sent = listener.client.publish(one.topic, one.pack(), 1)
                sent.wait_for_publish(limit(10))
                listener.wait_for("/visit", number + 1)
                assert counter.end() == 0
            status = until(lambda: [one for one in map(Status.unpack, listener.payloads("/counter")) if one.detail == "stopped"])
            assert status[-1].metrics.get(names.INVALID, 0) == refused
        assert [one.frames for one in {one.id: one for one in map(Visit.unpack, listener.payloads("/visit"))}.values()] == [
            20,
            20,
        ]


def test_a_locked_ledger_does_not_delay_shutdown(broker: Broker, tmp_path: Path) -> None:
    """The counter says why it has no report, and stops in time although more questions wait. Questions that come while it is
    offline are never answered: unlike predictions, the broker does not keep them, although the session is persistent.
    """
    question = topics.question("desk")
    with Listener(broker.port, topics.answer("desk"), topics.status("counter")) as desk:

        def wait_for_state(state: str) -> None:
            until(lambda: [json.loads(one)["state"] for one in desk.payloads("status/counter")][-1:] == [state], what=state)

        with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
            other.executescript("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE")
            with Module("counter", broker.port, STATE_DIR=tmp_path) as counter:
                wait_for_state("ledger-unavailable")
                desk.publish(question, b"{}")
                assert b"database is locked" in desk.wait_for("/answer")[0]
                for _ in range(5):
                    desk.publish(question, b"{}")
                began_at = time.monotonic()
                assert counter.end() == 0
                assert time.monotonic() - began_at < limit(8)
        wait_for_state("offline")
        desk.publish(question, b'{"id": "lost"}')
        with Module("counter", broker.port, STATE_DIR=tmp_path):
            wait_for_state("running")
            desk.publish(question, b'{"id": "fresh"}')
            until(lambda: json.loads(desk.payloads("/answer")[-1])["id"] == "fresh")
        assert not any(b'"lost"' in payload for payload in desk.payloads("/answer"))


def test_an_alert_is_raised_and_cleared_once_although_the_counter_is_killed(broker: Broker, tmp_path: Path) -> None:
    """While somebody waits, and again after it is raised. Whoever comes later finds the state on the broker."""
    zone = Zone("till", ((0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0)))
    setup = Setup("door", zones=(zone,), alerts=(AlertRule("queue", "till", waiting_seconds=5.0),))
    start = round(time.time()) - 60.0
    frames = [
        replace(one, captured_at=one.captured_at - NOON + start)
        for one in predictions([Walker((0.3, 0.7), (0.0, 0.0), leaves=20.0)], rate=5.0, seconds=40.0)
    ]
    with Listener(broker.port, topics.alert(), topics.alerts()) as listener:

        def received() -> list[Alert]:
            return list(dict.fromkeys(Alert.unpack(payload) for payload in listener.payloads("door/alert")))

        def states_now() -> list[Alerts]:
            return [Alerts.unpack(payload) for payload in listener.payloads("door/alerts")]

        listener.client.publish(setup.topic, setup.pack(), 1, retain=True)
        for part in (frames[:15], frames[15:50], frames[50:]):
            with Module("counter", broker.port, STATE_DIR=tmp_path) as counter:
                counter.wait_for_log("connected to the broker")
                for one in part:
                    sent = listener.client.publish(one.topic, one.pack(), 1)
                sent.wait_for_publish(limit(60))
                if part[-1] is frames[-1]:
                    until(lambda: [one.active for one in received()][-1:] == [False])
                    until(lambda: states_now()[-1].alerts == ())
                elif part[0] is not frames[0]:
                    until(lambda: states_now() and [one.rule for one in states_now()[-1].alerts] == ["queue"])
                counter.end(signal.SIGKILL)
        assert [one.active for one in received()] == [True, False]
        assert len({one.alert for one in received()}) == 1


def test_crossings_come_through_the_broker_once_although_classifiers_share_the_frames(broker: Broker, tmp_path: Path) -> None:
    """Two classifiers of different speed finish frames in another order. The line is drawn while the counter runs, and is still
    known after a kill. Every sighting counts.
    """
    wanted = (topics.visit(), topics.crossing(), topics.occupancy(), topics.tracks(), topics.counts(), topics.status("counter"))
    start = round(time.time()) - 60.0
    walkers = [Walker((0.3, 0.2), (0.0, 0.1), leaves=6.0), Walker((1.0, 0.8), (0.0, -0.1), leaves=6.0, label="man")]
    frames = [
        replace(one, sequence=number, captured_at=start + one.captured_at - NOON)
        for number, one in enumerate(predictions(walkers, 20.0, 10.0))
    ]
    late = [one for pair in zip(frames[1::2], frames[::2], strict=True) for one in pair]  # the second one is done first
    with Listener(broker.port, *wanted) as listener:
        for name in ("classifier-1", "classifier-2"):
            status = Status(name, states.RUNNING, start, start, about=About(model="people@0123"))
            listener.publish(status.topic, status.pack(), retain=True)
        listener.publish(topics.setup("door"), Setup("door", (Line("door", (0.0, 0.5), (1.0, 0.5)),)).pack(), retain=True)
        with Module("counter", broker.port, STATE_DIR=tmp_path) as counter:
            listener.wait_for("status/counter")
            listener.settle()
            for one in late[:80]:
                listener.publish(one.topic, one.pack())
            listener.wait_for("/crossing")
            counter.end(signal.SIGKILL)
        listener.publish(topics.setup("door"), b"", retain=True)  # while the counter is away
        for one in late[80:]:
            listener.client.publish(one.topic, one.pack(), 1)
        with Module("counter", broker.port, STATE_DIR=tmp_path):
            listener.wait_for("/visit", 2)
            until(lambda: {len(Tracks.unpack(one).visitors) for one in listener.payloads("/tracks")} == {0, 2})
        crossings = {one.id: one for one in map(Crossing.unpack, listener.payloads("/crossing"))}
        visits = {one.id: one for one in map(Visit.unpack, listener.payloads("/visit"))}
    assert sorted((one.label, one.frames) for one in visits.values()) == [("man", 120), ("woman", 120)]
    assert [(one.direction, visits[one.visit].label) for one in crossings.values()] == [("in", "woman"), ("out", "man")]
    assert Occupancy.unpack(listener.payloads("/occupancy")[-1]).inside in (None, 0)
    assert DayCounts.unpack(listener.payloads("/counts")[-1]).totals == {"man": 1, "woman": 1}
