"""A display of one's own."""

from collections.abc import Iterator

import pytest

from tests.support.broker import Broker, free_port
from tests.support.browsers import Browser, is_well
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.place import CAPTURE, Place
from tests.support.wait import until


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
