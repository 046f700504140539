"""The dashboard's server as a process on a real broker, as browsers and other programs meet it."""

import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from bus import Answer, CurrentLabel, DayCounts, Frame, Question, Status
from tests.support import samples
from tests.support.broker import Broker, free_port
from tests.support.browsers import Browser, Picture, is_well
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import until

CAPTURE = Status("capture", "running", 900.0, 1000.0, figures={"camera": "door"}, rates={"frames_out": 10.0})


class Place(NamedTuple):
    """A display with a dashboard, and the broker's other side."""

    port: int
    listener: Listener
    module: Module

    def get(self, path: str) -> httpx.Response:
        """Asks for a path."""
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=20)

    def frame(self, sequence: int, is_predicted: bool = True, camera: str = "door") -> Frame:
        """A frame of now, and what the model says of it."""
        time.sleep(0.002)  # two frames of one millisecond are of one time
        frame = replace(samples.frame(camera, sequence, round(time.time(), 3)), jpeg=samples.jpeg(level=sequence % 250))
        self.listener.publish(frame.topic, frame.pack())
        if is_predicted:
            prediction = replace(samples.prediction(f"label {sequence}", 0.9, frame.captured_at, camera), sequence=sequence)
            self.listener.publish(prediction.topic, prediction.pack())
        return frame

    def shown(self, browser: Browser, numbers: Iterator[int], is_predicted: bool = True) -> Picture:
        """The next picture that a browser gets, of frames that come one after another."""
        browser.want()
        for number in itertools.islice(numbers, 500):
            self.frame(number, is_predicted)
            if (picture := browser.receive()) is not None:
                return picture
        raise AssertionError("no picture came")

    def status(self, status: Status) -> None:
        """A module says how it is."""
        self.listener.publish(status.topic, status.pack(), retain=True)

    def answer(self, number: int) -> None:
        """The bridge answers that many questions."""
        for payload in self.listener.wait_for("/question", number):
            question = Question.received("footfall/query/display/question", payload)
            answer = Answer("display", question.id, "", replace(samples.report(), day=question.day or "2026-10-25"))
            self.listener.publish(answer.topic, answer.pack())


@pytest.fixture
def place(broker: Broker) -> Iterator[Place]:
    """With one camera."""
    port = free_port()
    with Listener(broker.port, "footfall/query/+/question") as listener, Module("display", broker.port, WEB_PORT=port) as module:
        until(lambda: is_well(port), what="the dashboard")
        place = Place(port, listener, module)
        place.status(CAPTURE)
        with Browser(port) as browser:
            browser.until(lambda told: "door" in told["cameras"])
        yield place


def test_a_browser_is_told_everything_and_then_what_changes(place: Place) -> None:
    """The first message has all sections; a label that changes comes by itself."""
    with Browser(place.port) as browser:
        assert browser.receive() is None
        names = {"now", "page", "signed_in", "broker", "rules", "labels", "cameras", "modules", "pixels", "today"}
        assert set(browser.sections) == names
        assert browser.sections["signed_in"] is False
        assert browser.sections["cameras"]["door"]["label"] is None
        label = CurrentLabel("door", "<b>woman</b>", 0.9, 1000.0)
        place.listener.publish(label.topic, label.pack(), retain=True)
        browser.until(lambda told: told["cameras"]["door"]["label"] == "<b>woman</b>")
        place.status(Status("classifier", "model-refused", 1.0, 2.0, "no labels", {"labels": ["man"], "model": "m"}))
        browser.until(lambda told: told["labels"] == ["man"])
        assert browser.sections["modules"]["classifier"]["detail"] == "no labels"


def test_pictures_come_when_they_are_asked_for(place: Place) -> None:
    """One for each request, the newest, with its own prediction; who asked for none gets none."""
    with Browser(place.port) as asking, Browser(place.port) as idle:
        numbers = itertools.count()
        seen = [place.shown(asking, numbers) for _ in range(3)]
        for picture in seen:
            sequence = picture.head["sequence"]
            assert picture.head["prediction"]["labels"][0] == {"name": f"label {sequence}", "probability": 0.9, "box": None}
            assert picture.jpeg == samples.jpeg(level=sequence % 250)
            assert 0 <= picture.head["age"] < 2
        assert [one.head["sequence"] for one in seen] == sorted({one.head["sequence"] for one in seen})
        for sequence in range(100, 120):
            place.frame(sequence)
        until(lambda: asking.picture().head["sequence"] == 119, what="the newest")
        idle.until(lambda sections: sections["cameras"]["door"]["predictions_per_second"] > 0)
        assert asking.pictures > 3
        assert idle.pictures == 0


def test_a_picture_without_a_classifier(place: Place) -> None:
    """It is shown all the same, and says that nobody classifies."""
    with Browser(place.port) as browser:
        assert place.shown(browser, itertools.count(), is_predicted=False).head["prediction"] is None


@pytest.mark.parametrize("text", ["no JSON", "[]", "{}", '{"want": 7}', '{"want": "' + "x" * 5000 + '"}', "[" * 3000])
def test_what_is_no_request_ends_the_connection(place: Place, text: str) -> None:
    """The browser that sends it is let go; the others stay."""
    with Browser(place.port) as other, Browser(place.port) as browser:
        browser.send(text)
        with pytest.raises(ConnectionClosed):
            until(lambda: browser.receive() and False, 15)
        place.frame(0)
        other.until(lambda told: told["cameras"]["door"]["predicted_at"])


def test_a_camera_that_there_is_not_gives_nothing(place: Place) -> None:
    """To ask for it is no fault, as one may just have gone."""
    with Browser(place.port) as browser:
        browser.want("nobody")
        place.frame(0)
        browser.until(lambda told: told["cameras"]["door"]["predicted_at"])


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
    with httpx.stream("GET", f"http://127.0.0.1:{place.port}/cameras/door/stream.mjpeg", timeout=20) as response:
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
    place.answer(1)
    with Browser(place.port) as browser:
        browser.until(lambda told: told["today"]["report"])
        assert browser.sections["today"]["report"]["visits"][0]["label"] == "woman"
        assert browser.sections["labels"] == ["woman"]
        counts = DayCounts("door", "2026-10-25", {"woman": 2}, {"woman": {"02": 2}})
        place.listener.publish(counts.topic, counts.pack(), retain=True)
        place.answer(2)


@pytest.mark.parametrize(
    ("query", "status", "problem"),
    [
        ("day=tomorrow", 400, "day: "),
        ("day=0001-01-01", 400, "day: "),
        ("format=xml", 400, "format: "),
        ("day=2026-10-25", 503, "the bridge has not answered within 4 s"),
    ],
)
def test_counts_that_cannot_be_had(place: Place, query: str, status: int, problem: str) -> None:
    """A day that is none, and a bridge that is away, are told in words."""
    response = place.get(f"/api/counts?{query}")
    assert response.status_code == status
    assert response.json()["problem"].startswith(problem)


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
    """SIGTERM is obeyed though somebody watches, and one of them reads nothing."""
    with Browser(place.port) as browser, Browser(place.port):
        browser.receive()
        begin = time.monotonic()
        assert place.module.end() == 0
        assert time.monotonic() - begin < 3
