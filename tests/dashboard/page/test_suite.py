"""The page in a real browser, on the whole suite that plays the demo's clip."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from bus import Command, Pixels, Prediction
from tests.support.chromium import Tab, tab_of
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.shop import Shop
from tests.support.wait import limit, until

DOOR = '.camera[data-camera="door"]'
HIDDEN = """
Object.defineProperty(document, "hidden", {get: () => window.isHidden === true});
Object.defineProperty(document, "visibilityState", {get: () => window.isHidden ? "hidden" : "visible"});
window.hide = (hidden) => { window.isHidden = hidden; document.dispatchEvent(new Event("visibilitychange")); };
"""


@pytest.fixture
def tab(browser: Browser, shop: Shop) -> Iterator[Tab]:
    """The page, with a picture; it complains of nothing and asks no other host."""
    with tab_of(browser, shop.address, timezone_id="Europe/Berlin") as tab:
        tab.wait_for_pictures()
        yield tab
        assert tab.complaints == []
        assert all(url.startswith((shop.address, "blob:")) for url in tab.requests)


def state_of_door(tab: Tab) -> str | None:
    """As the page has it."""
    return tab.page.get_attribute(DOOR, "data-state")


def test_a_picture_stands_with_its_own_prediction(tab: Tab, shop: Shop) -> None:
    """Pictures change, ever newer ones, and the label over each is what the classifier said of exactly that frame."""
    with Listener(shop.broker.port, "footfall/door/prediction") as listener:
        tab.wait_for_pictures(30)
        drawn = tab.drawn
        predictions = {one.sequence: one for one in map(Prediction.unpack, listener.payloads())}
    sequences = [one["sequence"] for one in drawn]
    assert sequences == sorted(set(sequences))
    compared = 0
    for one in drawn:
        assert one["labelOf"] == str(one["sequence"])
        if (prediction := predictions.get(one["sequence"])) is not None and prediction.best is not None:
            assert one["label"].startswith(prediction.best.name)
            compared += 1
    assert compared >= 20
    assert all(one["at"] - one["capturedAt"] < limit(5) for one in drawn)


def test_counts_are_the_ledgers(tab: Tab, shop: Shop) -> None:
    """Totals, table and last visits come to what the ledger has, by themselves, after each visit."""
    until(lambda: sum(shop.counted().values()) >= 3, 60, "three visits")

    def shown() -> dict[str, int]:
        return {
            str(one.get_attribute("data-label")): int(one.locator(".count").inner_text())
            for one in tab.page.locator("#totals [data-label]").all()
        }

    def is_equal() -> bool:
        before, told, after = shop.counted(), shown(), shop.counted()
        return before == after and {label: told.get(label, 0) for label in before} == before

    until(is_equal, 20, "totals as in the ledger")
    until(lambda: tab.page.locator("#visits tbody tr").count() == sum(shop.counted().values()), 20, "as many last visits")
    tab.page.click("#counts-table >> xpath=ancestor::details/summary")

    def is_in_the_table() -> bool:
        numbers = tab.page.locator("#counts-table tbody td").all_inner_texts()
        return max(int(number) for number in numbers if number.isdecimal()) == sum(shop.counted().values())

    until(is_in_the_table, 20, "the ledger's sum in the table")
    assert tab.page.locator("#chart canvas").count() == 1


def test_times_are_the_sites_with_the_viewers_beside(tab: Tab, shop: Shop) -> None:
    """The shop is where clocks are three quarters of an hour from everyone else's, and who looks on in Berlin."""
    until(lambda: sum(shop.counted().values()) >= 1, 60, "a visit")
    row = tab.page.locator("#visits tbody tr").first
    row.wait_for()
    times = "([at, site]) => [site, 'Europe/Berlin'].map((timeZone) =>"
    times += " new Date(1000 * at).toLocaleTimeString('en-GB', {timeZone, hour: '2-digit', minute: '2-digit'}))"

    def is_told() -> bool:
        began = tab.page.request.get(f"{shop.address}api/counts").json()["visits"][0]["started_at"]
        site, own = tab.page.evaluate(times, [began, shop.zone])
        text = row.inner_text()
        return site in text and own in text

    until(is_told, 20, "the last visit's time, of both")
    until(lambda: "your" in tab.page.inner_text("#own-clock"))


