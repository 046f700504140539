"""The dashboard's server as other programs meet it: pictures, counts, health, and how it ends."""

import itertools
import json
import socket
import time
from dataclasses import replace

import httpx
import pytest

from bus import CameraDay, DayCounts
from tests.support import samples
from tests.support.answers import answering
from tests.support.broker import Broker, free_port
from tests.support.browsers import Browser, is_well
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.place import Place
from tests.support.wait import limit, until


def test_a_snapshot(place: Place) -> None:
    """The newest picture as a JPEG, of now."""
    place.frame(0)

    def fetched() -> httpx.Response | None:
        response = place.get("/cameras/door/snapshot.jpg")
        return response if response.status_code == 200 else None

    with Browser(place.port) as browser:  # who watches makes the display hear frames, so that one is at hand
        place.shown(browser, itertools.count(1))
        response = until(fetched)
    assert response.headers["content-type"] == "image/jpeg"
    assert response.headers["cache-control"] == "no-store"
    assert response.content in [samples.jpeg(level=level) for level in range(250)]
    assert abs(time.time() - float(response.headers["x-captured-at"])) < 20


def test_a_stream(place: Place) -> None:
    """Motion JPEG: part after part, each a picture with its length, newer than the one before."""
    with httpx.stream("GET", f"http://127.0.0.1:{place.port}/cameras/door/stream.mjpeg", timeout=limit(20)) as response:
        assert response.headers["content-type"] == "multipart/x-mixed-replace; boundary=picture"
        received, chunks = b"", response.iter_raw()
        for sequence in range(1000):
            place.frame(sequence)
            if sequence > 3:
                received += next(chunks)
            if received.count(b"--picture\r\n") > 3:
                break
    parts = [part.partition(b"\r\n\r\n") for part in received.split(b"--picture\r\n")[1:-1]]
    times = []
    for head, _, body in parts:
        lines = dict(line.split(": ") for line in head.decode().split("\r\n"))
        assert lines["Content-Type"] == "image/jpeg"
        assert body == body[: int(lines["Content-Length"])] + b"\r\n"
        times.append(float(lines["X-Captured-At"]))
    assert times == sorted(set(times))


def test_counts_are_those_of_the_bridge(place: Place) -> None:
    """Any day as JSON and as lines for a spreadsheet; today is told to every browser, and again when counts are."""
    with answering(place.listener, samples.report()), Browser(place.port) as browser:
        browser.until(lambda told: told["today"]["report"])
        assert browser.sections["today"]["report"]["visits"][0]["label"] == "woman"
        assert browser.sections["labels"] == ["woman"]
        counts = DayCounts("door", "2026-10-25", {"woman": 2}, {"woman": {"02": 2}})
        asked = len(place.listener.payloads("/question"))
        place.listener.publish(counts.topic, counts.pack(), retain=True)
        place.listener.wait_for("/question", asked + 1)


@pytest.mark.parametrize(
    ("query", "status", "problem"),
    [
        ("day=tomorrow", 400, "day=tomorrow: not a day; one such as 2026-11-23 is needed, from 1970-01-02 to 5000-12-31"),
        ("day=0001-01-01", 400, "day=0001-01-01: not a day; "),
        ("day=2026-02-30", 400, "day=2026-02-30: not a day; "),
        ("day=86400", 400, "day=86400: not a day; "),
        ("day=", 400, "day=: not a day; "),
        ("day=2026-11-23T00:00:00", 400, "day=2026-11-23T00:00:00: not a day; "),
        ("format=xml", 400, "format=xml: not a format; json or csv is needed"),
        ("from=2026-11-01&to=2026-11-23", 400, "from: there is no such parameter; allowed: day, format"),
        ("day=2026-11-23&Format=csv", 400, "Format: there is no such parameter; allowed: day, format"),
        ("day=2026-11-22&day=2026-11-23", 400, "day: is given 2 times; once is allowed"),
        ("day=2026-10-25", 503, "the bridge has not answered within 4 s"),
    ],
)
def test_counts_that_cannot_be_had(place: Place, query: str, status: int, problem: str) -> None:
    """A day that is none, and a bridge that is away, are told in words."""
    response = place.get(f"/api/counts?{query}")
    assert response.status_code == status
    assert response.json()["problem"].startswith(problem)


@pytest.mark.parametrize("path", ["/healthz", "/cameras/door/snapshot.jpg", "/cameras/door/stream.mjpeg"])
def test_an_address_without_parameters_takes_none(place: Place, path: str) -> None:
    """What would be ignored is refused, and the answer says so."""
    response = place.get(f"{path}?width=100")
    assert response.status_code == 400
    assert response.json()["problem"] == "width: there is no such parameter; this address takes none"


