"""``footfall report``: of a ledger's file, and of a running counter, as a table, CSV, JSON and Parquet."""

import csv
import io
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from bus import Crossing, Visit
from counter import pages
from counter.changes import Changes
from counter.database import FILE
from counter.ledger import Ledger
from counter.periods import Period
from counter.schema import VERSION
from runtime.metrics import Metrics
from tests.footfall.suite import call, running_suite
from tests.support.broker import ROOT
from tests.support.module import Module
from tests.support.wait import limit, until

ZONE = "TZ=Europe/Berlin"
NINE = datetime.fromisoformat("2026-11-23T09:00+01:00").timestamp()


def fill(folder: Path) -> Path:
    """Writes a ledger with two women on Monday and a man on Tuesday, who is first seen on the last page. Returns its path."""
    some = [(NINE, "woman"), (NINE + 60, "woman"), (NINE + 86400, "=man")]
    visits = [Visit(str(at), "door", label, at, at + 5, 0.9, 9, False, "in", {"till": 2.5}) for at, label in some]
    crossings = [Crossing(f"c{one.id}", "door", one.id, "gate", "in", one.label, one.started_at) for one in visits]
    with closing(Ledger(folder, Metrics())) as ledger:
        ledger.commit(Changes(results=[*crossings, *visits], periods=[Period("door", False, NINE, NINE + 1.5 * 86400)]))
    return folder / FILE


ASKED = ("report", "--from", "2026-11-23", "--to", "2026-11-26")
TABLE = """
period      camera  label  visits  counted  demo
2026-11-23  door    =man        0    62.5%
2026-11-23  door    woman       2    62.5%
2026-11-24  door    =man        1    87.5%
2026-11-24  door    woman       0    87.5%
2026-11-25  door    =man        -        -
2026-11-25  door    woman       -        -
"""
CSV = """
period,from,to,camera,label,visits,counted,demo
2026-11-23,2026-11-23T00:00+01:00,2026-11-24T00:00+01:00,door,'=man,0,0.625,false
2026-11-23,2026-11-23T00:00+01:00,2026-11-24T00:00+01:00,door,woman,2,0.625,false
2026-11-24,2026-11-24T00:00+01:00,2026-11-25T00:00+01:00,door,'=man,1,0.875,false
2026-11-24,2026-11-24T00:00+01:00,2026-11-25T00:00+01:00,door,woman,0,0.875,false
2026-11-25,2026-11-25T00:00+01:00,2026-11-26T00:00+01:00,door,'=man,,,false
2026-11-25,2026-11-25T00:00+01:00,2026-11-26T00:00+01:00,door,woman,,,false
"""