def test_leds_are_the_published_pixels(tab: Tab, shop: Shop) -> None:
    """All 64, in their order, as the display published them last, dark and lit."""
    seen = set()
    with Listener(shop.broker.port, "footfall/display/matrix/pixels") as listener:

        def is_equal() -> bool:
            pixels = Pixels.unpack(listener.wait_for("pixels")[-1])
            shown = tab.page.eval_on_selector_all(
                '.matrix[data-display="matrix"] .led', "leds => leds.map((led) => led.dataset.rgb)"
            )
            if len(shown) == 64 and "".join(shown) == pixels.rgb.hex():
                seen.add(bool(pixels.label))
            return len(seen) == 2

        until(is_equal, 60, "the pixels, dark and lit")


def test_a_hidden_tab_asks_for_no_pictures(browser: Browser, shop: Shop) -> None:
    """It draws none while nobody looks at it, keeps its metrics up to date, and goes on when it is shown again."""
    with tab_of(browser, "about:blank") as tab:
        asked: list[str] = []
        tab.page.on("websocket", lambda socket: socket.on("framesent", lambda payload: asked.append(str(payload))))
        tab.page.add_init_script(HIDDEN)
        tab.page.goto(shop.address)
        tab.wait_for_pictures(5)
        tab.page.evaluate("hide(true)")
        tab.page.wait_for_timeout(500)
        before, drawn = len(asked), len(tab.drawn)
        tab.page.wait_for_timeout(2500)
        assert len(asked) == before
        assert len(tab.drawn) == drawn
        tab.page.evaluate("hide(false)")
        tab.wait_for_pictures(5)
        newest = tab.drawn[-1]
        assert newest["at"] - newest["capturedAt"] < limit(5)


def test_a_camera_that_is_paused_lost_or_gone(tab: Tab, shop: Shop) -> None:
    """Each is said in words on its greyed picture, with since when, and is live again by itself."""
    with Listener(shop.broker.port) as listener:
        for do, state in (("pause", "paused"), ("resume", "live")):
            listener.publish("footfall/door/command", Command("door", do).pack())  # type: ignore[arg-type]
            until(lambda state=state: state_of_door(tab) == state, 20, state)  # type: ignore[misc]
        tab.wait_for_pictures()
    with Module("capture", shop.broker.port, CAMERA="back", VIDEO_PATH="/dev/video97") as capture:
        back = tab.page.locator('.camera[data-camera="back"][data-state="lost"]')
        back.wait_for()
        assert "since" in back.inner_text()
        assert "/dev/video97" in back.inner_text()
        assert capture.process
        capture.process.kill()
        tab.page.locator('.camera[data-camera="back"][data-state="offline"]').wait_for()
    assert state_of_door(tab) == "live"


def test_modules_tell_how_they_are(tab: Tab, shop: Shop) -> None:
    """Four of them run; one that ends and begins again is told in words, and to a screen reader."""
    tab.wait("document.querySelectorAll('.module[data-state=running]').length >= 4")
    before = tab.page.locator("#changes").inner_text()
    with Module("capture", shop.broker.port, CAMERA="yard", VIDEO_PATH="/dev/video98"):
        until(lambda: "capture-yard" in tab.page.locator("#changes").inner_text(), 20, "a change in words")
    assert tab.page.locator("#changes").inner_text() != before
    assert tab.page.get_attribute("#announcements", "role") == "status"


def test_another_day_to_compare_with(tab: Tab, shop: Shop) -> None:
    """Yesterday is asked of the bridge, which has no data of it, and says so; it can be had as a spreadsheet too."""
    tab.page.click("text=yesterday")
    tab.wait("document.querySelector('#compare').value !== ''")
    day = tab.page.input_value("#compare")
    address = f"{shop.address}api/counts?day={day}"
    until(lambda: tab.page.request.get(address).ok, what="the bridge's answer in time")
    response = tab.page.request.get(f"{address}&format=csv")
    assert response.headers["content-type"].startswith("text/csv")
    head, *lines = response.text().splitlines()
    assert head == "day,hour,camera,label,visits,counted,demo"
    assert {line.split(",", 3)[3] for line in lines} == {",,,false"}
    tab.page.locator("#coverage", has_text="no data").wait_for(timeout=1000 * limit(60))
    assert json.loads(tab.page.request.get(address).text())["day"] == day


def test_a_broker_that_is_killed_and_comes_back(browser: Browser, shop: Shop) -> None:
    """The page says that nothing comes and why, and is live again without a hand on it."""
    with tab_of(browser, shop.address) as tab:
        tab.wait_for_pictures()
        shop.broker.end()
        tab.page.locator(f'{DOOR}[data-state="silent"]').wait_for()
        assert "no connection to the broker" in tab.page.locator(DOOR).inner_text()
        shop.broker.start()
        tab.page.locator(f'{DOOR}[data-state="live"]').wait_for()
        tab.wait_for_pictures(3)
