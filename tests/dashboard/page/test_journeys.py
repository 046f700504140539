"""User journeys on the page, in a real browser."""

import re
import time
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, expect

from bus import About, Box, CurrentLabel, DayCounts, DayReport, Detection, Label, Pixels, Status, Visit, states
from bus.metric_names import MOTION
from dashboard.site_state import SILENT_AFTER
from tests.dashboard.page.conftest import CONNECTED
from tests.support.broker import Broker
from tests.support.chromium import Tab, open_tab
from tests.support.dashboard_rig import CAPTURE, DashboardRig
from tests.support.wait import limit, until
from tests.support.zone import zone_at_noon

pytestmark = pytest.mark.system

HOURS = [f"{hour:02}" for hour in range(24)]
EVERY: dict[str, float | None] = dict.fromkeys(HOURS, 1.0)
NONE: dict[str, float | None] = dict.fromkeys(HOURS)
MORNING = NONE | {"08": 1.0, "09": 1.0, "10": 1.0, "11": 0.5}
WOMAN = Label("woman", 0.9)
BOX = Box(0.1, 0.1, 0.5, 0.5)
EVIL = "<img src=x onerror=window.hacked=1>"


def camera(counted: dict[str, float | None], *, demo: bool = False, **visits: int) -> DayCounts:
    """A day of a camera: the given number of visits of each label began between nine and ten."""
    return DayCounts("door", "2026-11-23", visits, {label: {"09": number} for label, number in visits.items()}, counted, demo)


def report(cameras: dict[str, DayCounts], days_ago: int = 0, *, demo: bool = False) -> DayReport:
    """The report of today, or of an earlier day, with a visit of each label at each camera."""
    zone, ahead = zone_at_noon(), (12 - time.gmtime().tm_hour) * 3600
    begins = (time.time() + ahead) // 86400 * 86400 - ahead - days_ago * 86400
    visits = tuple(
        Visit(f"{name}-{label}", name, label, begins + 33000, begins + 33004, 0.9, 40, one.demo)
        for name, one in cameras.items()
        for label in one.totals
    )
    day = time.strftime("%Y-%m-%d", time.gmtime(begins + ahead))
    return DayReport(day, begins, begins + 86400, zone, cameras, visits, demo)


def status(module: str, state: str = states.RUNNING, detail: str = "", **about: object) -> Status:
    """A current status."""
    return Status(module, state, time.time() - 60, time.time(), detail, About(**about))  # type: ignore[arg-type]


def shows(tab: Tab, selector: str, pattern: str) -> None:
    """Waits until the element shows the text."""
    shown = tab.page.locator(selector).first
    expect(shown).to_contain_text(re.compile(pattern), use_inner_text=True, timeout=limit(30) * 1000)


def row(tab: Tab, hour: str) -> list[str]:
    """Returns the cells of an hour in the table."""
    return tab.page.locator(f"#counts-table tr[data-key='{hour}'] td").all_text_contents()


def test_an_empty_site_says_what_to_do(rig: DashboardRig, tab: Tab) -> None:
    """Each card has a text for this case. The LED matrix is there while a display runs."""
    shows(tab, "#no-camera", "No camera has reported yet")
    shows(tab, "#summary", "No camera has reported yet. Is capture running?")
    shows(tab, "#no-counts", "the counter did not answer")
    shows(tab, ".module[data-module=dashboard]", "running")
    assert tab.page.locator("#counted").is_hidden()
    assert tab.page.locator("#display").is_hidden()
    script = "[...document.querySelectorAll('.led')].map((led) => led.dataset.rgb).join('')"
    rig.publish(status("display"))
    for pixels in (Pixels("matrix", "woman", bytes(range(192))), Pixels("matrix", "", bytes(192))):
        rig.publish(pixels)
        tab.wait(f"{script} === '{pixels.rgb.hex()}'")
        shows(tab, "#display", pixels.label or "dark")
    rig.publish(status("display", states.OFFLINE, "stopped"))
    tab.page.locator("#display").wait_for(state="hidden")


def test_a_picture_has_its_prediction(rig: DashboardRig, tab: Tab) -> None:
    """Each picture is newer than the last and has the label of exactly that frame. A hidden page requests none."""
    tab.page.evaluate(
        "Object.defineProperty(document, 'hidden', {get: () => window.isHidden === true});"
        "window.hide = (hidden) => { isHidden = hidden; document.dispatchEvent(new Event('visibilitychange')); }"
    )
    with rig.playing():
        tab.wait_for_pictures(20)
        drawn = tab.drawn
        sequences = [one["sequence"] for one in drawn]
        assert sequences == sorted(set(sequences))
        for one in drawn:
            assert one["labelOf"] == str(one["sequence"])
            assert one["label"].startswith(f"label {one['sequence']}")
            assert one["at"] - one["capturedAt"] < limit(5)
        tab.page.evaluate("hide(true)")
        tab.page.wait_for_timeout(500)
        before = len(tab.drawn)
        tab.page.wait_for_timeout(1500)
        assert len(tab.drawn) == before
        tab.page.evaluate("hide(false)")
        tab.wait_for_pictures(3)


