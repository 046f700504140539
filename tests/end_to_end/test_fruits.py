"""The whole suite, as real processes on a real broker, with the real fruit model and clip."""

import itertools
import signal
import time
from contextlib import AbstractContextManager

import pytest

from bus import CurrentLabel, DayCounts, Pixels, Prediction, Visit
from counter.registry import SILENCE
from display.icons import OWN, read_icons
from display.pixels import rgb_bytes
from tests.support import samples
from tests.support.broker import Broker
from tests.support.fruits import Fruits, Segment
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.suite import began_at, lateness, modules_of
from tests.support.wait import limit, until
from tests.support.zone import zone_at_noon

pytestmark = pytest.mark.system
MARGIN = 0.5
"""Seconds at both ends of a segment that do not count: the clip's pictures blend there."""


def suite(port: int, fruits: Fruits, **settings: object) -> AbstractContextManager[dict[str, Module]]:
    """The modules with the fruit model and clip."""
    return modules_of(port, MODEL=fruits.folder, VIDEO_PATH=fruits.clip, **settings)


def expected_label(segments: list[Segment], second: float) -> str | None:
    """The label in the middle of a segment, None near its ends."""
    for segment in segments:
        if segment.begin + MARGIN <= second <= segment.end - MARGIN:
            return segment.label
    return None


def test_the_clip_from_camera_to_upstream(broker: Broker, fruits: Fruits) -> None:
    """The clip played once: right labels in time, one visit a run, its pixels, counts, and a line upstream for each visit."""
    icons = read_icons(OWN)
    runs = fruits.runs
    settings = {"LOOP_VIDEO": "false", "TZ": zone_at_noon()}
    with Listener(broker.port, "footfall/#") as listener, suite(broker.port, fruits, **settings) as modules:
        until(lambda: b'"state": "ended"' in (listener.payloads("status/capture") or [b""])[-1], 90, "the clip's end")
        begin = began_at(listener)
        visits = [Visit.unpack(payload) for payload in listener.wait_for("door/visit", len(runs), SILENCE + 15)]
        assert modules["bridge"].end() == 0
        upstream = modules["bridge"].results_of("visit")

        heard = predictions(listener)
        judged = [(one, expected_label(fruits.segments, one.session_time)) for one in heard]
        right = [one.best is not None and one.best.name == label for one, label in judged if label is not None]
        for segment in fruits.segments:
            assert sum(segment.begin <= one.session_time < segment.end for one in heard) >= 3, segment
        assert sum(right) / len(right) >= 0.95
        assert [one.sequence for one in heard] == sorted({one.sequence for one in heard})
        assert max(one.classified_at - one.captured_at for one in heard) < limit(2)

        assert [visit.label for visit in visits] == [run.label for run in runs]
        slowness = max(0.0, *(one.captured_at - begin - one.session_time for one in heard))  # a busy machine plays it slower
        for visit, run in zip(visits, runs, strict=True):
            assert abs(visit.started_at - begin - run.begin) < lateness(heard) + slowness
            assert abs(visit.ended_at - begin - run.end) < lateness(heard) + slowness
        assert [line["id"] for line in upstream] == [visit.id for visit in visits]

        pixels = [Pixels.unpack(payload) for payload in listener.payloads("matrix/pixels")]
        assert [one.label for one in pixels if one.label] == [run.label for run in runs]
        assert all(one.rgb == rgb_bytes(icons.picture(one.label)) for one in pixels if one.label)

        labels = [CurrentLabel.unpack(payload).label for payload in listener.payloads("door/label")]
        changes = [label for label, _ in itertools.groupby(labels)]  # a recording played late corrects since when
        assert [label for label in changes if label] == [run.label for run in runs]
        assert DayCounts.unpack(listener.payloads("door/counts")[-1]).totals == {"Apple": 1, "Banana": 1, "Orange": 2}


def predictions(listener: Listener) -> list[Prediction]:
    """Those heard so far; the last before a kill come again after it."""
    return [Prediction.unpack(payload) for payload in listener.payloads("door/prediction")]


def test_garbage_and_a_killed_broker_are_survived(broker: Broker, fruits: Fruits) -> None:
    """Garbage, truncated and oversized payloads on every topic, a hundred each: counted, said rarely, and the work goes on.

    So it does when the broker is killed and comes back: retained state is there again, and no module was restarted.
    """
    topics = [f"footfall/door/{kind}" for kind in ("frame", "prediction", "visit", "label", "counts", "command")]
    topics += ["footfall/status/capture", "footfall/display/matrix/pixels", "footfall/../frame", "footfall//prediction"]
    frame, prediction = samples.frame(), samples.prediction()
    payloads = [b"", b"\x00", b"\xc1" * 50, b"{", frame.pack()[:-5], prediction.pack()[:-5], bytes(70_000), bytes(2_100_000)]
    with (
        suite(broker.port, fruits) as modules,
        Listener(broker.port, "footfall/door/prediction", "footfall/status/+") as listener,
    ):
        listener.wait_for("door/prediction", 5)
        with Listener(broker.port) as sender:
            for number in range(100):
                for topic in topics:
                    sender.publish(topic, payloads[number % len(payloads)], qos=number % 2)
        with Listener(broker.port) as sender:  # above the broker's limit: the sender is cut off, nobody else
            sender.client.publish("footfall/door/frame", bytes(3_000_000))
            until(lambda: sum(module.log.count("[WRN]") for module in modules.values()) > 0)
        number = len(listener.payloads("door/prediction"))
        for payload in listener.wait_for("door/prediction", number + 20)[-5:]:
            assert Prediction.unpack(payload).best
        for name in ("classifier", "counter", "display", "bridge"):
            until(lambda: b'"invalid"' in (listener.payloads(f"status/{name}") or [b""])[-1], 20, f"{name}'s report")  # noqa: B023
        for name, module in modules.items():
            assert "Traceback" not in module.log, name
            assert module.log.count("[WRN]") + module.log.count("[ERR]") <= 8, module.log

        broker.end(signal.SIGKILL)
        (broker.folder / "mosquitto.db").unlink(missing_ok=True)  # as if it had never been written
        for module in modules.values():
            module.wait_for_log("broker connection lost")
        killed = time.time()
        broker.start()
        with Listener(broker.port, "footfall/#") as later:
            until(lambda: any(one.captured_at > killed for one in predictions(later)), 35, "a prediction of after the kill")
            for topic in ("door/label", "door/counts", "matrix/pixels"):
                later.wait_for(topic)
            for name in modules:
                until(lambda: b'"running"' in (later.payloads(f"status/{name}") or [b""])[-1], 20, name)  # noqa: B023
        assert all(module.running for module in modules.values())
