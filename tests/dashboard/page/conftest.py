"""Fixtures: a browser and a dashboard."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.broker import Broker
from tests.support.chromium import Tab, chromium, tab_of
from tests.support.place import Place


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of a file. Tests that use it cannot run asyncio."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def place(broker: Broker) -> Iterator[Place]:
    """A dashboard without any data."""
    with Place(broker) as place:
        yield place


@pytest.fixture
def tab(place: Place, browser: Browser) -> Iterator[Tab]:
    """A tab that shows the page. The page must not report errors or request other hosts."""
    with tab_of(browser, place.address, timezone_id="Europe/Berlin") as tab:
        tab.wait(CONNECTED)
        yield tab
        assert tab.complaints == []
        assert all(url.startswith((place.address, "blob:")) for url in tab.requests)


CONNECTED = "document.querySelector('#connection')?.dataset.state === 'connected'"
