"""The dashboard as a process with a real broker, used by browsers and scripts."""

import itertools
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

import httpx
import psutil
import pytest
from websockets.exceptions import ConnectionClosed

from bus import DayCounts
from bus.metric_names import MOTION
from tests.support import samples
from tests.support.broker import Broker
from tests.support.browsers import Browser, is_healthy, request_without_reading
from tests.support.dashboard_rig import CAPTURE, DashboardRig
from tests.support.health import wait_until_touched, wait_until_untouched
from tests.support.listener import Listener
from tests.support.wait import limit, until

pytestmark = pytest.mark.system


@pytest.fixture
def rig(broker: Broker) -> Iterator[DashboardRig]:
    """A dashboard that knows one camera."""
    with DashboardRig(broker) as rig:
        rig.publish(CAPTURE)
        with Browser(rig.port) as browser:
            browser.until(lambda sections: "door" in sections["cameras"])
        yield rig


def test_pictures_come_on_request(rig: DashboardRig) -> None:
    """Each request gets the newest picture, with its prediction if there is a classifier. Without a request none is sent.

    A request for an unknown camera is ignored. An invalid request closes its connection, and no other.
    """
    with Browser(rig.port) as asking, Browser(rig.port) as idle:
        for text in ("no JSON", "[]", '{"want": 7}', '{"want": "' + "x" * 5000 + '"}', "[" * 3000):
            with Browser(rig.port) as browser:
                browser.send(text)
                with pytest.raises(ConnectionClosed):
                    browser.until(lambda _sections: False)
        asking.want("nobody")
        numbers = itertools.count()
        seen = [rig.picture(asking, numbers) for _ in range(3)]
        for head, jpeg in seen:
            assert (head["camera"], head["width"], head["height"]) == ("door", 64, 48)
            assert head["prediction"]["labels"] == [{"name": f"label {head['sequence']}", "probability": 0.9, "visitor": True}]
            assert jpeg == samples.jpeg(level=head["sequence"] % 250)
            assert 0 <= head["age"] < limit(2)
        assert [one.head["sequence"] for one in seen] == sorted({one.head["sequence"] for one in seen})
        for sequence in range(100, 120):
            rig.frame(sequence)
        until(lambda: asking.picture().head["sequence"] == 119, what="the newest picture")
        idle.until(lambda sections: sections["cameras"]["door"]["predictions_per_second"] > 0)
        assert idle.pictures == 0
        assert rig.picture(asking, itertools.count(200), is_predicted=False).head["prediction"] is None


PART = rb"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: (\d+)\r\nX-Captured-At: (.*?)\r\n\r\n(.*?)\r\n(?=--picture)"


def test_a_snapshot_and_a_stream(rig: DashboardRig) -> None:
    """A snapshot is the newest picture as a JPEG, with its time. Each part of a stream is newer than the one before."""
    with rig.playing(), httpx.stream("GET", f"{rig.address}cameras/door/stream.mjpeg", timeout=limit(20)) as response:
        assert response.headers["content-type"] == "multipart/x-mixed-replace; boundary=picture"
        received, chunks = b"", response.iter_raw()
        while len(parts := re.findall(PART, received, re.DOTALL)) < 3:
            received += next(chunks)
        snapshot = rig.get("/cameras/door/snapshot.jpg")
    assert all(len(jpeg) == int(length) for length, _, jpeg in parts)
    times = [float(at) for _, at, _ in parts]
    assert times == sorted(set(times))
    assert (snapshot.headers["content-type"], snapshot.headers["cache-control"]) == ("image/jpeg", "no-store")
    assert snapshot.content in [samples.jpeg(level=level) for level in range(250)]
    assert float(snapshot.headers["x-captured-at"]) >= times[-1]
    assert rig.get("/cameras/back/snapshot.jpg").json()["problem"] == "unknown camera; known cameras: door"


DAY_PROBLEM = "not a valid date; use YYYY-MM-DD, from 1970-01-02 to 5000-12-31"
REFUSED = [
    *[
        (f"/api/counts?day={day}", 400, f"day={day}: {DAY_PROBLEM}")
        for day in ("", "tomorrow", "0001-01-01", "2026-02-30", "86400", "2026-11-23T00:00:00")
    ],
    ("/api/counts?format=xml", 400, "format=xml: unknown format; use json or csv"),
    ("/api/counts?table=people", 400, "table=people: unknown table; use visits or crossings or zones"),
    ("/api/counts?from=2026-11-01&to=2026-11-23", 400, "from: unknown parameter; allowed: day, format, table"),
    ("/api/counts?day=2026-11-22&day=2026-11-23", 400, "day: given 2 times; only one is allowed"),
    ("/api/counts?day=2026-10-25", 503, "the counter did not answer within 4 s"),
    *[
        (f"{path}?width=100", 400, "width: unknown parameter; allowed: none")
        for path in ("/healthz", "/cameras/door/snapshot.jpg", "/cameras/door/stream.mjpeg")
    ],
    ("/nothing", 404, "Not Found"),
]


