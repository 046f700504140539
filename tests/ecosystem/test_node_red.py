"""A real Node-RED with the flow in docs/node-red shows the counts, visits and alerts of Footfall.

FOOTFALL_PICTURES=docs also writes docs/node-red.png.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize

from bus import ActiveAlert, Alerts, DayCounts, Message, Occupancy, Visit, topics
from tests.end_to_end.run import make_run
from tests.support.broker import ROOT
from tests.support.chromium import chromium
from tests.support.guarded_broker import GuardedBroker
from tests.support.listener import Listener
from tests.support.node_red import Node, NodeRed
from tests.support.wait import limit, until

pytestmark = [pytest.mark.system, pytest.mark.ecosystem, pytest.mark.timeout(limit(180))]

FLOW = ROOT / "docs" / "node-red" / "flow.json"
LINES = '[{"name": "door", "from": [0.15, 0.577], "to": [0.85, 0.577]}]'
"""The line of the demo."""
ALERTS = '[{"name": "full", "inside": 0}, {"name": "closed", "uncounted_minutes": 60}]'
SIZE = ViewportSize(width=1120, height=600)
BROKER, TLS = "footfall-broker", "footfall-tls"
DAY = "2026-01-31"
RESULTS: tuple[Message, ...] = (
    DayCounts("door", DAY, {"woman": 3, "<b>dog</b>": 1}, {}),
    Occupancy("door", {"till": 2}, 3, 5, 2, 0, 1000.0, 1003.5),
    Alerts("door", (ActiveAlert("queue", "waiting_seconds", "till", 120.0, 121.5, 1000.0),)),
    Visit("id-1", "door", "woman", 1000.0, 1003.5, 0.97, 31, direction="in"),
    DayCounts("back", DAY, {}, {}),
    Occupancy("back", at=1000.0),
    Alerts("back"),
)
SHOWN = {
    "door": {
        "demo": False,
        "day": DAY,
        "labels": {"woman": 3, "<b>dog</b>": 1},
        "visits": 4,
        "inside": 3,
        "zones": {"till": 2},
        "last": {"label": "woman", "direction": "in", "seconds": 3.5, "at": "1970-01-01T00:16:43.500Z"},
        "alerts": ["queue"],
    },
    "back": {"demo": False, "day": DAY, "labels": {}, "visits": 0, "inside": None, "zones": {}, "alerts": []},
}


def flow(**broker: object) -> list[Node]:
    """Returns the nodes of the flow, with other properties of the broker."""
    nodes: list[Node] = json.loads(FLOW.read_text())
    return [node | broker if node["id"] == BROKER else node for node in nodes]


@pytest.fixture
def node_red(tmp_path: Path) -> Iterator[NodeRed]:
    with NodeRed(tmp_path / "node-red") as running:
        yield running
        assert not re.findall(r"\[(?:warn|error)\] \[.*", running.log)  # of a node


def test_the_demo_as_a_guest(node_red: NodeRed, tmp_path: Path) -> None:
    """The flow, imported in the editor, shows what the counter publishes: visits, the last one, and an alert."""
    file = tmp_path / "flow.json"

    def shown() -> Any:
        return node_red.get("/footfall.json").json().get("door", {})

    def agrees() -> bool:
        counts, visit = DayCounts.unpack(listener.payloads("/counts")[-1]), Visit.unpack(listener.payloads("/visit")[-1])
        figures = (shown()["demo"], shown()["labels"], shown()["last"]["label"])
        return shown()["visits"] >= 1 and figures == (True, counts.totals, visit.label)

    with make_run(tmp_path, LINES=LINES, ALERTS=ALERTS) as run, chromium() as browser:
        run.wait_for_predictions()
        file.write_text(json.dumps(flow(port=str(run.port))))
        with Listener(run.port, "footfall/door/counts", "footfall/door/visit") as listener:
            page = browser.new_page(viewport=SIZE)
            node_red.import_file(page, file)
            until(lambda: shown().get("alerts") == ["full"] and shown().get("last"), 60, "an alert and a visit")
            listener.wait_for("/visit")
            if folder := os.environ.get("FOOTFALL_PICTURES"):
                take_picture(page, Path(folder, "node-red.png"))
            assert run.command("command", "DO=pause")[0] == 0
            until(agrees, 30, "the counter's own figures")
    assert "door (demo)" in node_red.get("/footfall").text


def take_picture(page: Page, path: Path) -> None:
    """Writes a picture of the editor, with the flow and the messages that it shows."""
    page.keyboard.press("Control+p")  # hides the palette
    page.click("#red-ui-workspace-tabs >> text=Footfall")
    page.click("#red-ui-tab-debug-link-button")
    page.mouse.move(SIZE["width"] / 2, SIZE["height"] - 50)
    page.wait_for_timeout(15_000)
    page.screenshot(path=path)


def test_another_machine(node_red: NodeRed, tmp_path: Path) -> None:
    """With TLS and the reader's password, all figures of two cameras are shown, and labels are escaped.

    After a restart of the broker new figures are shown. A camera that is forgotten goes.
    """
    with GuardedBroker(tmp_path / "broker", has_tls=True, TLS_NAMES="127.0.0.1", CAMERAS="door,back") as broker:
        authority = (broker.secrets / "tls" / "certificate.pem").read_text()
        user = {"user": "reader", "password": broker.password("reader")}
        files = {"cert": "", "key": "", "ca": "", "certname": "", "keyname": "", "caname": "broker.pem"}
        tls: Node = {"id": TLS, "type": "tls-config", "verifyservercert": True, "credentials": {"cadata": authority}} | files
        with broker.listener("counter") as counter:
            for result in RESULTS[:3]:
                counter.publish(result.topic, result.pack(), retain=True)
            node_red.deploy([*flow(port=broker.tls, usetls=True, tls=TLS, credentials=user), tls])
            until(lambda: "alerts" in node_red.get("/footfall.json").json().get("door", {}), 20, "retained messages")
            for result in RESULTS[3:]:
                counter.publish(result.topic, result.pack(), retain=True)
            until(lambda: node_red.get("/footfall.json").json() == SHOWN, 20, "all figures")
            page = node_red.get("/footfall").text
            row = f'<th>back<td>{DAY}<td>0<td><td><td><td class="alert">\n<tr><th>door<td>{DAY}<td>4<td>woman 3, '
            assert row in page.replace("\n\n", "\n")
            assert '<td>3<td>woman, 3.5 s<td class="alert">queue' in page
            assert "<b>dog" not in page
        with broker.listener("operator") as operator:
            for topic in (topics.counts("back"), topics.occupancy("back"), topics.alerts("back")):
                operator.publish(topic, b"", retain=True)
            until(lambda: node_red.get("/footfall.json").json().keys() == {"door"}, 20, "a camera less")
        broker.end()
        broker.start()
        with broker.listener("counter") as counter:
            counter.publish(topics.counts("door"), DayCounts("door", DAY, {"woman": 7}, {}).pack(), retain=True)
            until(lambda: node_red.get("/footfall.json").json()["door"]["visits"] == 7, 30, "visits after a restart")