def test_lost_silent_and_offline_cameras(rig: DashboardRig, tab: Tab) -> None:
    """The current visit is retained, so it is shown only while the counter runs. Changes are listed and announced.

    An overlay on a camera's grey picture explains the problem.
    """
    rig.publish(status("counter"), CurrentLabel("door", "woman", 0.9, time.time()))
    with rig.playing(WOMAN):
        shows(tab, ".who", "visit: woman since")
        rig.publish(status("counter", states.OFFLINE, "connection lost"))
        tab.page.locator(".who").wait_for(state="hidden")
        shows(tab, "#changes", "counter: offline: it crashed or lost its connection")
        assert "counter: offline" in (tab.page.text_content("#announcements[role=status]") or "")
        rig.publish(status("counter"))
        shows(tab, ".who", "visit: woman since")
        rig.publish(status("capture-back", states.CAMERA_LOST, "/dev/video7 cannot be opened", camera="back"))
        shows(tab, ".camera[data-camera=back][data-state=lost]", r"Camera lost\s+since .*: /dev/video7 cannot be opened")
        rig.publish(status("capture-back", states.OFFLINE, "connection lost", camera="back"))
        shows(tab, ".camera[data-camera=back][data-state=offline]", "Camera offline")
    shows(tab, ".camera[data-camera=door][data-state=silent]", "nothing is predicted")


def test_a_camera_at_which_nothing_moves_is_live(rig: DashboardRig, tab: Tab) -> None:
    """However old its picture is. When something moves again, silence is a problem."""
    with rig.playing(WOMAN):
        tab.wait_for_pictures()
    rig.publish(replace(CAPTURE, metrics={MOTION: 0}))
    shows(tab, ".camera[data-camera=door] .state", "live, nothing moves")
    tab.page.wait_for_timeout(1000 * (SILENT_AFTER + 1))
    shows(tab, ".camera[data-camera=door][data-state=live]:not(.old) .state", "live, nothing moves")
    rig.publish(CAPTURE)
    shows(tab, ".camera[data-camera=door][data-state=silent].old", "nothing is predicted")


def test_without_the_broker_or_the_server_the_state_is_unknown(rig: DashboardRig, tab: Tab, broker: Broker) -> None:
    """The top line says so, and the page recovers by itself."""
    rig.publish(status("counter"), status("display"), Pixels("matrix", "woman", bytes(range(192))))
    with rig.playing(WOMAN):
        tab.wait_for_pictures()
    broker.end()
    shows(tab, "#summary", "No connection to the broker since")
    shows(tab, ".camera[data-camera=door] .overlay", "No connection to the broker")
    assert "Also" not in tab.page.inner_text("#advice")
    assert set(tab.page.eval_on_selector_all(".module", "all => all.map((one) => one.dataset.state)")) == {"unknown"}
    assert tab.page.locator(".led.lit").count() == 0
    broker.start()
    shows(tab, "#changes", "broker: connected")
    assert tab.errors == []
    assert rig.module.end() == 0
    shows(tab, "#connection", "retrying")
    shows(tab, "#summary", "not connected")
    assert tab.page.locator("#try-now").is_visible()
    rig.module.__enter__()
    tab.wait(CONNECTED)
    tab.errors.clear()  # the browser reports the lost connection


def test_comparing_two_days(rig: DashboardRig, tab: Tab) -> None:
    """Hours without data differ from hours without visits and from later hours. Each camera can be selected.

    A banner says that the demo's visitors are not real; the totals of several cameras exclude them.
    """
    cameras = {"back": camera(NONE), "door": camera(EVERY, man=2), "side": camera(MORNING, man=1)}
    with rig.counting(report(cameras), report({"door": camera(EVERY, man=7)}, 1)):
        shows(tab, "#totals", r"visitors\s+3")
        shows(tab, "#coverage", "^Today: partly counted: back no data, side 3")
        assert tab.page.locator("#chart canvas").count() == 1
        tab.page.click("#compare-yesterday")
        shows(tab, "#totals", r"-4 \(7\)")
        shows(tab, "#against", r"^In brackets: \w+ \d+ \w+, both until 12:00$")
        assert row(tab, "09")[-2:] == ["3", "7"]
        assert row(tab, "15")[-1] == "0"
        tab.page.select_option("#counted-camera", "side")
        shows(tab, "#coverage", "^Today: counted 3")
        assert row(tab, "12")[-2:] == ["no data", "no data"]
        assert re.search("No data: .*12\N{EN DASH}13", str(tab.page.get_attribute("#chart", "aria-label")))
        tab.page.select_option("#counted-camera", "back")
        shows(tab, "#coverage", "^Today: no data.")
        assert "0" not in tab.page.locator("#totals .count").all_text_contents()
        assert tab.page.locator("#no-data-key").is_visible()
        tab.page.select_option("#counted-camera", "")
        shows(tab, "#visits tbody", "09:10")
        shows(tab, "#time-zone", f"Times are the site's \\({re.escape(zone_at_noon())}\\)")
        shows(tab, "#clock", r"\b1[23]:\d\d")
        tab.page.focus("#compare-none")
        tab.page.keyboard.press("Enter")
        assert tab.page.evaluate("document.activeElement.id") == "compare"
        assert tab.page.locator("#demo").is_hidden()
    rig.is_demo = True
    with rig.playing(WOMAN), rig.counting(report({"back": camera(EVERY, demo=True, man=5), "door": camera(EVERY, man=2)})):
        rig.publish(status("counter"))
        shows(tab, "#demo", "Demo at back: visitors there are not real. The totals of all cameras exclude them")
        tab.wait("document.title === 'Footfall: 2 visitors today'")
        assert tab.page.locator("#visits .where").all_inner_texts()[1:] == ["back, demo", "door"]
        tab.page.select_option("#counted-camera", "back")
        shows(tab, "#totals", r"visitors\s+5")


