"""The page comes up by itself when a part of it was lost on the way, as when the network changes while it is loaded."""

import pytest
from playwright.sync_api import Browser

from bus import Label
from tests.support.alone import Display
from tests.support.chromium import tab_of
from tests.support.wait import until

PARTS = ("main.js", "live.js", "verdict.js", "dashboard.css", "vendor/uPlot-1.6.32.iife.min.js", "vendor/uPlot-1.6.32.min.css")
"""The page's script, one that it imports, one that is imported there, what is not imported, and looks."""


@pytest.mark.parametrize("part", PARTS)
def test_any_part_may_be_lost(display: Display, browser: Browser, part: str) -> None:
    """Whichever does not come, it is asked for again as soon as the server answers, and pictures are drawn."""
    asked = [f"{display.address}{path}" for path in (part, "healthz")]
    with tab_of(browser, display.address) as tab, display.playing(Label("woman", 0.9)):
        for address in asked:
            tab.page.route(address, lambda route: route.abort("connectionreset"), times=1)
        tab.page.reload()
        until(lambda: tab.sees("true") and [tab.requests.count(one) for one in asked] == [3, 2], what="another load")
        tab.wait_for_pictures()
        assert tab.page.evaluate("document.styleSheets.length") == 2
        assert tab.page.evaluate("typeof uPlot") == "function"
