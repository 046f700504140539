"""Who gets to see the page, in a real browser."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.dashboard.page.conftest import CONNECTED
from tests.support.broker import Broker, free_port
from tests.support.browsers import is_well
from tests.support.chromium import tab_of
from tests.support.module import Module
from tests.support.place import Place
from tests.support.wait import limit, until

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


@pytest.fixture
def guarded(broker: Broker) -> Iterator[str]:
    """The address of a dashboard with a password."""
    with Place(broker, WEB_PASSWORD=SECRET) as place:
        yield place.address


def test_the_right_password_opens_it_and_a_wrong_one_does_not(guarded: str, browser: Browser) -> None:
    """The form comes first, says what was wrong, and leads to the page; who signs out is outside again."""
    with tab_of(browser, guarded) as tab:
        assert tab.page.url == f"{guarded}sign-in"
        tab.page.fill("[name=password]", "open barley")
        tab.page.keyboard.press("Enter")
        tab.page.locator("[role=alert]", has_text="not the password").wait_for()
        tab.page.fill("[name=password]", SECRET)
        tab.page.keyboard.press("Enter")
        tab.page.wait_for_url(guarded)
        tab.wait(CONNECTED)
        (cookie,) = tab.page.context.cookies()
        assert (cookie.get("name"), cookie.get("httpOnly"), cookie.get("sameSite")) == ("footfall", True, "Lax")
        tab.page.click("#sign-out button")
        tab.page.wait_for_url(f"{guarded}sign-in")
        tab.page.goto(guarded)
        assert tab.page.url == f"{guarded}sign-in"


def test_a_page_whose_session_has_ended_leads_to_the_form(browser: Browser, broker: Broker) -> None:
    """The dashboard is started again: with the same password an open page goes on, with another it asks for that."""
    port = free_port()
    address = f"http://127.0.0.1:{port}/"
    with tab_of(browser, "about:blank") as tab:
        for password in (SECRET, SECRET, "open barley"):
            with Module("dashboard", broker.port, WEB_PORT=port, WEB_PASSWORD=password):
                until(lambda: is_well(port), what="the dashboard")
                if tab.page.url == "about:blank":
                    tab.page.goto(address)
                    tab.page.fill("[name=password]", SECRET)
                    tab.page.keyboard.press("Enter")
                    tab.page.wait_for_url(address)
                if password == SECRET:
                    tab.wait(CONNECTED)
                else:
                    tab.page.wait_for_url(f"{address}sign-in")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_the_form(guarded: str, browser: Browser, scheme: str) -> None:
    """axe-core finds no violation, with a problem shown too."""
    with tab_of(browser, guarded, color_scheme=scheme, bypass_csp=True) as tab:
        assert Axe().run(tab.page).violations_count == 0
        tab.page.fill("[name=password]", "open barley")
        tab.page.keyboard.press("Enter")
        tab.page.locator("[role=alert]").wait_for()
        results = Axe().run(tab.page)
        assert results.violations_count == 0, results.generate_report()


def test_the_pages_of_other_sites_get_nothing(broker: Broker, browser: Browser, tmp_path: Path) -> None:
    """A page of another origin on this machine can neither listen, nor read the counts, nor show a picture of it."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with Place(broker) as place, HTTPServer(("127.0.0.1", 0), handler) as other:
        (tmp_path / "index.html").write_text(ATTACK.replace("PORT", str(place.port)))
        thread = threading.Thread(target=other.serve_forever)
        thread.start()
        try:
            for host in ("127.0.0.1", "localhost"):
                with tab_of(browser, f"http://{host}:{other.server_address[1]}/") as tab:
                    tab.wait("heard.socket.length > 0 && heard.text !== '' && heard.image")
                    assert tab.page.evaluate("heard") == {"socket": ["closed"], "text": "refused", "image": "refused"}
            with tab_of(browser, place.address) as own:
                own.wait(CONNECTED)
        finally:
            other.shutdown()
            thread.join(limit(10))
