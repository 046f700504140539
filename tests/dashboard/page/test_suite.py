"""The page with all modules, on the demo's clip."""

from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from bus import Command
from demo.about import CLIP, MODEL
from tests.dashboard.page.test_journeys import shows
from tests.support.broker import Broker, free_port
from tests.support.browsers import is_well
from tests.support.chromium import tab_of
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import until
from tests.support.zone import zone_of_quarters

pytestmark = pytest.mark.system


def test_pictures_counts_and_times(browser: Browser, broker: Broker, tmp_path: Path) -> None:
    """Labels match the classifier; totals, table and visits match the counter; times are the site's. A paused camera says so."""
    port, zone = free_port(), zone_of_quarters()
    settings = {"MODEL": MODEL, "VIDEO_PATH": CLIP, "WEB_PORT": port, "STATE_DIR": tmp_path / "state", "TZ": zone}
    with ExitStack() as stack:
        listener = stack.enter_context(Listener(broker.port, "footfall/door/prediction"))
        for name in ("classifier", "counter", "dashboard", "capture"):
            stack.enter_context(Module(name, broker.port, **settings)).wait_for_log("connected to the broker")
        until(lambda: is_well(port), what="the dashboard")
        tab = stack.enter_context(tab_of(browser, f"http://127.0.0.1:{port}/", timezone_id="Europe/Berlin"))
        shows(tab, ".camera .label", r"^(man|woman)\b")
        tab.page.click("#counts-table >> xpath=ancestor::details/summary")

        def is_counted() -> bool:
            answer = tab.page.request.get(f"http://127.0.0.1:{port}/api/counts")
            if not answer.ok or len(visits := answer.json()["visits"]) < 3:
                return False
            totals = sum(int(one) for one in tab.page.locator("#totals [data-label] .count").all_inner_texts())
            cells = tab.page.locator("#counts-table tbody td:last-child").all_inner_texts()
            local = "([at, timeZone]) => new Date(1000 * at).toLocaleTimeString('en-GB', {timeZone})"
            times = [tab.page.evaluate(local, [visits[0]["started_at"], one]) for one in (zone, "Europe/Berlin")]
            rows = tab.page.locator("#visits tbody tr").all_inner_texts()
            sums = (totals, sum(int(one) for one in cells if one.isdecimal()), len(rows))
            return sums == (len(visits),) * 3 and times[0] in rows[0] and times[1][:5] in rows[0]

        until(is_counted, 60, "the counter's visits")
        listener.publish("footfall/door/command", Command("door", "pause").pack())
        tab.page.locator('.camera[data-camera="door"][data-state="paused"]').wait_for()
        assert tab.complaints == []
