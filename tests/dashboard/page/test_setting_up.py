"""Lines, zones and masks: drawn on the live picture, and shown, in a real browser."""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from bus import (
    UNDECIDED,
    ActiveAlert,
    AlertRule,
    Alerts,
    Box,
    CurrentLabel,
    Detection,
    Label,
    Line,
    Occupancy,
    Setup,
    VisitorInView,
    Zone,
    ZoneHours,
    states,
    topics,
)
from tests.dashboard.page.conftest import CONNECTED
from tests.dashboard.page.test_journeys import MORNING, WOMAN, camera, report, row, shows, status
from tests.support import samples
from tests.support.broker import Broker
from tests.support.chromium import Tab, open_tab
from tests.support.dashboard_rig import DashboardRig
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import limit, until

pytestmark = pytest.mark.system

TOPIC = topics.setup("door")
CORNERS = ((0.1, 0.6), (0.4, 0.6), (0.4, 0.9), (0.1, 0.9))
BOW = (CORNERS[0], CORNERS[2], CORNERS[1], CORNERS[3])
LINE = Line("door", (0.1, 0.5), (0.9, 0.5))
TILL = Zone("till", CORNERS)
NOBODY = Detection(Box(0.8, 0.1, 0.1, 0.1), 0.1)
"""Found by a detector, but too uncertain for a visitor."""


class Drawing:
    """A tab with the dialog that sets up a camera."""

    def __init__(self, tab: Tab, listener: Listener) -> None:
        self.tab = tab
        self._listener = listener
        self._saved = len(listener.messages())

    def open(self) -> "Drawing":
        self.tab.page.click(".camera[data-camera=door] .set-up")
        expect(self.tab.page.locator("#setup")).to_be_visible()
        self._saved = len(self._listener.messages())
        return self

    def button(self, name: str) -> Locator:
        return self.tab.page.locator("#setup").get_by_role("button", name=name, exact=True)

    def section(self, name: str) -> Locator:
        """Returns a folded section, opened."""
        section = self.tab.page.locator(f"#setup-{name}")
        section.locator("summary").click()
        return section

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Returns the page's coordinates of a place in the picture."""
        box = self.tab.page.locator(".sketch").bounding_box()
        assert box
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def click(self, *places: tuple[float, float]) -> None:
        for place in places:
            self.tab.page.mouse.click(*self.place(*place))

    def drag(self, begin: tuple[float, float], end: tuple[float, float]) -> None:
        mouse = self.tab.page.mouse
        mouse.move(*self.place(*begin))
        mouse.down()
        mouse.move(*self.place(*end), steps=5)
        mouse.up()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.tab.page.keyboard.press(key)

    def says(self, pattern: str) -> None:
        shows(self.tab, "#setup-status[role=status]", pattern)

    def save(self) -> Setup | None:
        """Saves, and returns what the broker then publishes; None if the setup was deleted."""
        self.button("Save").click()
        payload = self._listener.wait_for("setup", self._saved + 1)[self._saved]
        expect(self.tab.page.locator("#setup")).to_be_hidden()
        return Setup.unpack(payload) if payload else None


@pytest.fixture
def listener(broker: Broker) -> Iterator[Listener]:
    """Collects setups."""
    with Listener(broker.port, TOPIC) as listener:
        yield listener


@pytest.fixture
def drawing(rig: DashboardRig, tab: Tab, listener: Listener) -> Iterator[Drawing]:
    """The page of a live camera."""
    rig.publish(status("classifier", model="model@0123456789ab", labels=("person",), classes=("person", "dog")))
    with rig.playing(WOMAN):
        tab.wait_for_pictures()
        yield Drawing(tab, listener)


def near(*points: tuple[float, float]) -> Any:
    """Points within the precision of a pointer."""
    return pytest.approx([number for point in points for number in point], abs=0.015)


def flat(*points: tuple[float, float]) -> list[float]:
    return [number for point in points for number in point]


def only(setup: Setup | None) -> Line:
    """Returns the only line of a setup."""
    assert setup
    assert setup.lines
    (line,) = setup.lines
    return line


