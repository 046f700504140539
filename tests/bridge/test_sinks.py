"""Sinks by name, and the sink log: results as people read them."""

import io
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge import results, sinks
from bridge.policy import Policy
from bridge.settings import Settings
from bridge.sinks import NotSent
from bridge.sinks.edgehub import check_environment
from bridge.sinks.log import Counts, LogSink, describe
from bus import DayCounts, InvalidSetting, Label, Summary, Visit
from runtime.settings import load
from tests.bridge.support import FakeBus, visits
from tests.support import samples
from tests.support.wait import limit
from tests.support.zone import zone_at_noon


@pytest.mark.parametrize(
    ("given", "module", "names"),
    [
        (None, "", ("log",)),
        (None, "bridge", ("edgehub",)),
        ("log", "bridge", ("log",)),
        ("edgehub, log,log", "", ("edgehub", "log")),
        ("webhok", "", None),
        ("log,Log", "", None),
        ("log.py", "", None),
        ("__init__", "", None),
    ],
)
def test_sinks(given: str | None, module: str, names: tuple[str, ...] | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """By default edgehub where IoT Edge runs the bridge; each once; one that there is not is refused."""
    for name, value in (("SINKS", given), ("IOTEDGE_MODULEID", module)):
        if value:
            monkeypatch.setenv(name, value)
    if names is not None:
        assert load(Settings).sink_names == names
    else:
        with pytest.raises(InvalidSetting, match=r"^SINKS=.*there are edgehub, log"):
            load(Settings)


def test_the_policy_is_the_settings() -> None:
    """Until the cloud wants another one."""
    given = load(Settings, forward="all", min_probability="0.5", labels="man,woman", interval_seconds="5")
    assert given.policy == Policy("all", 0.5, ("man", "woman"), 5.0)


def test_a_third_sink_is_a_file_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else knows it. It gets what a sink may use."""
    (tmp_path / "third.py").write_text("def create(context): return 'third', context")
    monkeypatch.setattr(sinks, "__path__", [*sinks.__path__, str(tmp_path)])
    context: Any = object()
    opened: Any = sinks.open_sink("third", context)
    assert opened == ("third", context)
    assert load(Settings, sinks="log,third").sink_names == ("log", "third")


@pytest.mark.parametrize(
    ("connection", "reason"),
    [
        ("", r"SINKS='edgehub'.*IOTEDGE_WORKLOADURI.*EdgeHubConnectionString"),
        ("HostName=foo", r"EdgeHubConnectionString: GatewayHostName.* missing"),
        ("HostName=a;GatewayHostName=;DeviceId=b;ModuleId=c;SharedAccessKey=d", "GatewayHostName missing"),
    ],
)
def test_an_environment_without_an_edgehub_is_refused(monkeypatch: pytest.MonkeyPatch, connection: str, reason: str) -> None:
    """At the start, with what is missing and without the key."""
    monkeypatch.setenv("EdgeModuleCACertificateFile", "authority.pem")
    monkeypatch.setenv("EdgeHubConnectionString", connection)
    with pytest.raises(InvalidSetting, match=reason) as refused:
        check_environment()
    assert "=d" not in str(refused.value)


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> Iterator[datetime]:
    """About noon of the site's today."""
    monkeypatch.setenv("TZ", zone_at_noon())
    time.tzset()
    yield datetime.now().replace(microsecond=0)
    monkeypatch.undo()
    time.tzset()


def visit(at: datetime, label: str = "Frau", is_demo: bool = False) -> Visit:
    """One of three seconds that ended then."""
    return Visit(f"{label} {at}", "door", label, at.timestamp() - 3, at.timestamp(), 0.9, 30, is_demo)


def counts(at: datetime, camera: str = "door", is_demo: bool = False, **totals: int) -> DayCounts:
    """Those of that day."""
    return DayCounts(camera, at.date().isoformat(), totals, {}, {}, is_demo)


def test_a_visit_is_printed_with_counts_that_include_it(noon: datetime) -> None:
    """Not with those before it, as retained ones or of another visit, or of other cameras and days; nor without a time-out.

    Drawn visits are never added to real ones.
    """
    bus, yesterday = FakeBus(), noon - timedelta(1)
    patient, hasty = Counts(bus, limit(10)), Counts(bus, 0.5)
    for message in (
        counts(noon, Frau=6, Herr=7),
        visit(noon - timedelta(seconds=5), "Herr"),
        counts(noon, Frau=6, Herr=8),
        visit(noon),
        counts(noon, "back", Frau=60),
        counts(yesterday, Frau=70),
    ):
        bus.receive(message)
    began_at = time.monotonic()
    assert describe(results.from_visit(visit(noon)), hasty) == f"{noon:%T} door: Frau, 3.0 s"
    assert time.monotonic() - began_at >= 0.5
    threading.Timer(0.3, bus.receive, [counts(noon, Frau=7, Herr=8)]).start()
    assert describe(results.from_visit(visit(noon)), patient) == f"{noon:%T} door: Frau, 3.0 s (today: Frau 7, Herr 8)"
    line = describe(results.from_visit(visit(yesterday)), patient)
    assert line == f"{yesterday:%F %T} door: Frau, 3.0 s ({yesterday:%F}: Frau 70)"
    bus.receive(counts(noon, is_demo=True, Frau=1))
    for is_demo, end in ((False, "Frau, 3.0 s"), (True, "Frau, 3.0 s (today: Frau 1)")):
        assert describe(results.from_visit(visit(noon, is_demo=is_demo)), patient).endswith(end)


def test_other_results_are_lines_too(noon: datetime) -> None:
    """Hours, changes of the label, predictions; labels are in the user's own words."""
    hour = noon.replace(minute=0, second=0) - timedelta(hours=1)
    span = f"{hour + timedelta(hours=1):%T} door: {hour:%H}:00 to {hour + timedelta(hours=1):%H}:00"
    summary = Summary("id", "door", "2026-01-31", "09", hour.timestamp(), hour.timestamp() + 3600, {"Frau": 3, "Herr": 2})
    seen = replace(samples.prediction(captured_at=noon.timestamp()), labels=(Label("cat", 0.987), Label("dog", 0.01)))
    for result, line in (
        (results.from_summary(summary), f"{span}: Frau 3, Herr 2"),
        (results.from_summary(replace(summary, visits={})), f"{span}: no visits"),
        (results.from_change("door", Label("Frau", 0.9), noon.timestamp()), f"{noon:%T} door: Frau"),
        (results.from_change("door", None, noon.timestamp()), f"{noon:%T} door: nobody"),
        (results.from_prediction(seen), f"{noon:%T} door: cat 0.99, dog 0.01"),
        (results.from_prediction(replace(seen, labels=())), f"{noon:%T} door: nothing found"),
    ):
        assert describe(result, Counts(FakeBus())) == line


def test_json_is_a_line_each() -> None:
    """Whatever is in a label. A closed standard output keeps everything in the outbox."""
    out = io.StringIO()
    sink, labels = LogSink(out=out), ["Frau Müller", 'a "quoted" label', "a\u2028b"]
    for label in labels:
        sink.send(results.from_visit(visit(datetime.now(), label)))
    assert [json.loads(line)["label"] for line in out.getvalue().split("\n")[:-1]] == labels
    out.close()
    with pytest.raises(NotSent, match="standard output"):
        sink.send(visits(0)[0])
