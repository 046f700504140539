"""Every message of a running suite validates against its JSON Schema."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from bus.schema import message_kinds
from demo.about import DEMOS
from tests.support import samples
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.schemas import kind_of, problems
from tests.support.wait import limit, until
from tests.support.zone import zone_at_noon

MODULES = ("classifier", "counter", "bridge", "dashboard", "display", "capture")
DEMO = DEMOS["people"]
REQUESTS = {
    "footfall/door/setup": {
        "zones": [{"name": "till", "polygon": [[0, 0], [1, 0], [1, 1], [0, 1]]}],
        "alerts": [{"name": "somebody", "zone": "till", "people": 0}],
    },
    "footfall/site": {"name": "Bakery at the mill", "labels": [{"label": "woman", "colour": "#c2255c"}]},
    "footfall/door/command": {"do": "snapshot"},
    "footfall/query/desk/question": {"id": "7"},
    "footfall/classifier/model": {},
}
"""What people and other programs publish, as they type it."""
pytestmark = [pytest.mark.system, pytest.mark.timeout(limit(300))]


@pytest.fixture(scope="module")
def listener(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    """Hears everything in a suite that counts the demo's people, until each kind of message has been published."""
    settings = {"MODEL": DEMO.model, "VIDEO_PATH": DEMO.clip, "TZ": zone_at_noon(), "SINKS": "log", **DEMO.settings}
    with ExitStack() as stack:
        broker = stack.enter_context(Broker(tmp_path_factory.mktemp("schema")))
        listener = stack.enter_context(Listener(broker.port, "footfall/#"))
        modules = [stack.enter_context(Module(name, broker.port, **settings)) for name in MODULES]
        for module in modules:
            module.wait_for_log("connected to the broker")
        for topic, request in REQUESTS.items():
            listener.publish(topic, json.dumps(request).encode(), retain=topic.endswith(("setup", "site")))
        hour_ago = time.time() - 3600
        for began in (hour_ago, hour_ago + 3600):  # another camera's visit in the hour before: that hour is over
            for number in range(20):
                listener.publish(
                    "footfall/back/prediction", samples.prediction(captured_at=began + number / 10, camera="back").pack()
                )
        kinds = {kind.__name__ for kind in message_kinds()}
        until(lambda: {kind_of(one.topic).__name__ for one in listener.messages()} >= kinds, 90, f"one of each of {kinds}")
        yield listener


def test_every_message_of_a_run_is_valid(listener: Listener) -> None:
    """All 19 kinds of messages were published, and no message deviates from its schema."""
    messages = listener.messages()
    found = {one.topic: wrong for one in messages if (wrong := problems(kind_of(one.topic), bytes(one.payload)))}
    counts = Counter(kind_of(one.topic).__name__ for one in messages)
    assert found == {}
    assert counts.keys() == {kind.__name__ for kind in message_kinds()}
    assert counts["Prediction"] > 40
