"""The view of reports in a real browser, with a real counter and its ledger."""

import csv
import io
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Route, expect

from bus import Crossing, Visit
from counter.changes import Changes
from counter.ledger import Ledger
from counter.periods import Period
from runtime.metrics import Metrics
from tests.dashboard.page.test_journeys import shows
from tests.support.broker import Broker
from tests.support.chromium import Tab, open_tab
from tests.support.dashboard_rig import CAPTURE, DashboardRig
from tests.support.module import Module
from tests.support.wait import until

pytestmark = pytest.mark.system

DASH = "\N{EN DASH}"
ZONE = ZoneInfo("Europe/Berlin")
LINES = '[{"name": "entrance", "from": [0.1, 0.5], "to": [0.9, 0.5]}]'
ZONES = '[{"name": "till", "polygon": [[0.1, 0.5], [0.4, 0.5], [0.4, 0.9]]}]'
FIRST, LAST = datetime(2026, 9, 1, tzinfo=ZONE), datetime(2026, 10, 31, tzinfo=ZONE)
"""The days with visits: a woman at 9:00, in; in October also a man at 15:00, out. The camera counted from 8 to 18 o'clock."""
CLOSED = "2026-10-14"
"""A day without data."""
TABLE = "[...document.querySelectorAll('#reports-table tr')].map((row) => [...row.children].map((cell) => cell.textContent))"
SIZES = ((1440, 900), (390, 844), (360, 740), (2560, 1440))


def fill(folder: Path) -> None:
    """Writes the visits, and one of the demo's at another camera."""
    results, periods, day = list[Visit | Crossing](), list[Period](), FIRST
    while day <= LAST:
        for label, hour, way in (("woman", 9, "in"), ("man", 15, "out")):
            if f"{day:%Y-%m-%d}" == CLOSED or (label == "man" and day.month == 9):
                continue
            at, name = day.replace(hour=hour).timestamp(), f"{label}-{day:%m-%d}"
            results.append(Visit(name, "door", label, at, at + 60, 0.9, 90, False, way, {"till": 30.0}))  # type: ignore[arg-type]
            results.append(Crossing(f"{name}-crossing", "door", name, "entrance", way, label, at + 5))  # type: ignore[arg-type]
        if f"{day:%Y-%m-%d}" != CLOSED:
            periods.append(Period("door", False, day.replace(hour=8).timestamp(), day.replace(hour=18).timestamp()))
        day += timedelta(days=1)
    at = LAST.replace(hour=12).timestamp()
    results.append(Visit("toy", "toy", "duck", at, at + 5, 0.9, 9, True))
    with closing(Ledger(folder, Metrics())) as ledger:
        ledger.commit(Changes(results=[*results], periods=[*periods]))


@contextmanager
def counting(rig: DashboardRig, broker: Broker, folder: Path) -> Iterator[None]:
    """Runs a counter with the ledger."""
    hours = "Mo-Sa 09:00-18:00"
    with Module("counter", broker.port, STATE_DIR=folder, TZ=ZONE.key, OPENING_HOURS=hours, KEEP_DAYS=36500) as counter:
        counter.wait_for_log("connected to the broker")
        until(lambda: rig.get("/api/counts").status_code == 200, what="the counter")
        yield


@pytest.fixture
def rig(broker: Broker, tmp_path: Path) -> Iterator[DashboardRig]:
    """A dashboard of a site with a line and a zone."""
    fill(tmp_path)
    with DashboardRig(broker, LINES=LINES, ZONES=ZONES) as rig:
        rig.publish(CAPTURE)
        yield rig


def go(tab: Tab, address: str, title: str) -> None:
    """Opens a report by its address, and waits until it is complete."""
    tab.page.evaluate("(hash) => { document.querySelector('#reports-busiest').hidden = true; location.hash = hash; }", address)
    shows(tab, "#reports-title", title)
    tab.page.locator("#reports-busiest").wait_for()


