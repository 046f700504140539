"""The page's faces when something is amiss or odd, against a display of its own, and what it asks of its readers."""

import re
import time
from dataclasses import replace
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from bus import Box, CurrentLabel, Label, Pixels, Status
from dashboard.app import PAGE
from tests.support import samples
from tests.support.alone import Display
from tests.support.answers import answering
from tests.support.chromium import tab_of
from tests.support.wait import until

EVIL = "<img src=x onerror=window.hacked=1>"
VISIT = replace(samples.report().visits[0], label=EVIL)


def test_with_nothing_there_it_says_what_to_do(display: Display, browser: Browser) -> None:
    """No camera, no counts, no bridge: each has a face of its own, and none is an error of the page."""
    with tab_of(browser, display.address) as tab:
        tab.wait("document.querySelector('#connection').dataset.state === 'connected'")
        tab.page.locator("#no-camera").wait_for()
        assert "No camera has reported yet" in tab.page.inner_text("#summary")
        assert tab.page.locator("#counted").is_hidden()
        tab.page.locator("#counts-problem", has_text="bridge").wait_for()
        assert tab.complaints == []


def test_a_server_that_goes_and_comes_back(display: Display, browser: Browser) -> None:
    """It says that it is cut off and when it tries again, and is connected again by itself."""
    with tab_of(browser, display.address) as tab:
        tab.wait("document.querySelector('#connection').dataset.state === 'connected'")
        assert display.module.end() == 0
        tab.wait("document.querySelector('#connection').dataset.state === 'disconnected'")
        tab.page.locator("#connection", has_text="trying again").wait_for()
        assert "not connected" in tab.page.inner_text("#summary")
        assert tab.page.locator("#try-now").is_visible()
        display.module.__enter__()
        tab.wait("document.querySelector('#connection').dataset.state === 'connected'", 30)


def test_names_and_labels_are_shown_as_text(display: Display, browser: Browser) -> None:
    """A label that is HTML with a script in it stands there letter by letter, wherever labels stand."""
    label, pixels = CurrentLabel("door", EVIL, 0.9, time.time()), Pixels("matrix", EVIL, bytes(192))
    report = replace(
        samples.report(),
        cameras={"door": replace(samples.report().cameras["door"], totals={EVIL: 1}, visits={EVIL: {"02": 1}})},
        visits=(VISIT,),
    )
    for message in (label, pixels, Status("evil", EVIL, 1.0, time.time(), EVIL, {EVIL: EVIL, "labels": [EVIL]})):
        display.listener.publish(message.topic, message.pack(), retain=True)
    labels = Label(EVIL, 0.9, Box(0.1, 0.1, 0.5, 0.5)), Label("rest", 0.05)
    with answering(display.listener, report), tab_of(browser, display.address) as tab, display.playing(*labels):
        tab.wait_for_pictures()
        for place in (
            ".camera .label",
            ".camera .box",
            "#totals",
            "#visits tbody",
            "#matrices",
            ".module[data-module=evil]",
            "#counts-table",
        ):
            until(lambda place=place: EVIL in (tab.page.text_content(place) or ""), 20, place)  # type: ignore[misc]
        assert tab.page.locator("img[src=x]").count() == 0
        assert tab.page.evaluate("window.hacked") is None
        assert tab.complaints == []


def test_another_day_stands_beside(display: Display, browser: Browser) -> None:
    """The day before is asked of the bridge when it is wanted, and its numbers stand beside today's, in totals and table."""
    before = replace(
        samples.report(),
        day="2026-10-24",
        cameras={"door": replace(samples.report().cameras["door"], totals={"woman": 7}, visits={"woman": {"09": 3, "10": 4}})},
    )
    with answering(display.listener, samples.report(), before), tab_of(browser, display.address) as tab:
        tab.page.locator("#totals [data-label=woman] .count", has_text="1").wait_for()
        tab.page.click("#compare-yesterday")
        assert tab.page.input_value("#compare") == before.day
        until(lambda: "7 on" in (tab.page.text_content("#totals") or ""), 20, "yesterday's total")
        table = tab.page.text_content("#counts-table") or ""
        assert all(number in table for number in ("3", "4"))
        tab.page.locator("#csv-other").wait_for()


