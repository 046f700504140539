"""The page is readable and usable at each size, in each colour scheme, and by keyboard."""

import itertools
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from bus import UNDECIDED, CurrentLabel, Detection, Direction, Occupancy, Pixels, VisitorInView, ZoneHours, states
from tests.dashboard.page.test_journeys import BOX, EVERY, MORNING, NONE, WOMAN, camera, report, shows, status
from tests.support import samples
from tests.support.chromium import Tab, open_tab
from tests.support.dashboard_rig import DashboardRig

pytestmark = pytest.mark.system

DESKTOP, PHONE, WALL = (1440, 900), (390, 844), (2560, 1440)
SIZES = (DESKTOP, PHONE, WALL, (1366, 768), (360, 740), (820, 1180))  # the others: a laptop, a small phone, a tablet
LABELS = ("man", "woman", "child", "dog")
CROSSINGS: dict[str, dict[Direction, dict[str, dict[str, int]]]] = {
    "entrance": {"in": {"man": {"09": 1412}}, "out": {"woman": {"09": 1000}, UNDECIDED: {"10": 410}}}
}
CUT = """[...document.querySelectorAll(".card, .card *")].some((one) => {
  if (one.matches(".unseen, .frame, #chart, #chart *, option") || !one.checkVisibility()) return false;
  const [style, card, own] = [getComputedStyle(one), one.closest(".card").getBoundingClientRect(), one.getBoundingClientRect()];
  const isWide = style.overflowX !== "visible" && one.scrollWidth > one.clientWidth;
  const isHigh = style.overflowY !== "visible" && one.scrollHeight > one.clientHeight + 1;
  const isOut = own.right > card.right + 1 || own.left < card.left - 1 || own.bottom > card.bottom + 1;
  return isWide || (!one.closest("#visits-region, #changes") && (isHigh || isOut));
})"""
"""Whether an element overflows its box or its card; lists may scroll."""
ENDS = """document.documentElement.scrollHeight
  - Math.max(innerHeight, document.querySelector("footer").getBoundingClientRect().bottom + scrollY) < 2"""
"""Whether the page ends at its footer."""
FOCUS = """(() => {
  const one = document.activeElement;
  return [one.id || one.className || one.tagName, getComputedStyle(one).outlineStyle];
})()"""

TEXTS = """
window.texts = [];
const { fillText } = CanvasRenderingContext2D.prototype;
CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
  const half = this.measureText(text).width / 2;
  window.texts.push({ canvas: this.canvas, text, y, left: x - half, right: x + half });
  fillText.call(this, text, x, y);
};"""
"""A script that records what is written into charts."""
HOURS = """(() => {
  const shown = window.texts.filter(({ canvas }) => canvas.isConnected && canvas.closest("#chart"));
  const lowest = Math.max(...shown.map(({ y }) => y));
  return shown.filter(({ text, y }) => text && y === lowest).sort((one, other) => one.left - other.left);
})()"""
"""The texts below the chart, from left to right."""


@pytest.fixture
def tab(rig: DashboardRig, browser: Browser) -> Iterator[Tab]:
    """The page of a site with two cameras (one of them lost), all modules, a display, and counts of yesterday."""
    door = camera(MORNING, demo=True, **{label: 3 + number for number, label in enumerate(LABELS)})
    door = replace(door, crossings=CROSSINGS, zones={"till": ZoneHours({"man": {"09": 3}}, {"09": 75.5})})
    rig.publish(
        status("capture-back", states.CAMERA_LOST, "/dev/video7 cannot be opened", camera="back"),
        status("classifier", model="model@0123456789ab", labels=LABELS, update=samples.UPDATE),
        replace(status("counter"), metrics={"visits_out": 5, "predictions_in": 100}),
        status("bridge"),
        status("display"),
        Pixels("matrix", "woman", bytes(range(192))),
        CurrentLabel("door", "woman", 0.9, time.time()),
        samples.setup(),
        Occupancy("door", {"till": 2}, 3, 1412, 1410, 1, time.time() - 9000, time.time()),
    )
    rig.visitors = (VisitorInView(1234, BOX, "woman", 1000.0), VisitorInView(1235, BOX, UNDECIDED, 1000.0))
    today, yesterday = report({"back": camera(NONE), "door": door}, demo=True), report({"door": camera(EVERY, man=7)}, 1)
    with (
        rig.counting(today, yesterday),
        open_tab(browser, rig.address, timezone_id="America/New_York", bypass_csp=True) as tab,
        rig.playing(Detection(BOX, 0.9, (WOMAN,)), Detection(BOX, 0.6)),
    ):
        tab.page.locator(".camera[data-camera=door]").scroll_into_view_if_needed()  # only visible cards get pictures
        tab.wait_for_pictures()
        tab.page.locator("#visits tbody tr").first.wait_for()
        tab.wait("document.querySelectorAll('.module').length === 7")
        shows(tab, ".module[data-module=classifier]", r"wanted model: refused \(labels.txt is missing\)")
        yield tab
    assert tab.errors == []