def answered(place: Place, query: str, **cameras: CameraDay) -> httpx.Response:
    """What is answered to a program when the bridge reports that."""
    report = replace(samples.report(), cameras=cameras)

    def response() -> httpx.Response | None:
        one = place.get(f"/api/counts?day={report.day}{query}")
        return one if one.status_code == 200 else None  # else the bridge was too slow to answer

    with answering(place.listener, report):
        return until(response)


def test_a_label_is_no_formula(place: Place) -> None:
    """What a spreadsheet would compute is a text in the lines for it."""
    lines = answered(place, "&format=csv", door=CameraDay({"=1+1": 1}, {"=1+1": {"02": 1}}, {"02": 0.5})).text.splitlines()
    assert lines == ["day,hour,camera,label,visits,counted,demo", "2026-10-25,02,door,'=1+1,1,0.5,false"]


CAMERAS = {
    "back": CameraDay({}, {}, {"08": None, "09": None, "10": None}),
    "door": CameraDay({"man": 3}, {"man": {"09": 3}}, {"08": 0.25, "09": 1.0, "10": None}, demo=True),
}
"""One without data, and one that counted for some hours."""


def test_no_data_is_an_empty_field_in_csv(place: Place) -> None:
    """And 0 is where a camera counted and nobody came."""
    assert answered(place, "&format=csv", **CAMERAS).text.splitlines() == [
        "day,hour,camera,label,visits,counted,demo",
        "2026-10-25,08,back,man,,,false",
        "2026-10-25,09,back,man,,,false",
        "2026-10-25,10,back,man,,,false",
        "2026-10-25,08,door,man,0,0.25,true",
        "2026-10-25,09,door,man,3,1.0,true",
        "2026-10-25,10,door,man,,,true",
    ]


def test_no_data_is_null_in_json(place: Place) -> None:
    """By hour, and in the totals of a camera that did not count that day."""
    cameras = answered(place, "", **CAMERAS).json()["cameras"]
    counted = {"08": 0.25, "09": 1.0, "10": None}
    assert cameras == {
        "back": {"totals": None, "visits": {}, "counted": dict.fromkeys(counted), "demo": False},
        "door": {"totals": {"man": 3}, "visits": {"man": {"08": 0, "09": 3, "10": None}}, "counted": counted, "demo": True},
    }


def test_a_day_without_visits_has_lines_too(place: Place) -> None:
    """Of a camera that counted all day and saw nobody, each hour says 0."""
    lines = answered(place, "&format=csv", door=CameraDay({}, {}, {"08": 1.0, "09": None})).text.splitlines()
    assert lines[1:] == ["2026-10-25,08,door,,0,1.0,false", "2026-10-25,09,door,,,,false"]


def test_health_is_that_of_the_connection_too(place: Place, broker: Broker) -> None:
    """It fails while the broker is away, and comes back with it."""
    assert is_well(place.port)
    broker.end()
    until(lambda: not is_well(place.port))
    broker.start()
    until(lambda: is_well(place.port), 20)


def test_its_last_word_is_heard(broker: Broker) -> None:
    """It says that it was stopped, though what it hears, its own words too, is still on its way when it goes."""
    for _ in range(4):
        with Module("display", broker.port, WEB_PORT=free_port()) as module:
            module.wait_for_log("running")
            assert module.end() == 0
        with Listener(broker.port, "footfall/status/display") as listener:
            assert json.loads(listener.wait_for("display")[0])["detail"] == "stopped"


def test_it_ends_soon_with_browsers_connected(place: Place) -> None:
    """SIGTERM is obeyed though somebody watches, one of them reads nothing and one takes a stream; nothing goes wrong at it."""
    stream = f"http://127.0.0.1:{place.port}/cameras/door/stream.mjpeg"
    with Browser(place.port) as browser, Browser(place.port), httpx.stream("GET", stream, timeout=limit(20)) as response:
        browser.receive()
        begin = time.monotonic()
        assert place.module.end() == 0
        assert time.monotonic() - begin < limit(3)
        assert b"".join(response.iter_raw()).endswith(b"--picture--\r\n")
    assert "Traceback" not in place.module.log


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: 127", b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /"])
def test_connections_that_ask_nothing_are_let_go(place: Place, sent: bytes) -> None:
    """Who connects and does not go on, at once or after a request, keeps no place from others."""
    with socket.create_connection(("127.0.0.1", place.port), timeout=limit(20)) as idle, Browser(place.port) as browser:
        idle.sendall(sent)
        received = b""
        while chunk := idle.recv(4096):
            received += chunk
        assert received == b"" or received.startswith(b"HTTP/1.1 200")
        place.shown(browser, itertools.count())


@pytest.mark.parametrize("path", ["/", "/healthz", "/main.js"])
def test_a_head_is_as_its_body_would_be(place: Place, path: str) -> None:
    """What watches over web sites asks so."""
    response = httpx.head(f"http://127.0.0.1:{place.port}{path}")
    assert (response.status_code, response.content) == (200, b"")