def test_scripts_get_counts_or_a_reason(rig: DashboardRig) -> None:
    """Scripts get the counts of any day; browsers get today's, again after each change. Uptime monitors use HEAD."""
    for path, status, problem in REFUSED:
        response = rig.get(path)
        assert (response.status_code, response.json()) == (status, {"problem": problem})
    for path in ("/", "/healthz", "/main.js"):
        response = httpx.head(f"{rig.address}{path[1:]}")
        assert (response.status_code, response.content) == (200, b"")
    with rig.counting(samples.report()), Browser(rig.port) as browser:
        browser.until(lambda now: now["today"]["report"])
        assert browser.sections["today"]["report"]["visits"][0]["label"] == "woman"
        assert browser.sections["labels"] == ["woman"]
        asked = len(rig.listener.payloads("/question"))
        rig.publish(DayCounts("door", "2026-10-25", {"woman": 2}, {"woman": {"02": 2}}))
        rig.listener.wait_for("/question", asked + 1)
        response = until(lambda: next((one for one in [rig.get("/api/counts?day=2026-10-24")] if one.is_success), None))
        assert (response.json()["day"], response.json()["zone"]) == ("2026-10-24", "Europe/Berlin")
        assert rig.get("/api/counts?day=2026-10-24&format=csv").headers["content-type"].startswith("text/csv")
        assert rig.get("/api/counts?day=2026-10-24&format=csv&table=zones").text.startswith("day,hour,camera,zone,")


def test_health_needs_the_broker(broker: Broker, tmp_path: Path) -> None:
    """The health file is updated only while the event loop runs and the broker is connected."""
    health = tmp_path / "progress"
    with DashboardRig(broker, HEALTH_FILE=health) as rig:
        wait_until_touched(health)
        broker.end()
        until(lambda: not is_healthy(rig.port))
        wait_until_untouched(health)
        broker.start()
        until(lambda: is_healthy(rig.port), 20)
        wait_until_touched(health)


def test_it_stops_quickly_with_browsers_connected(rig: DashboardRig, broker: Broker) -> None:
    """One browser does not read, a client reads a stream. The last status has the detail "stopped"."""
    stream = f"{rig.address}cameras/door/stream.mjpeg"
    with Browser(rig.port) as browser, Browser(rig.port), httpx.stream("GET", stream, timeout=limit(20)) as response:
        browser.receive()
        begin = time.monotonic()
        assert rig.module.end() == 0
        assert time.monotonic() - begin < limit(3)
        assert b"".join(response.iter_raw()).endswith(b"--picture--\r\n")
    assert "Traceback" not in rig.module.log
    with Listener(broker.port, "footfall/status/dashboard") as listener:
        assert json.loads(listener.wait_for("dashboard")[0])["detail"] == "stopped"


READERS, PICTURES, SIZE = 12, 25, 150_000
MAX_GROWTH = 25_000_000
"""Bytes."""


def test_slow_clients_delay_no_one_and_use_no_memory(rig: DashboardRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other browsers get new pictures while one requests pictures, one requests a stream, and neither reads."""
    monkeypatch.setattr(samples, "jpeg", lambda **_: bytes(SIZE))

    def read(_number: int) -> list[int]:
        with Browser(rig.port) as browser:
            browser.until(lambda sections: "door" in sections["cameras"])
            return [browser.picture().head["sequence"] for _ in range(PICTURES)]

    assert rig.module.process
    memory, end = psutil.Process(rig.module.process.pid).memory_info, threading.Event()
    with rig.playing(), socket.create_connection(("127.0.0.1", rig.port)) as slow, ThreadPoolExecutor(READERS + 1) as threads:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.sendall(b"GET /cameras/door/stream.mjpeg HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        asking = threads.submit(request_without_reading, rig.port, end)
        try:
            read(0)
            before = memory().rss
            seen = list(threads.map(read, range(READERS), timeout=limit(120)))
            growth = memory().rss - before
        finally:
            end.set()
        asking.result(limit(15))
    assert all(numbers == sorted(set(numbers)) for numbers in seen)
    assert growth < MAX_GROWTH


def test_while_nothing_moves_the_last_picture_is_the_snapshot(rig: DashboardRig) -> None:
    """However old it is: the camera says that nothing has changed since."""
    rig.publish(replace(CAPTURE, metrics={MOTION: 0}))
    at = round(time.time() - 100, 3)
    frame, prediction = samples.frame("door", 1, at), replace(samples.prediction(captured_at=at), sequence=1)

    def has_snapshot() -> bool:
        rig.publish(frame, prediction, retain=False)
        return rig.get("/cameras/door/snapshot.jpg").status_code == HTTPStatus.OK

    until(has_snapshot)
    assert float(rig.get("/cameras/door/snapshot.jpg").headers["x-captured-at"]) == at


def test_the_picture_before_the_first_request(broker: Broker) -> None:
    """The first status of a camera says that nothing moves. Its next picture is kept: another one may come much later."""
    with DashboardRig(broker) as rig:
        rig.publish(replace(CAPTURE, metrics={MOTION: 0}))
        with Browser(rig.port) as browser:
            browser.until(lambda sections: "door" in sections["cameras"])
        at = round(time.time(), 3)
        for _ in range(10):
            rig.publish(samples.frame("door", 1, at), replace(samples.prediction(captured_at=at), sequence=1), retain=False)
            time.sleep(0.1)
        assert rig.get("/cameras/door/snapshot.jpg").status_code == HTTPStatus.OK


def test_the_files_of_the_page_are_compressed(rig: DashboardRig) -> None:
    """A browser that takes gzip gets the style sheet in less than half its size; another one as it is."""
    path = f"{rig.address}styles/base.css"
    sizes = {}
    for coding in ("gzip", "identity"):
        with httpx.stream("GET", path, headers={"Accept-Encoding": coding}, timeout=limit(5)) as response:
            sizes[coding] = sum(map(len, response.iter_raw()))
    assert 0 < sizes["gzip"] < sizes["identity"] / 2