def test_visitors_have_boxes(rig: DashboardRig, tab: Tab) -> None:
    """A detector's other things have none. A visitor without a label has a box without a name; an improbable one has none."""
    chair = Detection(BOX, 0.95, (Label("chair", 0.95, visitor=False),))
    with rig.playing(chair, Detection(BOX, 0.8, (WOMAN, Label("man", 0.1))), Detection(BOX, 0.62), Detection(BOX, 0.49)):
        tab.wait_for_pictures()
        expect(tab.page.locator(".camera .box")).to_have_text(["woman 90%", "visitor 62%"])
        expect(tab.page.locator(".camera .label")).to_contain_text("woman")
        place = "({style}) => [style.left, style.top, style.width, style.height]"
        assert tab.page.locator(".camera .box").first.evaluate(place) == ["10%", "10%", "50%", "50%"]


@pytest.mark.parametrize("name", [EVIL, "__proto__"])
def test_names_are_text(rig: DashboardRig, tab: Tab, name: str) -> None:
    """Names with HTML, and names with a meaning in JavaScript, are shown as text everywhere."""
    plain = name if name != EVIL else "door"
    counts = DayCounts("door", "2026-11-23", {name: 2}, {name: {"09": 2}}, EVERY)
    day = replace(report({plain: counts}), visits=(Visit("1", plain, name, time.time() - 9, time.time(), 0.9, 40),))
    rig.publish(CurrentLabel("door", name, 0.9, time.time()), Pixels("matrix", name, bytes(192)))
    metrics = {name: 2.0, "dropped_constructor": 3.0}
    evil = Status("evil", name, time.time(), time.time(), name, About(model=name, labels=(name,)), metrics, {name: 2.0})
    rig.publish(evil, status("counter"), status("display"))
    with rig.counting(day), rig.playing(Detection(BOX, 0.9, (replace(WOMAN, name=name),))):
        tab.wait_for_pictures()
        places = (".camera .label", ".camera .box", ".who", "#totals", "#visits tbody", "#matrices", "#counts-table")
        for selector in (*places, ".module[data-module=evil]"):
            expect(tab.page.locator(selector).first).to_contain_text(name, timeout=limit(20) * 1000)
        assert tab.page.locator("img[src=x]").count() == 0
        assert tab.page.evaluate("window.hacked") is None
        tab.page.click("#to-system")
        tab.page.locator(".module[data-module=evil] summary").click()
        assert not re.search("native code|undefined", tab.page.inner_text("body"))


def test_the_page_reloads_if_a_part_failed_to_load(rig: DashboardRig, browser: Browser) -> None:
    """As when the network changes: it reloads itself once the server responds."""
    for part in ("main.js", "live/verdict.js", "styles/base.css", "styles/today.css", "vendor/uPlot-1.6.32.iife.min.js"):
        lost, health = (f"{rig.address}{path}" for path in (part, "healthz"))
        with open_tab(browser, rig.address) as tab, rig.playing(WOMAN):
            for address in (lost, health):
                tab.page.route(address, lambda route: route.abort("connectionreset"), times=1)
            tab.page.reload(wait_until="commit")  # the page may reload itself before it has loaded
            # the first load, the one without the part, and the page's own; a slow machine requests /healthz more often
            until(lambda: tab.sees("true") and tab.requests.count(lost) >= 3, 60, "another load")  # noqa: B023
            assert tab.requests.count(health) >= 2
            tab.wait_for_pictures()
            assert tab.page.evaluate("[document.styleSheets.length, typeof uPlot]") == [6, "function"]
