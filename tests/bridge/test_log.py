"""Results as people read them."""

import io
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import pytest

from bridge import results
from bridge.sinks import NotSent
from bridge.sinks.log import Counts, LogSink, describe
from bus import Box, Bus, DayCounts, Label, Summary, Visit
from bus.settings import BusSettings
from tests.support import samples
from tests.support.wait import limit
from tests.support.zone import zone_at_noon


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> Iterator[float]:
    """A Unix time that is about noon of the site's today."""
    monkeypatch.setenv("TZ", zone_at_noon())
    time.tzset()
    yield float(int(time.time()))
    monkeypatch.undo()
    time.tzset()


def visit(label: str, ended_at: float, camera: str = "door", is_demo: bool = False) -> Visit:
    """A visit of 3 s."""
    return Visit(f"{camera}-{label}-{ended_at}", camera, label, ended_at - 3, ended_at, 0.9, 30, is_demo)


def clock(at: float) -> str:
    return datetime.fromtimestamp(at).strftime("%H:%M:%S")


class Printer:
    """Lines of visits, with the counts that the counter publishes after each."""

    def __init__(self, timeout: float = 0.2) -> None:
        self.counts = Counts(Bus(BusSettings.model_validate({"MODULE_NAME": "bridge"})), timeout)

    def count(self, totals: dict[str, int], at: float, camera: str = "door", is_demo: bool = False) -> None:
        day = datetime.fromtimestamp(at).date().isoformat()
        self.counts.on_counts(DayCounts(camera, day, totals, {}, {}, is_demo))

    def print(self, one: Visit) -> str:
        return describe(results.from_visit(one), self.counts)


def test_a_visit_is_printed_with_counts_that_include_it(noon: float) -> None:
    """Counts that came before it, as retained ones or of another visit, do not; those of other cameras and days neither."""
    printer, frau = Printer(timeout=limit(10)), visit("Frau", noon)
    printer.count({"Frau": 6, "Herr Müller": 7}, noon)
    printer.counts.on_visit(visit("Herr Müller", noon - 5))
    printer.count({"Frau": 6, "Herr Müller": 8}, noon)
    printer.counts.on_visit(frau)
    printer.count({"Frau": 60}, noon, "back")
    printer.count({"Frau": 70}, noon - 86400)
    threading.Timer(0.3, printer.count, [{"Frau": 7, "Herr Müller": 8}, noon]).start()
    assert printer.print(frau) == f"{clock(noon)} door: Frau, 3.0 s (today: Frau 7, Herr Müller 8)"
    assert printer.print(visit("Herr Müller", noon - 5)).endswith("(today: Frau 7, Herr Müller 8)")


def test_a_line_waits_for_its_counts_for_a_moment_only(noon: float) -> None:
    """And not at all for those of a visit that came to an earlier process."""
    printer = Printer(timeout=0.5)
    printer.counts.on_visit(visit("Frau", noon))
    began_at = time.monotonic()
    assert printer.print(visit("Frau", noon)) == f"{clock(noon)} door: Frau, 3.0 s"
    assert time.monotonic() - began_at >= 0.5
    printer, day = Printer(timeout=limit(60)), datetime.fromtimestamp(noon - 86400).date()
    printer.count({"Frau": 2}, noon - 86400)
    assert printer.print(visit("Frau", noon - 86400)) == f"{day} {clock(noon)} door: Frau, 3.0 s ({day}: Frau 2)"


@pytest.mark.parametrize("is_demo", [True, False])
def test_drawn_visits_are_never_added_to_real_ones(noon: float, is_demo: bool) -> None:
    """A visitor is printed with the counts of those like it, or with none."""
    printer = Printer()
    printer.count({"man": 5}, noon, is_demo=not is_demo)
    assert printer.print(visit("man", noon, is_demo=is_demo)).endswith("man, 3.0 s")
    printer.count({"man": 1}, noon, is_demo=is_demo)
    assert printer.print(visit("man", noon, is_demo=is_demo)).endswith("man, 3.0 s (today: man 1)")


def test_other_results_are_lines_too(noon: float) -> None:
    """Hours, changes of the label, predictions; labels are in the user's own words."""
    counts, at, hour = Printer().counts, noon - 60, noon - noon % 3600 - 3600
    seen = replace(samples.prediction(captured_at=at), labels=(Label("cat", 0.987, Box(0, 0, 1, 1)), Label("dog", 0.01)))
    span = f"{clock(hour + 3600)} door: {clock(hour)[:5]} to {clock(hour + 3600)[:5]}"
    summary = Summary("id", "door", "2026-01-31", "09", hour, hour + 3600, {"Frau": 3, "Herr": 2})
    assert [
        describe(result, counts)
        for result in (
            results.from_summary(summary),
            results.from_summary(replace(summary, visits={})),
            results.from_change("door", Label("Frau", 0.9), at),
            results.from_change("door", None, at),
            results.from_prediction(seen),
            results.from_prediction(replace(seen, labels=())),
        )
    ] == [
        f"{span}: Frau 3, Herr 2",
        f"{span}: no visits",
        f"{clock(at)} door: Frau",
        f"{clock(at)} door: nobody",
        f"{clock(at)} door: cat 0.99, dog 0.01",
        f"{clock(at)} door: nothing found",
    ]


def test_json_is_a_line_each() -> None:
    """Whatever is in a label. A closed standard output keeps everything in the outbox."""
    out = io.StringIO()
    labels = ["Frau Müller", 'a "quoted" label', "a\u2028b"]
    for label in labels:
        LogSink(out=out).send(results.from_visit(visit(label, 1000.0)))
    assert [json.loads(line)["label"] for line in out.getvalue().split("\n")[:-1]] == labels
    out.close()
    with pytest.raises(NotSent, match="standard output"):
        LogSink(out=out).send(results.from_visit(visit("woman", 1000.0)))
