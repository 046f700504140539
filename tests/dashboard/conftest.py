"""A dashboard with one camera."""

from collections.abc import Iterator

import pytest

from tests.support.broker import Broker
from tests.support.browsers import Browser
from tests.support.place import CAPTURE, Place


@pytest.fixture
def place(broker: Broker) -> Iterator[Place]:
    with Place(broker) as place:
        place.publish(CAPTURE)
        with Browser(place.port) as browser:
            browser.until(lambda sections: "door" in sections["cameras"])
        yield place
