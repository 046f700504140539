"""The views of the system and of the help, the names that people give, and the language of the page."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Route, expect

from bus import Detection, Site, SiteLabel, Status, states
from bus.topics import site as site_topic
from tests.dashboard.page.conftest import CONNECTED
from tests.dashboard.page.test_journeys import BOX, MORNING, WOMAN, camera, report, status
from tests.support import samples
from tests.support.broker import Broker
from tests.support.chromium import Tab, open_tab
from tests.support.dashboard_rig import DashboardRig
from tests.support.listener import Listener
from tests.support.wait import limit, until

pytestmark = pytest.mark.system

LANGUAGES = Path(__file__).parents[3] / "dashboard" / "page" / "languages"


def modules() -> tuple[Status, ...]:
    """Current statuses: a camera is lost, a display was stopped."""
    return (
        status("capture-back", states.CAMERA_LOST, "/dev/video7 cannot be opened", camera="back"),
        status("classifier", model="model@0123456789ab", labels=("man", "woman"), update=samples.UPDATE),
        status("counter"),
        status("display", states.OFFLINE, "stopped"),
    )


@pytest.fixture
def tab(rig: DashboardRig, browser: Browser) -> Iterator[Tab]:
    """The view of the system of a place with two cameras and counts of today."""
    rig.publish(*modules())
    with (
        rig.counting(report({"door": camera(MORNING, man=3, woman=4)})),
        open_tab(browser, rig.address, timezone_id="Europe/Berlin", bypass_csp=True) as tab,
        rig.playing(Detection(BOX, 0.9, (WOMAN,))),
    ):
        tab.wait(CONNECTED)
        tab.page.click("#to-system")
        tab.page.locator("#site-labels tr").nth(1).wait_for()
        yield tab
        assert tab.errors == []


def test_names_and_colours_are_given(rig: DashboardRig, broker: Broker, tab: Tab) -> None:
    """They are shown at once, on the whole page and on others. A colour can be taken back; one like another is warned of."""
    page = tab.page
    page.get_by_label("Name of the place").fill("Bakery at the mill")
    page.get_by_label("Name of woman").fill("Women")
    page.get_by_label("Colour of woman", exact=True).fill("#0068aa")
    expect(page.locator("#site-labels")).to_contain_text("Hard to tell from man.")
    page.get_by_role("button", name="Reset the colour of woman").click()
    page.get_by_label("Colour of man", exact=True).fill("#ffee00")
    expect(page.locator("#site-labels")).to_contain_text("Too light for a light page, which shows it darker.")
    page.get_by_label("Name of woman").press("Enter")
    expect(page.locator("#site-status")).to_have_text("Saved.")
    expect(page.locator("#site-title")).to_have_text("Bakery at the mill")
    tab.wait("document.title.includes('Bakery at the mill: ')")
    with Listener(broker.port, site_topic()) as listener:
        saved = Site.unpack(listener.wait_for("site")[0])
    assert saved == Site("Bakery at the mill", None, (SiteLabel("man", None, "#ffee00"), SiteLabel("woman", "Women")))
    page.click("#to-today")
    expect(page.locator("#totals")).to_contain_text("Women")
    expect(page.locator("#totals")).to_contain_text("man")
    rig.publish(Site("Mill", None, (SiteLabel("woman", "Ladies", "#c2255c"),)))
    page.locator(".camera[data-camera=door]").scroll_into_view_if_needed()  # only visible cards get pictures
    for place in ("#totals", "#visits", ".camera[data-camera=door] .label"):
        expect(page.locator(place)).to_contain_text("Ladies")
    swatch = "getComputedStyle(document.querySelector('#totals .label-own-0')).getPropertyValue('--colour')"
    tab.wait(f"{swatch}.includes('light-dark(#c2255c')")


def test_changes_are_not_lost(rig: DashboardRig, tab: Tab) -> None:
    """Names that others save do not replace those being typed, nor are they lost when those are saved. A new locale waits.

    Problems are shown.
    """
    page = tab.page
    page.get_by_label("Name of the place").fill("Bakery")
    rig.publish(Site("Mill", "de-CH", (SiteLabel("man", "Men", "#c2255c"),)))
    expect(page.locator("#site-title")).to_have_text("Mill")
    expect(page.get_by_label("Name of man")).to_have_value("Men")
    expect(page.get_by_label("Colour of man", exact=True)).to_have_value("#c2255c")
    expect(page.locator("#site-locale")).to_have_value("de-CH")
    expect(page.get_by_label("Name of the place")).to_have_value("Bakery")
    page.get_by_label("Name of man").fill("")
    page.get_by_label("Name of woman").fill("a\u202eb")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#site-status")).to_contain_text("Not saved: labels.1.name: must be text of 1 to 64 characters")
    assert page.evaluate("document.documentElement.lang") == "en"
    (error,) = tab.errors
    assert "422" in error
    tab.errors.clear()
    page.get_by_role("button", name="Discard changes").click()
    tab.wait("document.documentElement?.lang === 'de'")
    tab.wait(CONNECTED)
    expect(page.locator("#site-locale")).to_have_value("de-CH")
    expect(page.locator("#site-example")).to_have_text(re.compile(r"Donnerstag, 24\. .* um 17:30, 1'234\.5$"))


def test_the_states_of_the_system(rig: DashboardRig, tab: Tab) -> None:
    """What is wrong comes first. A display that was stopped is no fault, and comes last. Rates and drops are listed by camera."""
    items = tab.page.locator("#module-list .module")
    rig.publish(*modules())  # those of the fixture are soon too old
    expect(items.first).to_contain_text("camera lost")
    display = items.last
    expect(display).to_have_attribute("data-module", "display")
    expect(display).to_contain_text("Counting does not need it.")
    expect(display.locator(".badge")).to_have_attribute("data-severity", "idle")
    expect(tab.page.locator(".module[data-module=classifier]")).to_contain_text("wanted model: refused (labels.txt is missing)")
    rows = tab.page.locator("#camera-rows tr")
    expect(rows).to_contain_text([re.compile(r"^back\s*lost"), re.compile(r"^door\s*live\s*10\.0\s*\d+\.\d\s*just now\s*none")])
    expect(tab.page.locator("#version")).to_have_text(re.compile(r"^Footfall \d+\.\d+\.\d+$"))
    rig.publish(status("counter", states.LEDGER_UNAVAILABLE, "the disk is full"))
    expect(tab.page.locator("#changes li")).to_contain_text(["counter: ledger unavailable: the disk is full"])


@pytest.mark.parametrize("view", ["system", "help"])
def test_the_views_are_accessible(tab: Tab, view: str) -> None:
    """In both schemes, at each size and in German, nothing overflows, and axe-core finds no violation."""
    tab.page.goto(f"{tab.page.url.partition('#')[0]}#{view}")
    tab.page.locator("#language").select_option("de")
    tab.wait(f"document.documentElement?.lang === 'de' && {CONNECTED}")
    tab.page.locator(".module").first.wait_for(state="attached")
    tab.page.eval_on_selector_all("details", "(all) => all.forEach((one) => { one.open = true; })")
    for (width, height), scheme in (((1440, 900), "light"), ((360, 740), "dark"), ((2560, 1440), "light")):
        tab.page.set_viewport_size({"width": width, "height": height})
        tab.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        tab.wait(f"document.documentElement.scrollWidth <= {width}")
        results = Axe().run(tab.page)
        assert results.violations_count == 0, results.generate_report()


def test_a_language_is_added(rig: DashboardRig, browser: Browser) -> None:
    """By a catalogue and an entry in the list, as docs/languages.md says. Texts that it lacks are English."""
    entry = 'fr: { name: "Français", regions: ["FR", "CH"] },\n  en:'
    languages = (LANGUAGES / "languages.js").read_text().replace("en:", entry, 1)
    with open_tab(browser, "about:blank", locale="fr-CH") as tab:

        def answer(route: Route) -> None:
            is_list = route.request.url.endswith(".js")
            body = languages if is_list else "view-today = Actuel\n"
            route.fulfill(body=body, content_type="text/javascript" if is_list else "text/plain; charset=utf-8")

        tab.page.route(re.compile("languages/(languages.js|fr.ftl)$"), answer)
        tab.page.goto(rig.address)
        tab.wait(CONNECTED)
        expect(tab.page.locator("html")).to_have_attribute("lang", "fr")
        expect(tab.page.locator("#to-today")).to_have_text("Actuel")
        expect(tab.page.locator("#to-reports")).to_have_text("Reports")
        expect(tab.page.locator("#language option")).to_have_text(["Français", "English", "Deutsch"])
        tab.page.locator("#language").select_option("de")
        expect(tab.page.locator("#to-today")).to_have_text("Heute")
        tab.page.reload()
        expect(tab.page.locator("#to-today")).to_have_text("Heute")
        assert tab.errors == []


def test_a_missing_catalogue_is_replaced(rig: DashboardRig, browser: Browser) -> None:
    """The page is then in English."""
    with open_tab(browser, "about:blank", locale="de-CH") as tab:
        tab.page.route(re.compile("/de.ftl$"), lambda route: route.fulfill(status=404))
        tab.page.goto(rig.address)
        tab.wait(CONNECTED)
        expect(tab.page.locator("#to-today")).to_have_text("Today")


def test_a_page_without_its_texts_loads_again(rig: DashboardRig, browser: Browser) -> None:
    """If the site or a catalogue cannot be loaded, the page tries again until it can."""
    failures = iter(["/site", "/languages/en.ftl"])
    failing = [next(failures)]
    with open_tab(browser, "about:blank") as tab:

        def fail_once(route: Route) -> None:
            if failing and route.request.url.endswith(failing[0]):
                failing[:] = [one for one in [next(failures, "")] if one]
                route.abort()
            else:
                route.continue_()

        tab.page.route(re.compile("/site$|[.]ftl$"), fail_once)
        tab.page.goto(rig.address)
        tab.wait(CONNECTED)
        until(lambda: not failing, limit(5))
        expect(tab.page.locator("#to-today")).to_have_text("Today")