def test_the_page_is_accessible(tab: Tab) -> None:
    """By keyboard: the first stop skips to the content, each stop has a visible focus, and Enter activates it.

    At each size nothing is cut off, with and without a display. With all details open, axe-core finds no violation.
    """
    reached: list[str] = []
    for _ in range(40):
        tab.page.keyboard.press("Tab")
        name, outline = tab.page.evaluate(FOCUS)
        if name in ("BODY", *reached[:1]):
            break
        reached.append(name)
        assert outline != "none", name
    assert reached[0] == "skip"
    assert {"compare", "compare-yesterday", "csv"} <= set(reached)
    tab.page.focus("#compare-yesterday")
    tab.page.keyboard.press("Enter")
    tab.wait("document.querySelector('#compare').value !== ''")
    shows(tab, "#totals", r"\(7\)")
    tab.page.click("#counts-table >> xpath=ancestor::details/summary")
    for (width, height), has_display in itertools.product(SIZES, (False, True)):
        tab.page.set_viewport_size({"width": width, "height": height})
        tab.page.eval_on_selector("#display", "(card, isShown) => { card.hidden = !isShown; }", has_display)
        tab.wait(f"document.documentElement.scrollWidth <= {width}")
        tab.wait(f"innerWidth === {width} && {ENDS} && !{CUT}")
        tab.page.click("#show-visits" if has_display else "#show-flow")
    tab.page.eval_on_selector_all("details", "(all) => all.forEach((one) => { one.open = true; })")
    for (width, height), scheme in ((DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "light"), (WALL, "dark")):
        tab.page.set_viewport_size({"width": width, "height": height})
        tab.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        results = Axe().run(tab.page)
        assert results.violations_count == 0, results.generate_report()


def test_the_dialog_is_accessible(tab: Tab) -> None:
    """At each size its picture and its buttons are reachable, and axe-core finds no violation, while a zone is drawn too."""
    tab.page.locator(".camera[data-camera=door] .set-up").click()
    dialog = tab.page.locator("#setup")
    for section in ("visitors", "alerts"):
        dialog.locator(f"#setup-{section} summary").click()
        dialog.locator(f"#setup-{section}").get_by_label("as the settings say").uncheck()
    for kind in ("Somebody waits too long", "Camera lost"):
        dialog.get_by_label("Kind of the new rule").select_option(kind)
        dialog.get_by_role("button", name="Add rule", exact=True).click()
    dialog.get_by_label("Limit of rule no camera").fill("")  # a problem to show
    tab.page.get_by_label("Move line entrance").focus()
    for width, height in SIZES:
        tab.page.set_viewport_size({"width": width, "height": height})
        tab.wait(f"document.documentElement.scrollWidth <= {width}")
        assert dialog.evaluate("(one) => one.scrollWidth <= one.clientWidth"), (width, height)
        box = dialog.bounding_box()
        assert box
        assert box["height"] <= height
        for name in ("Save", "Add line"):
            dialog.get_by_role("button", name=name, exact=True).scroll_into_view_if_needed()
    for (width, height), scheme in ((DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "light")):
        tab.page.set_viewport_size({"width": width, "height": height})
        tab.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for is_drawing in (False, True):
            if is_drawing:
                dialog.get_by_role("button", name="Add zone", exact=True).click()
            results = Axe().run(tab.page, context="#setup")
            assert results.violations_count == 0, results.generate_report()
            if is_drawing:
                tab.page.keyboard.press("Escape")


@pytest.mark.parametrize("locale", ["en-US", "de-CH"])
def test_small_texts_have_room(rig: DashboardRig, browser: Browser, locale: str) -> None:
    """At each size the hours below the chart do not touch, and the views are in one row."""
    with rig.counting(report({"door": camera(EVERY, man=7)})), open_tab(browser, rig.address, locale=locale) as tab:
        tab.page.add_init_script(TEXTS)
        tab.page.reload()
        for width, height in SIZES:
            tab.page.set_viewport_size({"width": width, "height": height})
            tab.wait(f"{HOURS}.length > 3 && {HOURS}.every((one, at, all) => !at || one.left > all[at - 1].right + 4)")
            assert len({box.bounding_box()["y"] for box in tab.page.locator(".bar nav a").all()}) == 1, width  # type: ignore[index]
