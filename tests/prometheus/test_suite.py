"""A real Prometheus scrapes `make run`, and has data for all that the Grafana dashboard shows."""

import json
import re
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bus.exposition import THERMAL
from tests.end_to_end.run import Run, make_run
from tests.support.broker import ROOT
from tests.support.prometheus import Prometheus
from tests.support.wait import limit, until

pytestmark = [pytest.mark.system, pytest.mark.ecosystem, pytest.mark.timeout(limit(600))]

GRAFANA = ROOT / "docs" / "grafana"
DASHBOARD = json.loads((GRAFANA / "dashboard.json").read_text())
FIRST_PORT = 9600
"""The port of capture in the example configuration."""
MODULES = 5
FROZEN = 25.0
"""Seconds for which the broker is frozen: more than twice the keep-alive of 10 s, after which its clients disconnect."""
LINES = '[{"name": "door", "from": [0.15, 0.577], "to": [0.85, 0.577]}]'
"""The line of the demo."""
VARIABLES = {"$camera": ".*", "$__rate_interval": "1m"}


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


@pytest.fixture
def suite(tmp_path: Path) -> Iterator[tuple[Run, Prometheus]]:
    """The demo, and a Prometheus with the example configuration, except for ports and intervals."""
    port = free_ports(MODULES)
    shutil.copy(GRAFANA / "alerts.yml", tmp_path)
    text = (GRAFANA / "prometheus.yml").read_text().replace("15s", "1s")
    text = re.sub(r"127\.0\.0\.1:(\d+)", lambda found: f"127.0.0.1:{int(found[1]) - FIRST_PORT + port}", text)
    (tmp_path / "prometheus.yml").write_text(text)
    with make_run(tmp_path, METRICS_PORT=port, LINES=LINES) as run, Prometheus(tmp_path / "prometheus.yml") as prometheus:
        run.wait_for_predictions()
        yield run, prometheus


def expressions() -> dict[str, str]:
    """Returns the expressions of all panels, by the panel's title and the expression's letter, with values for variables."""
    found = {}
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            expression = target["expr"]
            for name, value in VARIABLES.items():
                expression = expression.replace(name, value)
            found[f"{panel['title']} {target['refId']}"] = expression
    return found


def test_every_panel_has_data(suite: tuple[Run, Prometheus]) -> None:
    """The broker is frozen for a while, so that there are lost connections and dropped frames to show.

    Each module has its own port. No target is down, and no rule fails.
    """
    run, prometheus = suite
    until(lambda: prometheus.query('sum(up{job="footfall"})') == [MODULES], 30, "all modules")
    (broker,) = (process for process in run.family() if process.name() == "mosquitto")
    broker.send_signal(signal.SIGSTOP)
    time.sleep(FROZEN)
    broker.send_signal(signal.SIGCONT)
    wanted = expressions()
    if not list(THERMAL.glob("thermal_zone*")):
        del wanted["Temperature A"]
    assert len(wanted) > 20

    def without_data() -> list[str]:
        return [title for title, expression in wanted.items() if not prometheus.query(expression)]

    missing: list[str] = []

    def is_complete() -> bool:
        missing[:] = without_data()
        time.sleep(1)
        return not missing

    try:
        until(is_complete, 60)
    finally:
        assert missing == []
    rules = [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]
    assert {rule["name"]: rule["health"] for rule in rules if rule["health"] != "ok"} == {}
    modules = {target["labels"]["instance"] for target in prometheus.get("targets")["activeTargets"] if target["health"] == "up"}
    assert len(modules) == MODULES