def test_with_the_mouse(drawing: Drawing, broker: Broker, listener: Listener) -> None:
    """A line is drawn, named, reversed, moved and deleted; each setup is retained on the broker. The picture goes on meanwhile.

    An open page shows what was saved. "Back to the settings" deletes the setup.
    """
    drawing.open()
    drawing.tab.wait_for_pictures(3)
    shows(drawing.tab, "#setup-none", "Nothing is drawn yet")
    shows(drawing.tab, "#setup-whole", "Lines and zones count only with a detector")
    drawing.button("Add line").click()
    drawing.click((0.1, 0.5), (0.9, 0.5))
    drawing.says(r"^line 1 added\. In is down\.")
    drawing.tab.page.get_by_label("Name of line 1").fill("entrance")
    line = only(drawing.save())
    assert (line.name, flat(line.start, line.end)) == ("entrance", near((0.1, 0.5), (0.9, 0.5)))
    with Listener(broker.port, TOPIC) as later:
        assert later.wait_for("setup") == listener.payloads()
    shows(drawing.tab, ".camera .shape-name.line", "entrance")
    shows(drawing.tab, "#occupancy", "The model of this camera looks at whole pictures")
    drawing.tab.wait("document.activeElement.classList.contains('set-up')")

    drawing.open().button("Reverse line entrance").click()
    drawing.says("In is up")
    assert flat(only(setup := drawing.save()).start, only(setup).end) == near((0.9, 0.5), (0.1, 0.5))
    drawing.open().drag((0.9, 0.5), (0.8, 0.3))  # one end
    drawing.drag((0.31, 0.44), (0.41, 0.64))  # the whole line, beside its handle
    assert flat(only(setup := drawing.save()).start, only(setup).end) == near((0.9, 0.5), (0.2, 0.7))
    drawing.open().button("Add line").click()
    drawing.drag((0.2, 0.2), (0.5, 0.2))
    drawing.says("line 1 added")
    drawing.button("Undo").click()
    drawing.press("Control+z")
    drawing.says("There is nothing to undo")
    drawing.button("Delete line entrance").click()
    assert drawing.save() == Setup("door", lines=())
    drawing.open().button("Back to the settings").click()
    assert drawing.save() is None


def test_zones_masks_and_visitors(drawing: Drawing) -> None:
    """A zone ends at its first corner, or by Enter or a button. A crossed one is refused; the reason is shown beside it."""
    drawing.open().button("Add zone").click()
    drawing.click(*BOW)
    drawing.click(BOW[0])
    shows(drawing.tab, "#setup-shapes li", r"This zone crosses itself\.$")
    drawing.says(r"^zone 1 added, but it crosses itself\.$")
    drawing.button("Save").click()
    shows(drawing.tab, "#setup-problem[role=alert]", "^Not saved: Zone 1 crosses itself$")
    drawing.says("^$")
    assert drawing.tab.page.evaluate("document.activeElement.ariaLabel") == "Move zone 1"
    drawing.tab.errors.clear()  # the browser reports the refused request
    drawing.button("Delete zone 1").click()
    for is_button in (False, True):
        drawing.button("Add zone").click()
        drawing.click(*CORNERS)
        if is_button:
            drawing.button("Finish").click()
        else:
            drawing.press("Enter")
        drawing.says("zone . added")
        drawing.button("Add mask").click()
        drawing.click(*CORNERS[:3], CORNERS[0])
    drawing.button("Add zone").click()
    drawing.click(CORNERS[0])
    drawing.press("Escape")
    drawing.says("Nothing was added")
    drawing.press("Escape")
    drawing.says("There are changes: save or cancel them")
    drawing.section("visitors").get_by_label("as the settings say").uncheck()
    person, dog = (drawing.tab.page.get_by_label(name, exact=True) for name in ("person", "dog"))
    expect(person).to_be_checked()
    expect(dog).not_to_be_checked()
    shows(drawing.tab, "#setup-visitors-title", "^Visitors: 1 class$")
    person.uncheck()
    drawing.button("Save").click()
    shows(drawing.tab, "#setup-problem", "Not saved: tick at least one class of visitors")
    dog.check()
    setup = drawing.save()
    assert setup
    assert setup.zones
    assert setup.lines is None
    assert [zone.name for zone in setup.zones] == ["zone 1", "zone 2"]
    assert flat(*setup.zones[1].polygon) == near(*CORNERS)
    assert [flat(*mask) for mask in setup.mask] == [near(*CORNERS[:3])] * 2
    assert setup.visitors == ("dog",)