def answer_late(route: Route) -> None:
    """Lets a request pass after a while."""
    time.sleep(0.7)
    route.continue_()


def test_a_month_beside_the_month_before(rig: DashboardRig, broker: Broker, browser: Browser, tmp_path: Path) -> None:
    """Sums, chart and table agree with the ledger; a day without data differs from one without visits. So does the file.

    The address keeps what is chosen, so that the browser can go back to it.
    """
    with (
        counting(rig, broker, tmp_path),
        open_tab(browser, f"{rig.address}#reports?from=2026-10", timezone_id="Asia/Tokyo") as tab,
    ):
        tab.page.locator("#reports-busiest").wait_for()
        shows(tab, "#reports-title", "^October 2026$")
        tiles = tab.page.locator("#reports-tiles .tile").all_inner_texts()
        assert [tile.split("\n") for tile in tiles] == [
            ["Visitors", "60", "September 2026: 30 +100%"],
            ["In", "30", "September 2026: 30 0%"],
            ["Out", "30", "September 2026: 0"],
            ["woman", "30", "September 2026: 30 0%"],
            ["man", "30", "September 2026: 0"],
        ]
        shows(tab, "#reports-coverage", r"October 2026: counted 40\s?% of the time\. September 2026: counted 42\s?%")
        shows(tab, "#reports-demo", "Demo at toy: visitors there are not real")
        rows = tab.page.evaluate(TABLE)
        assert rows[0] == ["Day", "woman", "man", "All", "September 2026", "Change"]
        assert rows[1] == ["Thu 1 Oct", "1", "1", "2", "1", "+100%"]
        assert rows[14] == ["Wed 14 Oct", DASH, DASH, "no data", "1", DASH]
        assert rows[31] == ["Sat 31 Oct", "1", "1", "2", DASH, DASH]
        assert tab.page.locator("#reports-chart .column[data-is=unknown]").count() == 1
        assert "No data: Wed 14 Oct." in (tab.page.get_attribute("#reports-chart", "aria-label") or "")
        expect(tab.page.locator("#reports-week td[title='Monday, 09\N{EN DASH}10 h: 1']")).to_have_class("level-5")
        expect(tab.page.locator("#reports-week td[title='Monday, 10\N{EN DASH}11 h: 0']")).to_have_class("level-0")
        with tab.page.expect_download() as download:
            tab.page.click("#reports-csv")
        assert download.value.suggested_filename == "footfall-2026-10.csv"
        lines = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
        assert sum(int(line["visits"] or 0) for line in lines if line["camera"] == "door") == 60
        tab.page.get_by_role("button", name="Year", exact=True).click()
        shows(tab, "#reports-title", "^2026$")
        assert tab.page.evaluate("location.hash") == "#reports?from=2026"
        tab.page.go_back()
        shows(tab, "#reports-title", "^October 2026$")
        tab.page.get_by_role("button", name="Month before").click()
        shows(tab, "#reports-tiles", r"Visitors\s+30\s+August 2026: no data")
        tab.page.select_option("#reports-measure", "zones")
        shows(tab, "#reports-tiles", r"till\s+15\smin\s+August 2026: no data\s+30 visits, mean stay 30\ss")
        tab.page.select_option("#reports-measure", "out")
        tab.page.get_by_label("Only opening hours").check()
        shows(tab, "#reports-filter", "Out · Only opening hours")
        assert tab.page.evaluate("location.hash") == "#reports?from=2026-09&show=out&open=yes"
        go(tab, "reports?from=2026-10&show=out&open=yes", "October")
        shows(tab, "#reports-tiles", r"Out\s+26")
        assert tab.page.locator("#reports-table tbody tr").count() == 27  # no Sundays
        assert tab.errors == []


