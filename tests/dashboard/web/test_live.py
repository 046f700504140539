"""The dashboard's server as a process on a real broker, as browsers meet it."""

import itertools

import pytest
from websockets.exceptions import ConnectionClosed

from bus import CurrentLabel, Status
from tests.support import samples
from tests.support.browsers import Browser
from tests.support.place import Place
from tests.support.wait import limit, until


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
            assert 0 <= picture.head["age"] < limit(2)
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
