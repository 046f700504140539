"""Reports over HTTP, of a real counter."""

from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from bus import Visit
from counter.changes import Changes
from counter.ledger import Ledger
from counter.periods import Period
from runtime.metrics import Metrics
from tests.support.broker import Broker
from tests.support.dashboard_rig import DashboardRig
from tests.support.module import Module
from tests.support.wait import until

pytestmark = pytest.mark.system
BEGIN = datetime.fromisoformat("2026-11-01T00:00+01:00").timestamp()
DAYS = 28
REFUSED = [
    ("from=2026-11-31", "from: '2026-11-31' must be a day, month, week, year or time such as"),
    ("by=minute", "by: 'minute' is unknown; allowed: quarter, hour, day,"),
    ("by=day&by=hour", "by: given 2 times; only one is allowed"),
    ("since=2026", "since: unknown parameter; allowed: format, from, to, by,"),
    ("cursor=7", "cursor: unknown parameter"),
    ("format=xml", "format=xml: unknown format; use json or csv"),
    (f"label={'x' * 1025}", "label: longer than 1024 characters"),
    (f"label={'ä' * 1000}&line={'ä' * 1000}&zone={'ä' * 1000}", "Question: "),
]


def test_reports(broker: Broker, tmp_path: Path) -> None:
    """A month by quarter-hour comes in several pages as one response, without a gap. A broken query is refused with its reason.

    While there is no counter, the status is 503.
    """
    visits = [
        Visit(f"v{number}", "door", "woman", BEGIN + number * 900, BEGIN + number * 900 + 5, 0.9, 9) for number in range(2600)
    ]
    with closing(Ledger(tmp_path, Metrics())) as ledger:
        ledger.commit(Changes(results=[*visits], periods=[Period("door", False, BEGIN, BEGIN + DAYS * 86400)]))
    with DashboardRig(broker) as rig:
        with Module("counter", broker.port, STATE_DIR=tmp_path, TZ="Europe/Berlin", OPENING_HOURS="Mo-Sa 09:00-18:00"):
            until(lambda: rig.get("/reports").status_code == 200, what="the counter")
            for query, problem in REFUSED:
                response = rig.get(f"/reports?{query}")
                assert (response.status_code, response.json()["problem"][: len(problem)]) == (400, problem)
            rows = rig.get("/reports?from=2026-11-01&to=2026-11-29&by=quarter").json()
            assert len(rows) == DAYS * 96
            assert [row["visits"] for row in rows] == [1] * 2600 + [0] * (DAYS * 96 - 2600)
            response = rig.get("/reports?from=2026-11&by=week&open=yes&before=month&format=csv")
            assert response.headers["X-Opening-Hours"] == "set"
            assert response.headers["content-type"].startswith("text/csv")
            lines = [line.split(",") for line in response.text.splitlines()]
            assert ",".join(lines[0]) == "period,from,to,camera,label,visits,counted,before,counted_before,demo"
            assert [(line[0], line[5], line[6]) for line in lines[1:]] == [
                ("2026-W45", "216", "1.0"),
                ("2026-W46", "216", "1.0"),
                ("2026-W47", "216", "1.0"),
                ("2026-W48", "180", "1.0"),
                ("2026-W49", "", ""),
            ]
        assert rig.get("/reports").status_code == 503