def test_many_classes(drawing: Drawing, rig: DashboardRig) -> None:
    """The list starts with those in force, scrolls, keeps its order, and ends at the maximum."""
    classes = ("bicycle", *(f"thing {number}" for number in range(87)), "person", "chair")
    rig.publish(status("classifier", model="model@0123456789ab", labels=("person",), classes=classes))
    drawing.open()
    page = drawing.tab.page
    expect(page.locator("#setup-classes label")).to_have_count(0)
    drawing.section("visitors").get_by_label("as the settings say").uncheck()
    names = page.locator("#setup-classes label")
    expect(names).to_have_count(90)
    shows(drawing.tab, "#setup-classes-note", "1 of 90 ticked. Tick at least one, at most 64.")
    assert names.all_text_contents()[:2] == ["person", "bicycle"]
    assert page.locator("#setup-classes").evaluate(
        "(list) => list.scrollHeight > 2 * list.clientHeight && list.clientHeight > 150"
    )
    page.get_by_label("chair", exact=True).check()
    assert names.all_text_contents()[-1] == "chair"
    page.eval_on_selector_all("#setup-classes input", "(all) => all.forEach((one) => one.checked || one.click())")
    assert page.locator("#setup-classes input:disabled").count() == 90 - 64
    drawing.button("Undo").click()
    setup = drawing.save()
    assert setup
    assert len(setup.visitors or ()) == 63
    assert page.locator("#setup").is_hidden()


def test_rules_of_alerts(drawing: Drawing, rig: DashboardRig) -> None:
    """A rule about a zone is made, saved, seen raised, edited and deleted. What is wrong is said at the rule.

    The server finds what the page does not.
    """
    rig.publish(Setup("door", zones=(TILL,)))
    page = drawing.tab.page
    expect(page.locator(".camera .shape-name.zone")).to_have_text("till")
    drawing.open()
    shows(drawing.tab, "#setup-alerts-title", r"^Alerts: as the settings say \(no rules\)$")
    section = drawing.section("alerts")
    shows(drawing.tab, "#setup-rules-none", "this camera raises no alerts")
    section.get_by_label("as the settings say").uncheck()
    section.get_by_label("Kind of the new rule").select_option("Somebody waits too long")
    drawing.button("Add rule").click()
    drawing.says("^Rule queue added")
    assert page.evaluate("document.activeElement.ariaLabel") == "Limit of rule queue in seconds"
    expect(section.get_by_label("Zone of rule queue")).to_have_value("till")
    section.get_by_label("Limit of rule queue").fill("90.5")
    queue = AlertRule("queue", "till", waiting_seconds=90.5)
    assert drawing.save() == Setup("door", zones=(TILL,), alerts=(queue,))
    rig.publish(status("counter"), Alerts("door", (ActiveAlert("queue", queue.kind, "till", queue.limit, 91.0, time.time()),)))
    shows(drawing.tab, ".camera .alerts", r"queue: .*till for more than 1.min.31.s; since")

    drawing.open().button("Delete zone till").click()
    shows(drawing.tab, "#setup-alerts-title", "^Alerts: 1 rule, 1 incomplete$")
    drawing.button("Save").click()
    shows(drawing.tab, "#setup-problem", "^Not saved: Rule queue needs another zone: till is not drawn$")
    assert page.evaluate("document.activeElement.ariaLabel") == "Zone of rule queue"
    drawing.button("Undo").click()
    page.get_by_label("Name of zone till").fill("counter")
    name = section.get_by_label("Name of rule queue")
    name.fill("a\N{DELETE}b")
    drawing.button("Save").click()
    shows(drawing.tab, "#setup-rules .problem", "^This rule must be text of 1 to 64 characters, without control characters")
    drawing.tab.errors.clear()  # the browser reports the refused request
    section.locator("#setup-rules [type=text]").fill("line of people")
    counter, line = Zone("counter", CORNERS), replace(queue, name="line of people", zone="counter")
    assert drawing.save() == Setup("door", zones=(counter,), alerts=(line,))
    rig.publish(Alerts("door"))
    expect(page.locator(".camera .alerts")).to_be_hidden()
    drawing.open().button("Delete rule line of people").click()
    drawing.says("^Rule line of people deleted")
    assert drawing.save() == Setup("door", zones=(counter,), alerts=())


