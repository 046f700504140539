"""The modules of the suite, as processes on one broker."""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import pairwise

from bus import Prediction
from tests.support.listener import Listener
from tests.support.module import Module

MODULES = ("classifier", "counter", "bridge", "display", "capture")


@contextmanager
def modules_of(port: int, **settings: object) -> Iterator[dict[str, Module]]:
    """All but the dashboard, each with a folder of its own for its state, and capture last; all with the same settings."""
    with ExitStack() as stack:
        modules = {}
        for name in MODULES[:-1]:
            modules[name] = stack.enter_context(Module(name, port, **settings))
        for module in modules.values():
            module.wait_for_log("connected to the broker")
        modules["capture"] = stack.enter_context(Module("capture", port, **settings))
        modules["capture"].wait_for_log("connected to the broker")
        yield modules


def lateness(predictions: Sequence[Prediction]) -> float:
    """Seconds by which a visit may begin or end at another time, after the frames that a busy machine has dropped."""
    times = sorted(one.captured_at for one in predictions)
    return 0.4 + max(later - earlier for earlier, later in pairwise(times))


def began_at(listener: Listener) -> float:
    """When capture read its first picture, by its status; the listener must hear that from the beginning."""
    states = (json.loads(payload) for payload in listener.payloads("status/capture"))
    return next(float(status["since"]) for status in states if status["state"] == "running")
