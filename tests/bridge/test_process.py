"""`python -m bridge` as a process."""

import json
import random
import signal
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from bus import DayCounts, Visit, topics
from tests.edgehub.hub import EdgeHub, EdgeHubProcess
from tests.support import samples
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import limit, until

pytestmark = pytest.mark.system


def visit(number: int, at: float = 1000.0) -> Visit:
    return Visit(f"id-{number}", "door", "woman", at + number, at + 3 + number, 0.9, 30)


@pytest.mark.timeout(limit(120))
def test_nothing_is_lost_by_kills(broker: Broker, tmp_path: Path) -> None:
    """100 results through 10 SIGKILLs of the bridge, a few with edgeHub: all upstream, in order, none missing."""
    chance = random.Random(1)
    hub = EdgeHubProcess(tmp_path / "hub")
    state = tmp_path / "state"

    def start(stack: ExitStack) -> Module:
        return stack.enter_context(Module("bridge", broker.port, SINKS="edgehub", STATE_DIR=state, **hub.environment))

    with ExitStack() as stack, hub, Listener(broker.port) as listener:
        bridge = start(stack)
        bridge.wait_for_log("connected to the broker")
        listener.settle()
        for number in range(100):
            listener.publish(topics.visit("door"), visit(number).pack())
            if number % 10 == 5:
                time.sleep(chance.uniform(0, 1.5))
                bridge.end(signal.SIGKILL)
                if number % 30 == 5:
                    hub.end()
                    hub.start()
                bridge = start(stack)
            time.sleep(chance.uniform(0, 0.1))
        names = [visit(number).id for number in range(100)]
        until(lambda: len({record["body"]["id"] for record in hub.records()}) == 100, 60, "100 results")
        arrived = list(dict.fromkeys(record["body"]["id"] for record in hub.records()))
        assert arrived == names


@pytest.mark.parametrize("form", ["text", "json"])
def test_results_are_lines_on_standard_output(broker: Broker, form: str) -> None:
    """For people with the counts that include the visit, or as JSON. A visit is printed once, and again when it was corrected."""
    at = time.time() - 4
    first, corrected = visit(0, at), replace(visit(0, at), ended_at=at + 3.5)
    counts = DayCounts("door", time.strftime("%Y-%m-%d", time.localtime(at)), {"man": 7, "woman": 6}, {})
    with Listener(broker.port) as listener, Module("bridge", broker.port, SINKS="log", LOG_RESULTS=form) as bridge:
        bridge.wait_for_log("connected to the broker")
        listener.settle()
        for number, one in enumerate((first, corrected), 1):
            for repeated in (one, first):
                listener.publish(repeated.topic, repeated.pack())
            listener.publish(counts.topic, counts.pack(), qos=0, retain=True)
            until(lambda: bridge.out.count("\n") == number, what="a line")  # noqa: B023
        lines = bridge.out.splitlines()
    if form == "json":
        assert [json.loads(line)["ended_at"] for line in lines] == [first.ended_at, corrected.ended_at]
    else:
        assert [line[8:] for line in lines] == [
            " door: woman, 3.0 s (today: man 7, woman 6)",
            " door: woman, 3.5 s (today: man 7, woman 6)",
        ]


def test_the_cloud_changes_what_is_forwarded(broker: Broker, tmp_path: Path) -> None:
    """To two sinks at once; the status shows how it is, and the process ends in time while edgeHub is frozen."""
    with EdgeHub(tmp_path) as hub, Listener(broker.port, topics.status("bridge")) as listener:
        hub.twin.merge({"forward": "none"})
        with Module("bridge", broker.port, SINKS="edgehub,log", **hub.environment) as bridge:
            until(lambda: hub.twin.reported.get("policy", {}).get("forward") == "none", 30)
            listener.publish(topics.visit("door"), visit(0).pack())
            hub.twin.patch({"forward": "all"})
            seen = samples.prediction()
            until(lambda: bridge.log.count("is in force") == 2)
            time.sleep(1)  # until it is subscribed
            listener.publish(seen.topic, seen.pack())
            until(lambda: len(hub.records()) == 1, 30)
            until(lambda: len(bridge.results) == 1)
            assert hub.records()[0]["body"] == bridge.results[0]
            assert hub.twin.call("status", None)[1]["policy"]["forward"] == "all"
            assert b'"running"' in listener.payloads()[-1]
            hub.is_frozen = True
            listener.publish(topics.visit("door"), visit(1).pack())
            until(lambda: len(bridge.results) == 2)
            began_at = time.monotonic()
            assert bridge.end() == 0
            assert time.monotonic() - began_at < limit(5)
