"""`python -m bridge` as a process; kills are in `tests.end_to_end.test_kills`."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from bus import DayCounts, topics
from tests.bridge.support import visit
from tests.edgehub.hub import EdgeHub, properties
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import limit, until

pytestmark = pytest.mark.system


def test_two_sinks_get_what_the_cloud_wants(broker: Broker, tmp_path: Path) -> None:
    """As IoT Hub can route it, and with the day's counts on standard output; the end is in time while edgeHub is frozen."""
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
