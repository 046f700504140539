"""Whether all that the page has to say can be seen: at each size, in each state, and by hours that exist."""

import time
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from bus import Answer, CameraDay, CurrentLabel, DayReport, Label, Pixels, Question, Status, Visit
from tests.support import samples
from tests.support.alone import Display
from tests.support.broker import Broker
from tests.support.chromium import Tab, tab_of
from tests.support.listener import Listener
from tests.support.wait import until

SIZES = {
    "desktop": (1440, 900),
    "laptop": (1366, 768),
    "phone": (390, 844),
    "small": (360, 740),
    "tablet": (820, 1180),
    "wall": (2560, 1440),
}
LABELS = ("man", "woman", "child", "dog")
CUT = """() => [...document.querySelectorAll(".card, .card *")].flatMap((one) => {
  if (one.matches(".unseen, .frame, #chart, #chart *, option") || !one.checkVisibility()) return [];
  const [style, card, own] = [getComputedStyle(one), one.closest(".card").getBoundingClientRect(), one.getBoundingClientRect()];
  const isWide = style.overflowX !== "visible" && one.scrollWidth > one.clientWidth;
  const scrolls = one.closest("#visits-region, #changes");
  const isHigh = !scrolls && style.overflowY !== "visible" && one.scrollHeight > one.clientHeight + 1;
  const isOut = !scrolls && (own.right > card.right + 1 || own.left < card.left - 1 || own.bottom > card.bottom + 1);
  const name = `${one.tagName}#${one.id}.${one.className}`;
  return isWide || isHigh || isOut ? [`${name} ${isWide ? "wide" : ""} ${isHigh ? "high" : ""} ${isOut ? "out" : ""}`] : [];
})"""
"""What is not wholly there: wider or higher than its room, or beyond the edge of its card."""
EMPTY = """() => document.documentElement.scrollHeight
  - Math.max(innerHeight, document.querySelector("footer").getBoundingClientRect().bottom + scrollY)"""
"""How far the page can be scrolled beyond its end, in pixels."""


def tell(listener: Listener, module: str, state: str = "running", detail: str = "", **metrics: Any) -> None:
    """Publishes how a module is."""
    rates = {"frames_out": 10.0} if module.startswith("capture") else {"predictions_in": 10.0}
    status = Status(module, state, time.time() - 60, time.time(), detail, metrics, rates)
    listener.publish(status.topic, status.pack(), retain=True)


def report() -> DayReport:
    """A day at two cameras, with four labels and visits of both."""
    visits = {label: {f"{hour:02}": 3 + place for hour in range(9, 19)} for place, label in enumerate(LABELS)}
    day = CameraDay({label: sum(hours.values()) for label, hours in visits.items()}, visits)
    began = samples.report().begins_at + 9 * 3600
    last = tuple(
        Visit(
            f"id-{place}", ("back", "door")[place % 2], LABELS[place % 4], began - 60.0 * place, began - 60 * place + 65, 1.0, 31
        )
        for place in range(30)
    )
    return replace(samples.report(), cameras={"back": day, "door": day}, visits=last)


def fill(display: Display) -> None:
    """Two cameras, one of them lost, and all modules."""
    tell(display.listener, "capture-back", "camera-lost", "/dev/video7 cannot be opened", camera="back", dropped_offline=3)
    tell(
        display.listener,
        "classifier",
        model="model@0123456789ab",
        labels=list(LABELS),
        inference_ms=6.52,
        dropped_for_newer=12,
        predictions_out=100,
    )
    tell(display.listener, "bridge", visits_out=5, outbox=0, predictions_in=100, currentlabels_out=3)
    for message in (Pixels("matrix", "woman", bytes(range(192))), CurrentLabel("door", "woman", 0.9, time.time())):
        display.listener.publish(message.topic, message.pack(), retain=True)


def answer(display: Display) -> None:
    """What the bridge does with each question so far."""
    for payload in display.listener.payloads("/question"):
        question = Question.received("footfall/query/display/question", payload)
        told = Answer("display", question.id, "", replace(report(), day=question.day or report().day))
        display.listener.publish(told.topic, told.pack())


def compare(display: Display, page: Page) -> None:
    """Chooses yesterday, and waits until it stands there."""

    def is_shown(selector: str) -> bool:
        answer(display)
        return page.locator(selector).first.is_visible()

    until(lambda: is_shown("#visits tbody tr"), 20, "visits")
    page.click("#compare-yesterday")
    until(lambda: is_shown("#csv-other"), 20, "another day")


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_nothing_is_cut(display: Display, browser: Browser, size: tuple[int, int]) -> None:
    """With two cameras, four labels, another zone and a day to compare with, all in the cards is within them."""
    options = {"viewport": {"width": size[0], "height": size[1]}, "timezone_id": "America/New_York"}
    fill(display)
    with tab_of(browser, display.address, **options) as tab, display.playing(Label("woman", 0.9), Label("man", 0.05)):
        tab.wait_for_pictures()
        compare(display, tab.page)
        tab.wait("document.querySelectorAll('.module').length === 5")
        tab.page.click("#counts-table >> xpath=ancestor::details/summary")
        assert tab.page.evaluate(CUT) == []
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= size[0]
        assert tab.page.evaluate(EMPTY) < 2
        assert tab.complaints == []