@pytest.mark.parametrize("name", ["__proto__", "constructor", "tostring"])
def test_names_that_mean_something_to_the_page_mean_nothing(display: Display, browser: Browser, name: str) -> None:
    """A camera, module, state, label and figure that are called as what every JavaScript object has stand there as any other."""
    metrics: dict[str, Any] = {"camera": name, "labels": ["toString", name], "toString": 1, name: 2, "dropped_constructor": 3}
    status = Status(name, name, time.time(), time.time(), "x", metrics, {"toString": 1.0, name: 2.0})
    label = CurrentLabel(name, "toString", 0.9, time.time())
    for message in (status, label, Pixels(name, "toString", bytes(192))):
        display.listener.publish(message.topic, message.pack(), retain=True)
    counts = replace(
        samples.report().cameras["door"], totals={"toString": 1, name: 2}, visits={"toString": {"02": 1}, name: {"02": 2}}
    )
    report = replace(samples.report(), cameras={name: counts}, visits=())
    with answering(display.listener, report), tab_of(browser, display.address) as tab:
        for place in ("#cameras", "#module-list", "#matrices", "#totals"):
            until(lambda place=place: name in (tab.page.text_content(place) or ""), 20, place)  # type: ignore[misc]
        until(lambda: "toString" in (tab.page.text_content("#totals") or ""))
        tab.page.locator(f'.module[data-module="{name}"] summary').click()
        assert "native code" not in tab.page.inner_text("body")
        assert "undefined" not in tab.page.inner_text("body")
        assert tab.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1440, 900), (390, 844), (2560, 1440)], ids=["desktop", "phone", "wall"])
def test_everybody_can_read_it(display: Display, browser: Browser, scheme: Any, size: tuple[int, int]) -> None:
    """axe-core finds nothing amiss, with a picture and boxes, counts, visits and a lost camera; nothing is too wide."""
    lost = Status("capture-back", "camera-lost", time.time() - 60, time.time(), "unplugged", {"camera": "back"})
    display.listener.publish(lost.topic, lost.pack(), retain=True)
    width, height = size
    options = {"viewport": {"width": width, "height": height}, "color_scheme": scheme, "bypass_csp": True}
    seen = Label("woman", 0.9, Box(0.1, 0.1, 0.5, 0.5))
    told = answering(display.listener, samples.report())
    with told, tab_of(browser, display.address, **options) as tab, display.playing(seen):
        tab.wait_for_pictures()
        tab.page.locator("#visits tbody tr").first.wait_for()
        tab.page.locator('.camera[data-camera="back"][data-state="lost"]').wait_for()
        for details in tab.page.locator("details").all():
            details.evaluate("(details) => { details.open = true; }")
        results = Axe().run(tab.page)
        assert results.violations_count == 0, results.generate_report()
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_keyboard_reaches_everything(display: Display, browser: Browser) -> None:
    """The first stop skips to the content; each that follows can be seen to have the focus, and is used by Enter."""
    told = answering(display.listener, samples.report())
    with told, tab_of(browser, display.address) as tab, display.playing(Label("woman", 0.9)):
        tab.page.locator("#visits tbody tr").first.wait_for()
        reached: list[tuple[str, bool]] = []
        for _ in range(40):
            tab.page.keyboard.press("Tab")
            focus = tab.page.evaluate(
                "(() => { const one = document.activeElement;"
                " return [one.id || one.className || one.tagName, getComputedStyle(one).outlineStyle !== 'none']; })()"
            )
            if focus[0] in ("BODY", reached[0][0] if reached else ""):
                break
            reached.append(focus)
        assert reached[0][0] == "skip"
        assert [name for name, is_seen in reached if not is_seen] == []
        assert {"compare", "compare-yesterday", "csv"} <= {name for name, _ in reached}
        tab.page.focus("#compare-yesterday")
        tab.page.keyboard.press("Enter")
        tab.wait("document.querySelector('#compare').value !== ''")


def test_the_page_is_small_and_whole() -> None:
    """All its files come to less than 300 kB, and none names another host."""
    files = [path for path in PAGE.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 300_000
    named = {url for path in files if path.parent == PAGE for url in re.findall(r"https?://[^\s\"'`)]+", path.read_text("utf-8"))}
    assert named <= {"http://www.w3.org/2000/svg"}
