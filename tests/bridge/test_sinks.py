"""Tests of the settings, of finding sinks by name, and of the sink `log`."""

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
from bridge.sinks.edgehub import check
from bridge.sinks.log import LogSink, NewestCounts, describe
from bus import Crossing, DayCounts, InvalidSetting, Label, Summary, Visit
from runtime.settings import load
from tests.bridge.support import FakeBus, visits
from tests.support import samples
from tests.support.wait import limit
from tests.support.zone import zone_at_noon


@pytest.mark.parametrize(
    ("setting", "module", "names"),
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
def test_sinks_are_configured_by_name(
    setting: str | None, module: str, names: tuple[str, ...] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The default is edgehub under IoT Edge. Duplicates are removed. Unknown sinks are refused."""
    for name, value in (("SINKS", setting), ("IOTEDGE_MODULEID", module)):
        if value:
            monkeypatch.setenv(name, value)
    if names is not None:
        assert load(Settings).sink_names == names
    else:
        with pytest.raises(InvalidSetting, match=r"^SINKS=.*allowed are edgehub, log, mqtt"):
            load(Settings)


def test_the_settings_define_the_policy() -> None:
    settings = load(Settings, forward="all", min_probability="0.5", labels="man,woman", interval_seconds="5")
    assert settings.policy == Policy("all", 0.5, ("man", "woman"), 5.0)


def test_a_new_sink_is_found_by_its_file_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No other file lists it. Its function `create` receives the context."""
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
    """The error names what is missing, and does not show the key."""
    monkeypatch.setenv("EdgeModuleCACertificateFile", "authority.pem")
    monkeypatch.setenv("EdgeHubConnectionString", connection)
    with pytest.raises(InvalidSetting, match=reason) as refused:
        check()
    assert "=d" not in str(refused.value)


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> Iterator[datetime]:
    """The current time, in a time zone where it is about noon."""
    monkeypatch.setenv("TZ", zone_at_noon())
    time.tzset()
    yield datetime.now().replace(microsecond=0)
    monkeypatch.undo()
    time.tzset()


def visit(at: datetime, label: str = "Frau", is_demo: bool = False) -> Visit:
    """Returns a visit of three seconds that ended at this time."""
    return Visit(f"{label} {at}", "door", label, at.timestamp() - 3, at.timestamp(), 0.9, 30, is_demo)


def counts(at: datetime, camera: str = "door", is_demo: bool = False, **totals: int) -> DayCounts:
    """Returns the counts of that day."""
    return DayCounts(camera, at.date().isoformat(), totals, {}, {}, is_demo)


def test_a_line_has_the_counts_that_include_its_visit(noon: datetime) -> None:
    """It ignores earlier counts, and those of other cameras and days. After a timeout the line has no counts.

    Visits and counts of the demo are not mixed with real ones.
    """
    bus, yesterday = FakeBus(), noon - timedelta(1)
    patient, impatient = NewestCounts(bus, limit(10)), NewestCounts(bus, 0.5)
    for message in (
        counts(noon, Frau=6, Herr=7),
        visit(noon - timedelta(seconds=5), "Herr"),
        counts(noon, Frau=6, Herr=8),
        visit(noon),
        counts(noon, "back", Frau=60),
        counts(yesterday, Frau=70),
    ):
        bus.receive(message)
    started_at = time.monotonic()
    assert describe(results.from_visit(visit(noon)), impatient) == f"{noon:%T} door: Frau, 3.0 s"
    assert time.monotonic() - started_at >= 0.5
    threading.Timer(0.3, bus.receive, [counts(noon, Frau=7, Herr=8)]).start()
    assert describe(results.from_visit(visit(noon)), patient) == f"{noon:%T} door: Frau, 3.0 s (today: Frau 7, Herr 8)"
    line = describe(results.from_visit(visit(yesterday)), patient)
    assert line == f"{yesterday:%F %T} door: Frau, 3.0 s ({yesterday:%F}: Frau 70)"
    bus.receive(counts(noon, is_demo=True, Frau=1))
    for is_demo, end in ((False, "Frau, 3.0 s"), (True, "Frau, 3.0 s (today: Frau 1)")):
        assert describe(results.from_visit(visit(noon, is_demo=is_demo)), patient).endswith(end)


def test_results_of_other_kinds_are_lines(noon: datetime) -> None:
    """Crossings, tracked visits, summaries, label changes and predictions. Labels are printed unchanged.

    The name of a line is left out if it is the camera's. A visit that an earlier version stored is printed too.
    """
    hour = noon.replace(minute=0, second=0) - timedelta(hours=1)
    span = f"{hour + timedelta(hours=1):%T} door: {hour:%H}:00 to {hour + timedelta(hours=1):%H}:00"
    summary = Summary("id", "door", "2026-01-31", "09", hour.timestamp(), hour.timestamp() + 3600, {"Frau": 3, "Herr": 2})
    crowded = replace(summary, crossings={"entrance": {"in": {"Frau": 2, "Herr": 1}}, "yard": {"out": {"Frau": 1}}})
    crossing = Crossing("id", "door", "visit", "entrance", "in", "Frau", noon.timestamp())
    tracked = results.from_visit(replace(visit(noon), direction="in", zones={"till": 1.25, "yard": 0.5}))
    stored = json.loads(tracked.body)
    del stored["direction"], stored["zones"]
    prediction = replace(samples.prediction(captured_at=noon.timestamp()), labels=(Label("cat", 0.987), Label("dog", 0.01)))
    for result, line in (
        (results.from_summary(summary), f"{span}: Frau 3, Herr 2"),
        (results.from_summary(replace(summary, visits={})), f"{span}: no visits"),
        (results.from_summary(crowded), f"{span}: Frau 3, Herr 2; entrance in 3, out 0; yard in 0, out 1"),
        (results.from_crossing(crossing), f"{noon:%T} door: Frau went in (entrance)"),
        (results.from_crossing(replace(crossing, line="door", direction="out")), f"{noon:%T} door: Frau went out"),
        (tracked, f"{noon:%T} door: Frau, in, 3.0 s, till 1.2 s, yard 0.5 s"),
        (replace(tracked, body=json.dumps(stored)), f"{noon:%T} door: Frau, 3.0 s"),
        (results.from_change("door", Label("Frau", 0.9), noon.timestamp()), f"{noon:%T} door: Frau"),
        (results.from_change("door", None, noon.timestamp()), f"{noon:%T} door: nobody"),
        (results.from_prediction(prediction), f"{noon:%T} door: cat 0.99, dog 0.01"),
        (results.from_prediction(replace(prediction, labels=())), f"{noon:%T} door: nothing found"),
    ):
        assert describe(result, NewestCounts(FakeBus())) == line


def test_each_json_result_is_one_line() -> None:
    """This holds for any label. A closed standard output raises `NotSent`."""
    out = io.StringIO()
    sink, labels = LogSink(out=out), ["Frau Müller", 'a "quoted" label', "a\u2028b"]
    for label in labels:
        sink.send(results.from_visit(visit(datetime.now(), label)))
    assert [json.loads(line)["label"] for line in out.getvalue().split("\n")[:-1]] == labels
    out.close()
    with pytest.raises(NotSent, match="standard output"):
        sink.send(visits(0)[0])
