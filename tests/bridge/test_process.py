"""`python -m bridge` as a process; kills are in `tests.end_to_end.test_kills`."""

import time
from pathlib import Path

import pytest

from bus import DayCounts, Visit, topics
from tests.edgehub.hub import EdgeHub
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import limit, until

pytestmark = pytest.mark.system


def test_two_sinks_get_what_the_cloud_wants(broker: Broker, tmp_path: Path) -> None:
    """Standard output with the counts of the day; the process ends in time while edgeHub is frozen."""
    at = time.time() - 4
    visits = [Visit(f"id-{number}", "door", "woman", at + number, at + 3 + number, 0.9, 30) for number in range(3)]
    counts = DayCounts("door", time.strftime("%Y-%m-%d", time.localtime(at)), {"man": 7, "woman": 6}, {})
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
            until(lambda: len(hub.records()) == 1, 30)
            assert hub.records()[0]["body"]["id"] == "id-1"
            assert hub.twin.call("status", None)[1]["policy"]["forward"] == "visits"
            assert b'"running"' in listener.payloads()[-1]
            until(lambda: bridge.out.count("\n") == 1)
            assert bridge.out[8:] == " door: woman, 3.0 s (today: man 7, woman 6)\n"
            hub.is_frozen = True
            listener.publish(topics.visit("door"), visits[2].pack())
            until(lambda: bridge.out.count("\n") == 2)
            began_at = time.monotonic()
            assert bridge.end() == 0
            assert time.monotonic() - began_at < limit(5)
