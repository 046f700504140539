"""Setups of cameras: read, saved and deleted over HTTP."""

import json
from typing import Any

import httpx
import pytest

from bus import Setup, topics
from tests.support import samples
from tests.support.broker import Broker
from tests.support.browsers import Browser
from tests.support.dashboard_rig import CAPTURE, DashboardRig
from tests.support.listener import Listener
from tests.support.wait import limit, until

pytestmark = pytest.mark.system

TOPIC = topics.setup("door")
LINE = {"name": "door", "from": [0.1, 0.5], "to": [0.9, 0.5]}
SETTINGS = {"LINES": json.dumps([LINE]), "ZONES": '[{"name": "till", "polygon": [[0.1, 0.5], [0.4, 0.5], [0.4, 0.9]]}]'}
FULL = {"name": "full", "inside": 50}
SETTINGS["ALERTS"] = json.dumps([FULL])
RULES = [{**dict.fromkeys(("zone", "people", "waiting_seconds", "lost_minutes", "uncounted_minutes")), **FULL}]
DEFAULTS = {"lines": [LINE], "zones": json.loads(SETTINGS["ZONES"]), "alerts": RULES}
BOW = [[0.1, 0.1], [0.9, 0.9], [0.9, 0.1], [0.1, 0.9]]


def ask(rig: DashboardRig, method: str, body: Any = None, camera: str = "door", **headers: str) -> httpx.Response:
    """Sends a request for a setup. A body that is not bytes is sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    url = f"{rig.address}cameras/{camera}/setup"
    return httpx.request(method, url, content=content, headers=headers, timeout=limit(20))


def know(rig: DashboardRig) -> None:
    """Waits until the dashboard knows the camera."""
    rig.publish(CAPTURE)
    with Browser(rig.port) as browser:
        browser.until(lambda sections: "door" in sections["cameras"])


def test_a_setup_is_saved_and_deleted(broker: Broker) -> None:
    """It is retained on the broker. The response and the page show what counts: what it leaves out is as the settings say.

    The page shows setups by others too. After a restart of the broker without its state there is none.
    """
    with DashboardRig(broker, **SETTINGS) as rig, Listener(broker.port, TOPIC) as live, Browser(rig.port) as browser:
        know(rig)
        assert ask(rig, "GET").json().items() >= (DEFAULTS | {"camera": "door", "mask": [], "visitors": None}).items()
        response = ask(rig, "PUT", {"zones": [], "camera": "back"})
        assert response.status_code == 200
        assert response.json().items() >= {"camera": "door", "lines": [LINE], "zones": []}.items()
        assert Setup.unpack(live.wait_for("setup")[0]) == Setup("door", zones=())
        with Listener(broker.port, TOPIC) as later:
            assert (later.wait_for("setup"), later.messages()[0].retain) == (live.payloads(), True)
        browser.until(lambda now: now["setups"].get("door", {}).get("zones") == [])
        assert browser.sections["setup_defaults"] == DEFAULTS
        rig.publish(samples.setup())
        browser.until(lambda now: now["setups"]["door"]["visitors"] == ["person"])
        assert ask(rig, "GET").json()["lines"][0]["name"] == "entrance"
        response = ask(rig, "DELETE")
        assert (response.status_code, response.json()["lines"]) == (200, [LINE])
        browser.until(lambda now: now["setups"] == {})
        assert live.wait_for("setup", 3)[2] == b""
        assert ask(rig, "DELETE").status_code == 200  # again


REFUSED: list[tuple[Any, int, str, str]] = [
    (b"{", 422, "", "not JSON: EOF while parsing an object"),
    ([], 422, "", "must be a map, not list"),
    ({"v": 2}, 422, "", "v: must be version 1"),
    ({"lines": [{**LINE, "to": [0.1, 0.505]}]}, 422, "lines.0", "line 'door' is 0.005 long; 0.01 of the picture is the minimum"),
    ({"lines": [LINE, LINE]}, 422, "lines", "'door' is the name of two; names must differ"),
    (
        {"lines": [LINE, {**LINE, "name": "a", "to": [0.1, 1.5]}]},
        422,
        "lines.1.to.1",
        "must be a part of the picture, a number from 0 to 1",
    ),
    ({"lines": [LINE, {**LINE, "name": ""}]}, 422, "lines.1.name", "must be text"),
    ({"lines": [{**LINE, "name": f"{one}"} for one in range(17)]}, 422, "lines", "must be a list of at most 16"),
    ({"zones": [{"name": "bow", "polygon": BOW}]}, 422, "zones.0.polygon", "crosses itself: edges 1 and 3"),
    ({"mask": [BOW[:2]]}, 422, "mask.0", "has 2 corners; 3 to 32 are allowed"),
    ({"visitors": []}, 422, "visitors", "must be a list of at least 1 and at most 64"),
    (
        {"alerts": [FULL, {"name": "queue", "zone": "till", "waiting_seconds": 0}]},
        422,
        "alerts.1.waiting_seconds",
        "must be a number above 0",
    ),
    ({"alerts": [{"name": "queue", "waiting_seconds": 9}]}, 422, "alerts.0", "alert 'queue': waiting_seconds needs a zone"),
    ({"alerts": [FULL, FULL]}, 422, "alerts", "'full' is the name of two; names must differ"),
    (b" " * 65537, 413, "", "The request is too large"),
]


def test_invalid_setups_are_explained(broker: Broker) -> None:
    """They change nothing. An unknown camera has no setup, and one of another site's pages is refused."""
    with DashboardRig(broker) as rig, Listener(broker.port, TOPIC) as listener:
        know(rig)
        for body, status, place, problem in REFUSED:
            response = ask(rig, "PUT", body)
            assert response.status_code == status, response.text
            assert (response.json().get("at", ""), problem in response.json()["problem"]) == (place, True), response.text
        assert ask(rig, "PUT", {}, camera="back").status_code == 404
        for method, headers in (("PUT", {"Origin": "http://evil.example"}), ("DELETE", {"Sec-Fetch-Site": "cross-site"})):
            assert ask(rig, method, {}, **headers).json()["problem"].startswith("Cross-site")
        assert ask(rig, "POST", {}).status_code == 405
        assert ask(rig, "GET").is_success
        listener.settle()
        assert listener.payloads() == []