def test_hours_are_those_that_exist(display: Display, browser: Browser) -> None:
    """24 on an ordinary day; one is missing where clocks spring forward, and none is told twice where they go back."""
    begins = 1792879200.0
    summer, winter = {"seconds": 7200, "name": "CEST"}, {"seconds": 3600, "name": "CET"}
    day = {"begins_at": begins, "cameras": {}, "visits": []}
    ordinary = {"ends_at": begins + 24 * 3600, "offsets": [{"since": begins, **summer}]}
    longer = {"ends_at": begins + 25 * 3600, "offsets": [{"since": begins, **summer}, {"since": begins + 3 * 3600, **winter}]}
    shorter = {
        "begins_at": begins + 3600,
        "ends_at": begins + 24 * 3600,
        "offsets": [{"since": begins + 3600, **winter}, {"since": begins + 3 * 3600, **summer}],
    }
    every = [f"{hour:02}" for hour in range(24)]
    with tab_of(browser, display.address) as tab:
        for told, hours in ((ordinary, every), (longer, every), (shorter, every[:2] + every[3:])):
            script = "(report) => import('/report.js').then(({hoursOf}) => hoursOf(report))"
            assert tab.page.evaluate(script, {**day, **told}) == hours


def test_sums_are_of_all_cameras_or_of_one(display: Display, browser: Browser) -> None:
    """By label, by hour, before an hour, and in all."""
    visits = {"back": {"man": {"09": 1, "10": 2}}, "door": {"man": {"10": 3}, "woman": {"11": 4}}}
    day = {"cameras": {name: {"totals": {}, "visits": counts} for name, counts in visits.items()}}
    script = """([report, camera]) => import('/report.js').then((it) => {
      const counts = it.hourly(report, camera);
      return [it.total(counts, "man"), it.grandTotal(counts), it.inHour(counts, "10"), it.beforeHour(counts, "11")];
    })"""
    with tab_of(browser, display.address) as tab:
        assert tab.page.evaluate(script, [day, ""]) == [6, 10, 5, 6]
        assert tab.page.evaluate(script, [day, "door"]) == [3, 7, 3, 3]


def test_without_the_broker_it_claims_nothing(display: Display, browser: Browser, broker: Broker) -> None:
    """One sentence says so; modules, cameras and the matrix are not known; the last changes tell that it went and came."""
    fill(display)
    with tab_of(browser, display.address) as tab:
        with display.playing(Label("woman", 0.9)):
            tab.page.locator(".camera[data-camera=door] .who", has_text="visit: woman").wait_for()
        broker.end()
        try:
            tab.page.locator("#summary", has_text="broker has been away since").wait_for()
            assert "Also" not in tab.page.inner_text("#advice")
            assert states(tab) == {"unknown"}
            assert tab.page.locator(".led.lit").count() == 0
            assert "not known" in tab.page.inner_text("#matrices")
            assert tab.page.locator(".who:visible").count() == 0
            assert "broker is away" in tab.page.inner_text(".camera[data-camera=door] .veil")
            assert tab.page.locator("#changes li").all_inner_texts()[0].endswith("broker: away")
        finally:
            broker.start()
        tab.page.locator("#changes li", has_text="broker: back").wait_for()


def states(tab: Tab) -> set[str]:
    """Those of all modules that the page knows."""
    return set(tab.page.eval_on_selector_all(".module", "all => all.map((one) => one.dataset.state)"))


def test_who_is_there_is_told_only_while_the_bridge_is(display: Display, browser: Browser) -> None:
    """Its last word is kept by the broker for ever: it is not shown when no bridge runs."""
    fill(display)
    who = ".camera[data-camera=door] .who"
    with tab_of(browser, display.address) as tab, display.playing(Label("woman", 0.9)):
        tab.page.locator(who, has_text="visit: woman since").wait_for()
        tell(display.listener, "bridge", "offline", "connection lost")
        tab.page.locator(who).wait_for(state="hidden")
        tab.page.locator("#changes li", has_text="bridge: offline: it ended without a word").wait_for()
        tell(display.listener, "bridge")
        tab.page.locator(who).wait_for(state="visible")


def test_last_changes_are_news_only(display: Display, browser: Browser) -> None:
    """None when the page opens, nor that all starts well; what becomes worse is told as what it has become."""
    fill(display)
    with tab_of(browser, display.address) as tab:
        tab.wait("document.querySelectorAll('.module').length === 4")
        assert tab.page.locator("#changes li").count() == 0
        with display.playing(Label("woman", 0.9)):
            tab.page.locator(".camera[data-camera=door][data-state=live]").wait_for()
            assert tab.page.locator("#changes li").count() == 0
        tab.page.locator(".camera[data-camera=door][data-state=silent]").wait_for()
        tab.page.locator("#changes li", has_text="camera door: silent").wait_for()
        tell(display.listener, "capture", "offline", "connection lost", camera="door")
        tab.page.locator("#changes li", has_text="camera door: offline").wait_for()
        assert "no longer" not in tab.page.inner_text("#changes")


def test_the_focus_stays_where_a_button_goes(display: Display, browser: Browser) -> None:
    """The button that ends a comparison vanishes when it is pressed: the focus goes to the choice of a day."""
    fill(display)
    with tab_of(browser, display.address) as tab, display.playing(Label("woman", 0.9)):
        compare(display, tab.page)
        tab.page.focus("#compare-none")
        tab.page.keyboard.press("Enter")
        assert tab.page.evaluate("document.activeElement.id") == "compare"
