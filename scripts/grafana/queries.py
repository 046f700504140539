"""The dashboard's queries, with the variables filled in as Grafana does."""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parents[2]
DASHBOARD = json.loads((ROOT / "docs" / "grafana" / "dashboard.json").read_text())
SCRAPE_INTERVAL = 15
"""Seconds between two scrapes in docs/grafana/prometheus.yml, and the default of Grafana's data source."""
POINTS = 450
"""Points of a panel: about its width in pixels."""
UNITS = {"s": 1, "m": 60, "h": 3600}
TIMEOUT = 30.0
"""Seconds to wait for an answer of Prometheus."""


class Query(NamedTuple):
    """A query of a panel. `step` is the number of seconds between two points; an `instant` query is for one time only."""

    title: str
    expression: str
    step: int
    instant: bool
    legend: str


def queries(seconds: int, camera: str = ".*") -> dict[str, Query]:
    """Returns the queries of all panels for a range of time, by the panel's number and the query's letter.

    `camera` is the regular expression that the variable of that name stands for; for all cameras it is `.*`.
    """
    found = {}
    for panel in DASHBOARD["panels"]:
        step = max(SCRAPE_INTERVAL, _seconds(panel.get("interval", "0s")), -(-seconds // POINTS))
        for target in panel.get("targets", ()):
            title = f"{panel['title']} {target['refId']}"
            expression = interpolate(target["expr"], camera, step)
            query = Query(title, expression, step, target["instant"], target["legendFormat"])
            found[f"{panel['id']} {target['refId']}"] = query
    return found


def interpolate(expression: str, camera: str, step: int) -> str:
    """Returns an expression with values for its variables. Raises `KeyError` for one that is not known.

    `$__interval` is `step`, in seconds, which Grafana rounds. `$__rate_interval` is Grafana's: four scrapes, or longer if an
    interval and a scrape are longer.
    """
    values = {
        "camera": camera,
        "__interval": f"{step}s",
        "__rate_interval": f"{max(4 * SCRAPE_INTERVAL, step + SCRAPE_INTERVAL)}s",
    }
    return re.sub(r"\$(\w+)", lambda name: values[name[1]], expression)


def ask(prometheus: str, query: Query, start: float, end: float) -> Any:
    """Returns the series of the answer. `prometheus` is the server's address. Raises `OSError`."""
    first, last = (int(time // query.step * query.step) for time in (start, end))  # Grafana does the same
    path, given = (
        ("query", {"time": end}) if query.instant else ("query_range", {"start": first, "end": last, "step": query.step})
    )
    with urlopen(f"{prometheus}/api/v1/{path}?{urlencode({'query': query.expression, **given})}", timeout=TIMEOUT) as answer:
        return json.load(answer)["data"]["result"]


def _seconds(duration: str) -> int:
    return int(duration[:-1]) * UNITS[duration[-1]]