def test_a_shared_page_without_a_password_is_read_only(broker: Broker) -> None:
    """A viewer behind a proxy may read setups, but not change them. The page is told so."""
    proxied = {"X-Forwarded-For": "192.0.2.7"}
    with DashboardRig(broker) as rig, Browser(rig.port) as own, Browser(rig.port, **proxied) as shared:
        know(rig)
        for browser, may in ((own, True), (shared, False)):
            browser.until(lambda now: "may_set_up" in now)
            assert browser.sections["may_set_up"] is may
        for method in ("PUT", "DELETE"):
            response = ask(rig, method, {}, **proxied)
            assert (response.status_code, "WEB_PASSWORD" in response.json()["problem"]) == (403, True)
        assert ask(rig, "GET", **proxied).is_success


def test_a_setup_that_cannot_be_published_is_not_saved(broker: Broker) -> None:
    """Without the broker, it is not sent later either."""
    with DashboardRig(broker) as rig:
        know(rig)
        broker.end()
        until(lambda: "lost" in rig.module.log)
        response = ask(rig, "PUT", {"lines": [LINE]})
        assert (response.status_code, response.json()) == (503, {"problem": "not saved: no connection to the broker"})
        broker.start()
        with Listener(broker.port, TOPIC, "footfall/status/dashboard") as listener:
            until(lambda: any(b"running" in one for one in listener.payloads("dashboard")), 30)
            listener.settle()
            assert listener.payloads("setup") == []
