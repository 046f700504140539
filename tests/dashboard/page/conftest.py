"""Fixtures: a browser and a dashboard."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.broker import Broker
from tests.support.chromium import Tab, chromium, open_tab
from tests.support.dashboard_rig import DashboardRig
from tests.support.wait import limit

expect.set_options(limit(30) * 1000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of a file. Tests that use it cannot run asyncio."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def rig(broker: Broker) -> Iterator[DashboardRig]:
    """A dashboard without any data."""
    with DashboardRig(broker) as rig:
        yield rig


@pytest.fixture
def tab(rig: DashboardRig, browser: Browser) -> Iterator[Tab]:
    """A tab that shows the page. The page must not report errors or request other hosts."""
    with open_tab(browser, rig.address, timezone_id="Europe/Berlin") as tab:
        tab.wait(CONNECTED)
        yield tab
        assert tab.errors == []
        assert all(url.startswith((rig.address, "blob:")) for url in tab.requests)


CONNECTED = "document.querySelector('#connection')?.dataset.state === 'connected'"