@pytest.mark.parametrize("cells", [1000, 1])
def test_all_formats_have_the_same_rows(
    tmp_path: Path, cells: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one page or in many. The file of the ledger does not change, and can be read beside a counter that has it open."""
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(pages, "MAX_CELLS", cells)
    ledger = f"LEDGER={fill(tmp_path)}"
    before = (tmp_path / FILE).read_bytes()
    with closing(Ledger(tmp_path, Metrics())) as counting:
        counting.note("version")
        assert call(*ASKED, ledger, ZONE) == 0
    assert capsys.readouterr().out == TABLE[1:]
    assert call(*ASKED, ledger, ZONE, "--csv") == 0
    printed = capsys.readouterr().out
    assert printed.splitlines() == CSV.strip().splitlines()
    assert call(*ASKED, "--json", ledger, ZONE) == 0
    rows = json.loads(capsys.readouterr().out)
    named = list(csv.DictReader(io.StringIO(printed)))
    assert [(one["period"], f"'{one['label']}".replace("'w", "w"), one["visits"]) for one in rows] == [
        (one["period"], one["label"], int(one["visits"]) if one["visits"] else None) for one in named
    ]
    for kind in ("csv", "json", "parquet"):
        assert call(*ASKED, f"--{kind}", str(tmp_path / f"out.{kind}"), ledger, ZONE) == 0
    assert (tmp_path / "out.csv").read_bytes().decode() == CSV[1:].replace("\n", "\r\n")
    assert json.loads((tmp_path / "out.json").read_text()) == rows
    found = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    times = {name: [one.pop(name).isoformat("T", "minutes") for one in found] for name in ("from", "to")}
    assert times == {name: [one.pop(name) for one in rows] for name in ("from", "to")}
    assert found == rows
    assert (tmp_path / FILE).read_bytes() == before
    assert not list(tmp_path.glob("*.part"))


def test_the_tables_of_crossings_and_zones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Beside the week before, which has no data."""
    ledger = f"LEDGER={fill(tmp_path)}"
    assert call("report", "--from", "2026-11-23", "--table", "crossings", "--before", ledger, ZONE) == 0
    assert call("report", "--from", "2026-W48", "--by", "week", "--table", "zones", "--label", "woman", ledger, ZONE) == 0
    assert call("report", "--from", "2025-12", "--by", "month", ledger, ZONE) == 0
    assert capsys.readouterr().out.splitlines() == [
        "period      camera  line  direction  label  crossings  counted  before  counted_before  demo",
        "2026-11-23  door    gate  in         woman          2    62.5%       -               -",
        "2026-11-23  door    gate  out        woman          0    62.5%       -               -",
        "period    camera  zone  label  visits  seconds  counted  demo",
        "2026-W48  door    till  woman       2      5.0    21.4%",
        "no data",
    ]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("--by minute", "by: 'minute' is unknown; allowed: quarter, hour, day,"),
        ("--from 2026-11-31", "from: '2026-11-31' must be a day, month, week, year or time"),
        ("--open", "open: the setting OPENING_HOURS is not set"),
        ("--csv --json", "--csv and --json: only one of them is possible"),
        ("--parquet -", "--parquet -: must be a file"),
        ("--csv /nowhere/out.csv", "--csv '/nowhere/out.csv': No such file or directory"),
        ("OPENING_HOURS=daily", "OPENING_HOURS='daily': must be weekdays and times such as Mo-Fr 09:00-18:30"),
        ("LEDGER=/nowhere", "LEDGER='/nowhere': not a file; must be the ledger.db of a counter"),
        (f"LEDGER={__file__}", "LEDGER='{file}': file is not a database; must be the ledger.db of a counter"),
    ],
)
def test_a_report_is_refused(tmp_path: Path, words: str, problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In one line, with exit code 2."""
    assert call("report", f"LEDGER={fill(tmp_path)}", ZONE, *words.split()) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert shown.err.startswith(f"footfall report: {problem.replace('{file}', __file__)}")


@pytest.mark.parametrize(("version", "age"), [(VERSION - 1, "an earlier"), (VERSION + 1, "a newer")])
def test_a_ledger_of_another_version_is_refused(
    tmp_path: Path, version: int, age: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(fill(tmp_path))) as file:
        file.execute(f"PRAGMA user_version = {version}")
    assert call("report", f"LEDGER={tmp_path / FILE}", ZONE) == 2
    assert f"of {age} Footfall (version {version}, not {VERSION})" in capsys.readouterr().err


def test_without_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The message says what to install. Nothing is written."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert call("report", f"LEDGER={fill(tmp_path)}", ZONE, "--parquet", str(tmp_path / "out.parquet")) == 2
    assert "--parquet: needs pyarrow, which cannot be used" in capsys.readouterr().err
    assert not (tmp_path / "out.parquet").exists()


@pytest.mark.system
def test_a_ledger_in_a_folder_that_is_read_only(tmp_path: Path) -> None:
    """As on a medium with a backup. Root loses the right to write there."""
    fill(tmp_path / "data")
    (tmp_path / "data").chmod(0o555)
    limits = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
    words = [sys.executable, "-m", "footfall", *ASKED, f"LEDGER={tmp_path / 'data' / FILE}", ZONE]
    done = subprocess.run([*limits, *words], cwd=ROOT, capture_output=True, text=True, timeout=limit(60), check=False)
    assert (done.stdout, done.stderr, len(list((tmp_path / "data").iterdir()))) == (TABLE[1:], "", 2)


@pytest.mark.broker
@pytest.mark.system
def test_a_running_counter_is_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The output is that of the file, and a wrong parameter is refused with the same words."""
    (tmp_path / "data").mkdir()
    fill(tmp_path / "data")
    with running_suite(tmp_path) as suite:
        password = suite.broker.password("counter")
        settings = {"STATE_DIR": tmp_path / "data", "MQTT_PASSWORD": password, "TZ": "Europe/Berlin"}
        with Module("counter", suite.broker.port, **settings):
            until(lambda: "footfall/status/counter" in suite.retained(), what="the counter")
            assert suite.call(*ASKED) == 0
            assert capsys.readouterr().out == TABLE[1:]
            assert suite.call("report", "--by", "minute") == 2
            assert "by: 'minute' is unknown; allowed: quarter, hour, day," in capsys.readouterr().err