def test_with_the_keyboard_only(drawing: Drawing) -> None:
    """Every action: draw a line and a zone, move an end and a whole shape, name, reverse, delete, save, cancel."""
    drawing.tab.page.focus(".set-up")
    drawing.press("Enter")
    expect(drawing.tab.page.locator("#setup")).to_be_visible()
    drawing.button("Add line").focus()
    drawing.press("Enter", *["Shift+ArrowLeft"] * 6, "ArrowLeft")
    drawing.says("19% across, 50% down")
    drawing.press("Enter", *["Shift+ArrowRight"] * 12, "Enter")
    drawing.says(r"line 1 added\. In is down")
    drawing.press("Shift+ArrowUp")  # the focus is on the whole line
    drawing.press("Tab", "ArrowDown", "ArrowLeft")
    drawing.says("18% across, 46% down")
    drawing.button("Add zone").focus()
    drawing.press("Enter", "Enter", "Shift+ArrowRight", "Enter", "Shift+ArrowDown", "Enter", "Enter")
    drawing.says("zone 1 added")
    drawing.press("Tab", "Delete")
    drawing.says("Three corners are the minimum")
    drawing.press("Shift+Tab", "Delete")
    drawing.says("zone 1 deleted")
    drawing.press("Control+z")
    drawing.says("Undone")
    drawing.button("Add mask").focus()
    drawing.press("Enter", "Escape")  # the tool keeps the focus
    drawing.press("Enter", "Enter", "Shift+ArrowRight", "Enter", "Shift+ArrowDown", "Enter", "Enter")
    drawing.says("mask 1 added")
    drawing.press("Control+z")
    assert drawing.tab.page.evaluate("document.activeElement.id") == "setup-mask"
    drawing.tab.page.get_by_label("Name of zone 1").focus()
    drawing.press("Control+a", "t", "i", "l", "l")
    drawing.button("Reverse line 1").focus()
    drawing.press("Enter")
    drawing.says("In is up")
    drawing.button("Save").focus()
    drawing._saved = 0
    setup = drawing.save()
    assert flat(only(setup).start, only(setup).end) == near((0.79, 0.45), (0.18, 0.46))
    assert setup
    assert setup.zones
    assert setup.zones[0].name == "till"
    assert flat(*setup.zones[0].polygon) == near((0.5, 0.5), (0.55, 0.5), (0.55, 0.55))
    drawing.press("Enter")  # the focus is back on the button
    expect(drawing.tab.page.locator("#setup")).to_be_visible()
    drawing.press("Escape")
    expect(drawing.tab.page.locator("#setup")).to_be_hidden()


def test_with_fingers(rig: DashboardRig, browser: Browser, listener: Listener) -> None:
    """On a phone: taps draw a line, and a finger beside an end moves it without scrolling the page."""
    options: dict[str, Any] = {"has_touch": True, "is_mobile": True, "viewport": {"width": 360, "height": 740}}
    with open_tab(browser, rig.address, **options) as tab, rig.playing(WOMAN):
        tab.wait(CONNECTED)
        tab.wait_for_pictures()
        drawing = Drawing(tab, listener)
        tab.page.tap(".set-up")
        drawing.button("Add line").tap()
        for place in ((0.2, 0.4), (0.8, 0.4)):
            tab.page.touchscreen.tap(*drawing.place(*place))
        drawing.says("line 1 added")
        touch = tab.page.context.new_cdp_session(tab.page)
        (x, y), (to_x, to_y) = drawing.place(0.23, 0.42), drawing.place(0.3, 0.8)
        for kind, points in (
            ("touchStart", [{"x": x, "y": y}]),
            ("touchMove", [{"x": (x + to_x) / 2, "y": (y + to_y) / 2}]),
            ("touchMove", [{"x": to_x, "y": to_y}]),
            ("touchEnd", []),
        ):
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        drawing.says("line 1 moved")
        assert tab.page.evaluate("document.querySelector('#setup').scrollTop") == 0
        line = only(drawing.save())
        assert flat(line.start, line.end) == near((0.3, 0.8), (0.8, 0.4))
        assert tab.errors == []


