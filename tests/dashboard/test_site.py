"""The names of the place and of its labels: read and saved over HTTP, and shown to browsers."""

import json
from importlib.metadata import version
from typing import Any

import httpx
import pytest

from bus import Site, topics
from tests.support import samples
from tests.support.broker import Broker
from tests.support.browsers import Browser
from tests.support.dashboard_rig import DashboardRig
from tests.support.listener import Listener
from tests.support.wait import limit, until

pytestmark = pytest.mark.system

TOPIC = topics.site()
EMPTY: dict[str, Any] = {"v": 1, "name": None, "locale": None, "labels": []}
NAMES: dict[str, Any] = {
    "name": "Bakery at the mill",
    "locale": "de-CH",
    "labels": [{"label": "woman", "name": "Women", "colour": "#c2255c"}],
}


def put(rig: DashboardRig, body: Any, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.put(f"{rig.address}site", content=content, headers=headers, timeout=limit(20))


def test_names_are_saved_and_shown(broker: Broker) -> None:
    """They are retained on the broker. Browsers learn of each change, by whom ever, and of a deletion while nobody looked."""
    with DashboardRig(broker) as rig, Browser(rig.port) as browser:
        browser.until(lambda now: now.get("site") == EMPTY)
        assert browser.sections["version"] == version("footfall")
        rig.publish(samples.site())
        browser.until(lambda now: len(now["site"]["labels"]) == 2)
        rig.listener.publish(TOPIC, b"{", retain=True)
        until(lambda: "Site: not JSON" in rig.module.log)
        assert rig.get("/site").json() == browser.sections["site"]
        broker.end()
        until(lambda: "lost" in rig.module.log)
        response = put(rig, NAMES)
        assert (response.status_code, response.json()) == (503, {"problem": "not saved: no connection to the broker"})
        (broker.folder / "mosquitto.db").unlink(missing_ok=True)
        broker.start()
        browser.until(lambda now: now["site"] == EMPTY, 30)
        response = put(rig, NAMES)
        assert (response.status_code, response.json()) == (200, {"v": 1, **NAMES})
        with Listener(broker.port, TOPIC) as later:
            assert (Site.unpack(later.wait_for("site")[0]), later.messages()[0].retain) == (Site.unpack(response.content), True)
        browser.until(lambda now: now["site"]["name"] == NAMES["name"])


def test_wrong_names_are_explained(broker: Broker) -> None:
    """They change nothing, and neither does a viewer behind a proxy."""
    refused: list[tuple[Any, int, str, str]] = [
        ({"locale": "de"}, 422, "locale", "must be a language and a region"),
        ({"labels": [{"label": "woman", "colour": "red"}]}, 422, "labels.0.colour", "must be a colour such as #c2255c"),
        ({"labels": 2 * [{"label": "woman"}]}, 422, "labels", "'woman' occurs twice"),
        (b"{", 422, "", "not JSON"),
        (b" " * 65537, 413, "", "The request is too large"),
    ]
    with DashboardRig(broker) as rig, Listener(broker.port, TOPIC) as listener:
        for body, status, at, problem in refused:
            response = put(rig, body)
            assert (response.status_code, response.json().get("at", "")) == (status, at), response.text
            assert problem in response.json()["problem"]
        assert put(rig, NAMES, **{"X-Forwarded-For": "192.0.2.7"}).status_code == 403
        assert put(rig, NAMES, Origin="http://evil.example").status_code == 403
        listener.settle()
        assert listener.payloads() == []
