"""What the page shows of days and hours without data, which are not 0, and of the demo's visitors, which are not real."""

import json
import re
import time
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from bus import Answer, CameraDay, DayReport, Label, Offset, Question, Visit
from tests.support.alone import Display
from tests.support.chromium import tab_of
from tests.support.wait import until

NOON = (12 - time.gmtime().tm_hour) * 3600
"""By how much the site's clocks are ahead, in seconds: it is about noon there, so that its day does not end while tests run."""
HOURS = [f"{hour:02}" for hour in range(24)]
EVERY: dict[str, float | None] = dict.fromkeys(HOURS, 1.0)
NONE: dict[str, float | None] = dict.fromkeys(HOURS)
MORNING = NONE | {"08": 1.0, "09": 1.0, "10": 1.0, "11": 0.5}


def camera(counted: dict[str, float | None], *, demo: bool = False, **visits: int) -> CameraDay:
    """One day of a camera, at which so many of each label began between nine and ten."""
    return CameraDay(visits, {label: {"09": number} for label, number in visits.items()}, counted, demo)


def report(cameras: dict[str, CameraDay], days_ago: int = 0, *, demo: bool = False) -> DayReport:
    """Today's, or that of so many days back, with a visit at each camera that had one."""
    begins = (time.time() + NOON) // 86400 * 86400 - NOON - days_ago * 86400
    visits = tuple(
        Visit(f"{name}-{label}", name, label, begins + 33000, begins + 33004, 0.9, 40, one.demo)
        for name, one in cameras.items()
        for label in one.totals
    )
    day = time.strftime("%Y-%m-%d", time.gmtime(begins + NOON))
    return DayReport(day, begins, begins + 86400, (Offset(begins, NOON, "NOON"),), cameras, visits, demo)


class Bridge:
    """Answers every question of the page."""

    def __init__(self, display: Display, page: Page, *reports: DayReport) -> None:
        self.display = display
        self.page = page
        self.reports = {one.day: one for one in reports}
        self.today = reports[0]
        self.answered = 0

    def shows(self, selector: str, text: str) -> None:
        """Waits until the text stands there."""

        def stands() -> bool:
            for payload in self.display.listener.payloads("/question")[self.answered :]:
                self.answered += 1
                question = Question.received("footfall/query/display/question", payload)
                one = self.reports[question.day] if question.day else self.today
                told = Answer("display", question.id, "", one)
                self.display.listener.publish(told.topic, told.pack())
            return re.search(text, self.page.locator(selector).inner_text()) is not None

        try:
            until(stands, 30, f"{text} in {selector}")
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.page.locator(selector).inner_text()!r}") from None


def row(page: Page, hour: str) -> list[str]:
    """The cells of an hour in the table."""
    cells: list[str] = page.locator(f"#counts-table tr[data-key='{hour}'] td").all_text_contents()
    return cells


def test_a_day_without_data_is_not_a_day_with_0_visitors(display: Display, browser: Browser) -> None:
    """No total says 0, neither of today nor of the day beside it, nor do the first sentence and the table."""
    with tab_of(browser, display.address) as tab, display.playing(Label("woman", 0.9)):
        bridge = Bridge(display, tab.page, report({"door": camera(NONE)}), report({"door": camera(NONE)}, 1))
        bridge.shows("#totals", r"^visitors\s+no data")
        bridge.shows("#summary", "no data for today yet")
        bridge.shows("#coverage", "^Today: no data.$")
        tab.page.click("#compare-yesterday")
        bridge.shows("#totals", "no data on ")
        bridge.shows("#coverage", "Today: no data. .*: no data.")
        assert "0" not in tab.page.locator("#totals .count").all_text_contents()
        assert row(tab.page, "11")[-2:] == ["no data", "no data"]
        assert tab.page.locator("#no-data-key").is_visible()
        assert "No data: 10" in str(tab.page.get_attribute("#chart", "aria-label"))
        assert tab.complaints == []


def test_a_partly_counted_day_says_for_how_long(display: Display, browser: Browser) -> None:
    """Hours without data are told from those without visitors, and from those that are still to come."""
    with tab_of(browser, display.address) as tab:
        counted = report({"door": camera(MORNING, man=2, woman=1)})
        bridge = Bridge(display, tab.page, counted, report({"door": camera(EVERY)}, 1))
        bridge.shows("#coverage", r"^Today: counted 3\s+h\s+30\s+min of 1[23]\s+h")
        bridge.shows("#totals", r"visitors\s+3")
        tab.page.click("#compare-yesterday")
        bridge.shows("#totals", r"0\s+on ")
        bridge.shows("#coverage", r"^Today: [^.]*\.$")
        assert row(tab.page, "09")[-2:] == ["3", "0"]
        assert row(tab.page, "10")[-2:] == ["0", "0"]
        assert row(tab.page, "12")[-2:] == ["no data", "0"]
        assert row(tab.page, "15")[-2:] == ["\N{EN DASH}", "0"]
        assert "11\N{EN DASH}12" not in str(tab.page.get_attribute("#chart", "aria-label"))
        assert re.search("No data: 12\N{EN DASH}13(, 13\N{EN DASH}14)?\\.", str(tab.page.get_attribute("#chart", "aria-label")))
        assert tab.complaints == []