def test_somebody_else_changes_the_setup(drawing: Drawing, rig: DashboardRig) -> None:
    """The page says so, and can show the new one. The later one to save wins."""
    rig.publish(Setup("door", lines=(LINE,)))
    shows(drawing.tab, ".camera .shape-name.line", "door")
    drawing.open()
    conflict = drawing.tab.page.locator("#setup-conflict")
    expect(conflict).to_be_hidden()
    rig.publish(Setup("door", lines=(Line("theirs", LINE.start, LINE.end),)))
    shows(drawing.tab, "#setup-conflict", "has changed since you opened it. Saving replaces it")
    drawing.button("Show the new one").click()
    expect(conflict).to_be_hidden()
    expect(drawing.tab.page.get_by_label("Name of line theirs")).to_be_visible()
    rig.publish(Setup("door", lines=()))
    expect(conflict).to_be_visible()
    until(lambda: len(drawing._listener.messages()) >= 3)
    drawing._saved = 3
    assert only(drawing.save()).name == "theirs"


def test_a_viewer_who_may_not_change_it(rig: DashboardRig, browser: Browser, tab: Tab) -> None:
    """They see the lines, but no button. They can hide the lines; the browser remembers that."""
    rig.publish(Setup("door", lines=(LINE,)))
    headers = {"X-Forwarded-For": "192.0.2.7"}
    with open_tab(browser, rig.address, extra_http_headers=headers) as shared, rig.playing(WOMAN):
        for one, buttons in ((tab, 1), (shared, 0)):
            one.wait(CONNECTED)
            expect(one.page.locator(".camera .shape-name.line")).to_have_text("door")
            assert one.page.locator(".set-up:visible").count() == buttons
        shared.page.click("#show-plans")
        for _ in range(2):
            expect(shared.page.locator(".camera .plan")).to_be_hidden()
            shared.page.reload()
            shared.wait_for_pictures()
        shared.page.click("#show-plans")
        expect(shared.page.locator(".camera .shape-name.line")).to_be_visible()


def test_visitors_in_view_have_boxes(rig: DashboardRig, tab: Tab) -> None:
    """Those of the counter, on the picture of the same frame, instead of all that the detector found.

    A narrow picture has only their numbers. The card says who came last.
    """
    rig.publish(status("counter"), CurrentLabel("door", "woman", 0.9, time.time()))
    box, chair = Box(0.2, 0.2, 0.2, 0.4), Label("chair", 0.95, visitor=False)
    rig.visitors = (VisitorInView(41, box, "woman", 1000.0), VisitorInView(42, Box(0.6, 0.2, 0.2, 0.4), UNDECIDED, 1000.0))
    with rig.playing(Detection(box, 0.9, (WOMAN,)), Detection(box, 0.9, (chair,)), Detection(box, 0.8, (Label("man", 0.8),))):
        boxes = tab.page.locator(".camera .box")
        expect(boxes).to_have_text(["woman #41", "undecided #42"])
        assert boxes.first.evaluate("({style}) => [style.left, style.top, style.width, style.height]") == [
            "20%",
            "20%",
            "20%",
            "40%",
        ]
        shows(tab, ".camera .label", "2 visitors")
        shows(tab, ".who", "^last: woman since")
        tab.page.set_viewport_size({"width": 390, "height": 844})
        expect(boxes).to_have_text(["#41", "#42"], use_inner_text=True)
        rig.visitors = ()
        expect(boxes).to_have_count(0)


