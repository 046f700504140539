"""Access to the page, in a real browser."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser
from starlette.responses import HTMLResponse

from runtime.server import Address, Server
from tests.dashboard.page.conftest import CONNECTED
from tests.support.broker import Broker, free_port
from tests.support.chromium import Tab, tab_of
from tests.support.place import Place

pytestmark = pytest.mark.system

SECRET = "open sesame"
ATTACK = """<!doctype html><title>Another site</title><script>
const heard = {socket: [], text: ""};
const socket = new WebSocket("ws://127.0.0.1:PORT/live");
socket.onmessage = ({data}) => heard.socket.push(String(data));
socket.onclose = () => heard.socket.push("closed");
fetch("http://127.0.0.1:PORT/api/counts").then((it) => it.text()).then((text) => heard.text = text, () => heard.text = "refused");
const image = new Image(); image.onload = () => heard.image = "seen"; image.onerror = () => heard.image = "refused";
image.src = "http://127.0.0.1:PORT/icon.svg"; window.heard = heard;
</script>"""


def enter(tab: Tab, password: str) -> None:
    tab.page.fill("[name=password]", password)
    tab.page.keyboard.press("Enter")


def test_signing_in_and_out(broker: Broker, browser: Browser) -> None:
    """The form shows errors and leads to the page; axe-core finds no violation in it.

    An open page reconnects after a restart. Without its session it redirects to the form.
    """
    with Place(broker, WEB_PASSWORD=SECRET) as place, tab_of(browser, place.address, bypass_csp=True) as tab:
        form = f"{place.address}sign-in"
        assert tab.page.url == form
        enter(tab, "open barley")
        tab.page.locator("[role=alert]", has_text="Wrong password").wait_for()
        for scheme in ("light", "dark"):
            tab.page.emulate_media(color_scheme=scheme)
            results = Axe().run(tab.page)
            assert results.violations_count == 0, results.generate_report()
        enter(tab, SECRET)
        tab.page.wait_for_url(place.address)
        for url in (place.address, form):
            tab.wait(CONNECTED)
            assert place.module.end() == 0
            tab.wait(f"!({CONNECTED})")
            if url == form:
                tab.page.context.clear_cookies()
            place.module.__enter__()
            tab.page.wait_for_url(url)
        enter(tab, SECRET)
        tab.page.wait_for_url(place.address)
        tab.page.click("#sign-out button")
        tab.page.wait_for_url(form)
        tab.page.goto(place.address)
        assert tab.page.url == form


def test_pages_of_other_sites_get_no_data(broker: Broker, browser: Browser) -> None:
    """A page of another origin on this machine cannot open a WebSocket, read counts or show a picture."""
    with Place(broker) as place:
        port, page = free_port(), HTMLResponse(ATTACK.replace("PORT", str(place.port)))
        for host in ("127.0.0.1", "localhost"):
            with Server(page, Address("PORT", "127.0.0.1", port), 8), tab_of(browser, f"http://{host}:{port}/") as tab:
                tab.wait("heard.socket.length > 0 && heard.text !== '' && heard.image")
                assert tab.page.evaluate("heard") == {"socket": ["closed"], "text": "refused", "image": "refused"}