def test_a_day_counted_at_some_cameras_names_the_others(display: Display, browser: Browser) -> None:
    """The sum over cameras says whose hours are missing; each camera has its own."""
    with tab_of(browser, display.address) as tab:
        cameras = {"back": camera(NONE), "door": camera(EVERY, man=2), "side": camera(MORNING, man=1)}
        bridge = Bridge(display, tab.page, report(cameras))
        bridge.shows("#coverage", r"^Today: partly counted: back no data, side 3\s+h\s+30\s+min of 1[23]\s+h")
        bridge.shows("#totals", r"visitors\s+3")
        tab.page.select_option("#counted-camera", "back")
        bridge.shows("#coverage", "^Today: no data.$")
        tab.page.select_option("#counted-camera", "door")
        until(lambda: not tab.page.inner_text("#coverage"), what="a day that was counted all the time")


def test_the_demos_visitors_are_said_to_be_none(display: Display, browser: Browser) -> None:
    """A banner says so, and the first sentence; of several cameras the demo's are not in the sum."""
    drawn, real = camera(EVERY, demo=True, man=5), camera(EVERY, man=2)
    with tab_of(browser, display.address) as tab, display.playing(Label("woman", 0.9)):
        bridge = Bridge(display, tab.page, report({"back": camera(NONE), "door": drawn}, demo=True))
        bridge.shows("body", "Demo: these visitors are not real")
        bridge.shows("#summary", "5 demo visitors today: man 5")
        bridge.shows("#totals", r"visitors\s+5")
    with tab_of(browser, display.address) as tab, display.playing(Label("woman", 0.9)):
        bridge = Bridge(display, tab.page, report({"back": drawn, "door": real}))
        display.listener.publish("footfall/door/counts", json.dumps(COUNTS).encode(), retain=True)
        bridge.shows("body", "Demo at back: visitors there are not real, and are left out of the totals of all cameras")
        bridge.shows("#summary", "2 visitors today: man 2")
        bridge.shows("#totals", r"visitors\s+2")
        assert tab.page.locator("#visits .where").all_inner_texts()[1:] == ["back, demo", "door"]
        tab.page.select_option("#counted-camera", "back")
        bridge.shows("#totals", r"visitors\s+5")


COUNTS = {"v": 1, "camera": "door", "day": "2026-11-23", "totals": {}, "visits": {}}
"""Without the newest fields, as an older bridge publishes them; has the display ask again."""


def test_the_demo_beside_real_counts_is_said(display: Display, browser: Browser) -> None:
    """What is seen is not counted then, and nobody need wonder why; without the demo there is no banner."""
    display.is_demo = True
    with tab_of(browser, display.address) as tab, display.playing(Label("woman", 0.9)):
        bridge = Bridge(display, tab.page, report({"door": camera(EVERY, man=2)}))
        bridge.shows("#demo", "Demo at door: visitors there are not real, and are not added to today's real visitors")
        display.is_demo = False
        until(lambda: not tab.page.locator("#demo").is_visible(), what="no banner")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1440, 900), (390, 844)], ids=["desktop", "phone"])
def test_everybody_can_read_it(display: Display, browser: Browser, scheme: Any, size: tuple[int, int]) -> None:
    """axe-core finds nothing wrong with hours without data and the demo's banner; nothing is too wide."""
    options = {"viewport": {"width": size[0], "height": size[1]}, "color_scheme": scheme, "bypass_csp": True}
    with tab_of(browser, display.address, **options) as tab, display.playing(Label("woman", 0.9)):
        cameras = {"back": camera(NONE), "door": camera(MORNING, demo=True, man=2)}
        bridge = Bridge(display, tab.page, report(cameras, demo=True), report({"door": camera(NONE)}, 1))
        bridge.shows("#coverage", "back no data, door")
        tab.page.click("#compare-yesterday")
        bridge.shows("#totals", "no data on ")
        for details in tab.page.locator("details").all():
            details.evaluate("(details) => { details.open = true; }")
        results = Axe().run(tab.page)
        assert results.violations_count == 0, results.generate_report()
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= size[0]