def test_in_out_and_inside(rig: DashboardRig, tab: Tab) -> None:
    """Who is inside changes with each message. The chart, the table and the links have crossings; the table has zones too.

    Without the counter, nobody knows who is inside now. Without lines there is nothing about them.
    """
    crossings = {"door": {"in": {"man": {"09": 3}, "woman": {"09": 1}}, "out": {"man": {"09": 2, "10": 1}}}}
    zones = {"till": ZoneHours({"man": {"09": 2}}, {"09": 25.0})}
    day = report({"door": replace(camera(MORNING, man=3, woman=1), crossings=crossings, zones=zones)})  # type: ignore[arg-type]
    visit = replace(day.visits[0], label=UNDECIDED, direction="in", zones={"till": 12.5})
    begun = int(time.time()) - 60
    rig.publish(status("counter"))
    with rig.counting(replace(day, visits=(visit,))), rig.playing(NOBODY):
        shows(tab, "#totals", r"visitors\s+4")
        rig.publish(Setup("door", lines=(LINE,), zones=(TILL,)))
        shows(tab, "#totals", r"inside now\s+unknown")
        for inside in (3, 4):
            rig.publish(Occupancy("door", {"till": inside}, inside, 12, 10, 2, begun, begun + 1.0))
            shows(tab, "#totals", rf"inside now\s+{inside}\b")
            shows(tab, ".camera .shape-name.zone", f"till: {inside}")
        shows(tab, "#occupancy", r"since .*\d\d:\d\d; 2 visitors left who had come in unseen")
        shows(tab, "#occupancy li", r"till 4 now, 2 visits today, 13.s on average")
        shows(tab, "#visits tbody", r"undecided in\s+till 13.s")
        tab.page.click("#counts-table >> xpath=ancestor::details/summary")
        assert row(tab, "09")[-2:] == ["2", "13\N{NO-BREAK SPACE}s"]
        tab.page.click("#show-flow")
        shows(tab, "#readout", r"Today: 4 in \(man 3, woman 1\), 3 out \(man 3\)")
        assert str(tab.page.get_attribute("#chart", "aria-label")).startswith(
            "In and out per hour. 09\N{EN DASH}10 h: 4 in, 2 out; 10\N{EN DASH}11 h: 0 in, 1 out"
        )
        heads = tab.page.locator("#counts-table thead th").all_text_contents()
        assert dict(zip(heads[1:], row(tab, "09"), strict=True)).items() >= {"In": "4", "Out: man": "2", "Out": "2"}.items()
        for link, start in (("#csv-flow", "day,hour,camera,line,"), ("#csv-zones", "day,hour,camera,zone,")):
            address = str(tab.page.get_attribute(link, "href"))
            assert tab.page.request.get(f"{rig.address}{address[1:]}").text().startswith(start)
        rig.publish(status("counter", states.OFFLINE, "connection lost"))
        shows(tab, "#totals", r"inside now\s+unknown")
        shows(tab, "#occupancy li", "^till 2 visits today")
        rig.publish(Setup("door", lines=(), zones=()))
        tab.page.locator("#occupancy").wait_for(state="hidden")


def test_names_of_places_are_text(rig: DashboardRig, tab: Tab) -> None:
    """Names with HTML, and names with a meaning in JavaScript."""
    names = ("<img src=x onerror=window.hacked=1>", "__proto__", "constructor")
    zones = tuple(Zone(name, CORNERS) for name in names)
    rig.publish(
        status("counter"),
        Setup("door", (Line(names[0], LINE.start, LINE.end),), zones),
        Occupancy("door", dict.fromkeys(names, 2), 1),
    )
    with rig.playing(NOBODY), rig.counting(samples.report()):
        for selector in (".camera .plan", "#occupancy"):
            for name in names:
                shows(tab, selector, re.escape(name))
        tab.page.click(".set-up")
        expect(tab.page.locator("#setup-shapes input").first).to_have_value(names[0])
        assert tab.page.locator("img[src=x]").count() == 0
        assert not re.search("native code|undefined", tab.page.inner_text("body"))
        tab.page.click("#setup-cancel")


def test_what_is_drawn_is_counted(rig: DashboardRig, tab: Tab, listener: Listener, broker: Broker) -> None:
    """By the counter, from the next frame on: who walks down across a line has a box, and then is inside."""

    def walk() -> None:
        for step in range(40):
            place = Box(0.4, min(0.6, 0.05 + 0.03 * step), 0.15, 0.3)
            rig.frame(100_000 + step, Detection(place, 0.9, (WOMAN,)))
            time.sleep(0.1)

    with Module("counter", broker.port) as counter, ThreadPoolExecutor(1) as threads, rig.playing(NOBODY):
        counter.wait_for_log("connected to the broker")
        tab.wait_for_pictures()
        drawing = Drawing(tab, listener)
        drawing.open().button("Add line").click()
        drawing.click((0.1, 0.6), (0.9, 0.6))
        drawing.save()
        walking = threads.submit(walk)
        shows(drawing.tab, ".camera .box", r"woman #\d+")
        shows(drawing.tab, "#totals", r"in\s+1\s+out\s+0\s+inside now\s+1\b")
        drawing.tab.page.click("#show-flow")
        shows(drawing.tab, "#readout", r"Today: 1 in \(woman 1\), 0 out")
        walking.result(limit(20))
