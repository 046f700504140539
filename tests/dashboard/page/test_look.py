"""Whether everybody can read and use the page: at each size, in each colour scheme, by keyboard."""

import itertools
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from bus import CurrentLabel, Label, Pixels, Status, states
from tests.dashboard.page.test_journeys import EVERY, MORNING, NONE, WOMAN, camera, report, shows, status
from tests.support.chromium import Tab, tab_of
from tests.support.place import Place
from tests.support.wait import until

pytestmark = pytest.mark.system

SIZES = {"desktop": (1440, 900), "laptop": (1366, 768), "phone": (390, 844), "small": (360, 740), "tablet": (820, 1180)}
SIZES["wall"] = (2560, 1440)
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
"""What is wider or higher than its room, or beyond the edge of its card."""
EMPTY = """() => document.documentElement.scrollHeight
  - Math.max(innerHeight, document.querySelector("footer").getBoundingClientRect().bottom + scrollY)"""
"""How far the page can be scrolled beyond its end, in pixels."""


@contextmanager
def busy(place: Place, browser: Browser, **options: object) -> Iterator[Tab]:
    """The page of a site with two cameras, one of them lost, all modules, a display, and yesterday to compare with."""
    back = camera(NONE)
    door = camera(MORNING, demo=True, **{label: 3 + number for number, label in enumerate(LABELS)})
    place.publish(
        status("capture-back", states.CAMERA_LOST, "/dev/video7 cannot be opened", camera="back"),
        status("classifier", model="model@0123456789ab", labels=LABELS),
        Status("counter", states.RUNNING, time.time() - 60, time.time(), "", metrics={"visits_out": 5, "predictions_in": 100}),
        status("bridge"),
        status("display"),
        Pixels("matrix", "woman", bytes(range(192))),
        CurrentLabel("door", "woman", 0.9, time.time()),
    )
    with ExitStack() as stack:
        stack.enter_context(
            place.counting(report({"back": back, "door": door}, demo=True), report({"door": camera(EVERY, man=7)}, 1))
        )
        tab = stack.enter_context(tab_of(browser, place.address, timezone_id="America/New_York", **options))
        stack.enter_context(place.playing(WOMAN, Label("man", 0.05)))
        tab.page.locator(".camera[data-camera=door]").scroll_into_view_if_needed()  # pictures come only for cards that are seen
        tab.wait_for_pictures()
        tab.page.locator("#visits tbody tr").first.wait_for()
        tab.page.click("#compare-yesterday")
        shows(tab, "#totals", "7 on ")
        tab.wait("document.querySelectorAll('.module').length === 7")
        yield tab


def resize(tab: Tab, size: str) -> None:
    width, height = SIZES[size]
    tab.page.set_viewport_size({"width": width, "height": height})


def test_nothing_is_cut(place: Place, browser: Browser) -> None:
    """At each size, with and without a display; nothing is an error."""
    with busy(place, browser) as tab:
        tab.page.click("#counts-table >> xpath=ancestor::details/summary")
        for size, has_display in itertools.product(SIZES, (True, False)):
            resize(tab, size)
            tab.page.eval_on_selector("#display", "(card, isShown) => { card.hidden = !isShown; }", has_display)
            beyond = f"document.documentElement.scrollWidth - {SIZES[size][0]}"
            until(lambda beyond=beyond: tab.page.evaluate(beyond) <= 0, what=f"the width of {size}")  # type: ignore[misc]
            until(lambda: tab.page.evaluate(CUT) == [] and tab.page.evaluate(EMPTY) < 2, what=f"room for everything: {size}")
        assert tab.complaints == []


def test_everybody_can_read_it(place: Place, browser: Browser) -> None:
    """axe-core finds no violation, with all details open."""
    with busy(place, browser, bypass_csp=True) as tab:
        tab.page.eval_on_selector_all("details", "(all) => all.forEach((one) => { one.open = true; })")
        for size, scheme in (("desktop", "light"), ("desktop", "dark"), ("phone", "light"), ("wall", "dark")):
            resize(tab, size)
            tab.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            results = Axe().run(tab.page)
            assert results.violations_count == 0, results.generate_report()


def test_the_keyboard_reaches_everything(place: Place, browser: Browser) -> None:
    """The first stop skips to the content; each stop has a visible focus, and is used by Enter."""
    with busy(place, browser) as tab:
        tab.page.click("#compare-none")
        tab.page.evaluate("document.activeElement.blur()")
        tab.page.reload()
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
