"""A real Prometheus scrapes `make run`, and has data for all that the Grafana dashboard shows.

Takes a minute, and another one for npm when Grafana's components are not installed.
"""

import re
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Page

from bus.exposition import THERMAL
from scripts.grafana import picture
from scripts.grafana.queries import Query, queries
from tests.end_to_end.run import Run, make_run
from tests.support.broker import ROOT
from tests.support.chromium import chromium
from tests.support.prometheus import Prometheus
from tests.support.wait import limit, until

pytestmark = [pytest.mark.system, pytest.mark.ecosystem, pytest.mark.timeout(limit(600))]

GRAFANA = ROOT / "docs" / "grafana"
FIRST_PORT = 9600
"""The port of capture in the example configuration."""
MODULES = 5
FROZEN = 25.0
"""Seconds for which the broker is frozen: more than twice the keep-alive of 10 s, after which its clients disconnect."""
LINES = '[{"name": "door", "from": [0.15, 0.577], "to": [0.85, 0.577]}]'
"""The line of the demo."""
QUARTERS = {"Visits", "Crossings"}
"""Panels that have a bar at the end of each quarter of an hour only."""
CAMERAS = (".*", "door")
"""Values of the dashboard's variable: all cameras, and one of them."""


def free_ports(number: int) -> int:
    """Returns the first of consecutive free ports."""
    for first in range(20000, 30000, number):
        with ExitStack() as stack:
            try:
                for port in range(first, first + number):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise AssertionError("no free ports")


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Run, Prometheus]]:
    """The demo, and a Prometheus with the example configuration, except for ports and intervals.

    The broker has been frozen for a while, so that there are lost connections and dropped frames to show.
    """
    folder = tmp_path_factory.mktemp("suite")
    port = free_ports(MODULES)
    shutil.copy(GRAFANA / "alerts.yml", folder)
    text = (GRAFANA / "prometheus.yml").read_text().replace("15s", "1s")
    text = re.sub(r"127\.0\.0\.1:(\d+)", lambda found: f"127.0.0.1:{int(found[1]) - FIRST_PORT + port}", text)
    (folder / "prometheus.yml").write_text(text)
    with make_run(folder, METRICS_PORT=port, LINES=LINES) as run, Prometheus(folder / "prometheus.yml") as prometheus:
        run.wait_for_predictions()
        until(lambda: prometheus.query('sum(up{job="footfall"})') == [MODULES], 30, "all modules")
        brokers = [process for process in run.family() if process.name() == "mosquitto"]
        for number in (signal.SIGSTOP, signal.SIGCONT):
            for broker in brokers:
                broker.send_signal(number)
            time.sleep(FROZEN if number == signal.SIGSTOP else 0)
        yield run, prometheus


def has_data(prometheus: Prometheus, query: Query) -> bool:
    """Returns whether the answer to a query has a number, and each of its series the labels that the legend names."""
    labels = set(re.findall(r"{{(\w+)}}", query.legend))
    series = prometheus.get("query", query=query.expression)["result"]
    return any(one["value"][1] != "NaN" for one in series) and all(labels <= one["metric"].keys() for one in series)


def test_every_panel_has_data(suite: tuple[Run, Prometheus]) -> None:
    """Each query of the dashboard has numbers, and the labels that the legend names. No target is down, and no rule fails."""
    _, prometheus = suite
    wanted = {f"{query.title}, camera {camera}": query for camera in CAMERAS for query in queries(3600, camera).values()}
    if not list(THERMAL.glob("thermal_zone*")):
        wanted = {title: query for title, query in wanted.items() if not title.startswith("Temperature")}
    assert len(wanted) > 40
    missing: list[str] = []

    def is_complete() -> bool:
        missing[:] = [title for title, query in wanted.items() if not has_data(prometheus, query)]
        time.sleep(1)
        return not missing

    try:
        until(is_complete, 60)
    finally:
        assert missing == []
    series = {"match[]": "footfall_module_state"}
    assert prometheus.get("label/camera/values", **series) == ["door"]  # what the dashboard offers to choose from
    rules = [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]
    assert {rule["name"]: rule["health"] for rule in rules if rule["health"] != "ok"} == {}
    modules = {target["labels"]["instance"] for target in prometheus.get("targets")["activeTargets"] if target["health"] == "up"}
    assert len(modules) == MODULES


def test_grafanas_components_draw_the_panels(suite: tuple[Run, Prometheus]) -> None:
    """The numbers, charts and legends show the series of Prometheus, by Grafana's own rules for names and units."""
    _, prometheus = suite
    try:
        picture.install()
    except OSError as error:
        pytest.skip(f"Grafana's components cannot be installed: {error}")
    with chromium() as browser:

        def draw() -> Page | None:
            end = time.time()
            page = picture.draw(browser, f"http://127.0.0.1:{prometheus.port}", end - 60, end)
            empty = {panel.get_attribute("data-empty") for panel in page.query_selector_all("[data-empty]")}
            return None if empty - QUARTERS - {"Temperature"} else page

        page = until(draw, 60, "data in all panels")
        shown = {panel.get_attribute("data-panel"): panel for panel in page.query_selector_all("[data-panel]")}
        assert shown["Modules that answer"].inner_text().split("\n")[1:] == ["answer", "5", "in all", "5"]
        assert "door made" in shown["Predictions a second"].inner_text()
        assert shown["Memory"].inner_text().split()[1:] == ["capture", "classifier", "counter", "bridge", "dashboard"]
        assert sum(panel.query_selector("canvas") is not None for panel in shown.values()) > 10