def test_this_week_and_no_counter(rig: DashboardRig, broker: Broker, browser: Browser, tmp_path: Path) -> None:
    """It begins with this week, so far. An answer that comes after the next choice is dropped.

    While there is no answer, the reason is shown instead of old figures. They come with the counter; a button asks at once.
    """
    with counting(rig, broker, tmp_path), open_tab(browser, f"{rig.address}#reports") as tab:
        shows(tab, "#reports-title", r"^Week \d+, ")
        expect(tab.page.locator("#reports-next")).to_have_attribute("aria-disabled", "true")
        tab.page.route("**/reports?from=2026-09&*", answer_late)
        tab.page.evaluate(
            "location.hash = 'reports?from=2026-09'; setTimeout(() => { location.hash = 'reports?from=2026-10-05'; }, 100)"
        )
        shows(tab, "#reports-tiles", r"Visitors\s+2\s+Mon 28 Sept?: 1")
        tab.page.wait_for_timeout(1500)
        shows(tab, "#reports-tiles", r"Visitors\s+2\s+Mon 28 Sept?: 1")
        broker.end()
        tab.page.get_by_role("button", name="Next day").click()
        shows(tab, "#reports-status", "No answer from the counter: no connection to the broker")
        assert tab.page.locator("#reports-figures").is_hidden()
        broker.start()
        shows(tab, "#reports-tiles", r"Visitors\s+2\s")
        tab.page.route("**/reports?*", lambda route: route.abort())
        tab.page.get_by_role("button", name="Next day").click()
        shows(tab, "#reports-status", "Footfall does not answer")
        tab.page.unroute("**/reports?*")
        tab.page.click("#reports-retry")
        shows(tab, "#reports-tiles", r"Visitors\s+2\s")


def test_a_page_that_was_open_before_the_counter_answered(
    rig: DashboardRig, broker: Broker, browser: Browser, tmp_path: Path
) -> None:
    """The report is loaded as soon as the counter answers."""
    with open_tab(browser, f"{rig.address}#reports?from=2026-10") as tab:
        shows(tab, "#reports-status", "No answer from the counter")
        with counting(rig, broker, tmp_path):
            shows(tab, "#reports-title", "^October 2026$")
            shows(tab, "#reports-tiles", r"Visitors\s+60\s")


def test_reports_are_accessible_and_printable(rig: DashboardRig, broker: Broker, browser: Browser, tmp_path: Path) -> None:
    """At each size nothing is wider than the page, and axe-core finds nothing. Paper shows the report alone, with its table."""
    address = f"{rig.address}#reports?from=2026-10"
    with counting(rig, broker, tmp_path), open_tab(browser, address, bypass_csp=True) as tab:
        tab.page.locator("#reports-busiest").wait_for()
        tab.page.click("#reports-numbers summary")
        for width, height in SIZES:
            tab.page.set_viewport_size({"width": width, "height": height})
            wide = tab.page.evaluate(
                "[...document.querySelectorAll('#reports *')].filter((one) => !one.closest('.scroll') &&"
                " one.getBoundingClientRect().right > innerWidth).map((one) => one.outerHTML.slice(0, 90))"
            )
            assert wide == [], (width, wide)
        for scheme, (width, height) in (("light", SIZES[0]), ("dark", SIZES[0]), ("light", SIZES[1])):
            tab.page.set_viewport_size({"width": width, "height": height})
            tab.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            results = Axe().run(tab.page, context="#reports")
            assert results.violations_count == 0, results.generate_report()
        tab.page.click("#reports-numbers summary")
        tab.page.emulate_media(media="print", color_scheme="dark")
        tab.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        for selector in (".bar", "#overview", ".report-choice", "#reports-files"):
            assert tab.page.locator(selector).is_hidden(), selector
        for selector in ("#reports-chart", "#reports-table", "#reports-week", "#reports-paper"):
            assert tab.page.locator(selector).is_visible(), selector
        shows(tab, "#reports-paper", "October 2026 · printed .*Labels are predictions")
        assert tab.page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
        tab.page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert tab.page.locator("#reports-table").is_hidden()
