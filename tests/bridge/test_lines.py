"""Results as people read them."""

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from bridge import outgoing
from bridge.lines import Lines
from bus import Box, CurrentLabel, Label, Visit
from counter.ledger import Changes, Ledger
from runtime.metrics import Metrics
from tests.support import samples
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import until
from tests.support.zone import zone_at_noon


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> Iterator[float]:
    """A Unix time that is about noon of the site's today."""
    monkeypatch.setenv("TZ", zone_at_noon())
    time.tzset()
    yield float(int(time.time()))
    monkeypatch.undo()
    time.tzset()


def visit(number: int, label: str, ended_at: float, camera: str = "door") -> Visit:
    """One of 3 s."""
    return Visit(f"{camera}-{number}-{ended_at}", camera, label, ended_at - 3, ended_at, 0.9, 30)


def clock(at: float) -> str:
    """The site's time of the day."""
    return datetime.fromtimestamp(at).strftime("%H:%M:%S")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """An empty one."""
    with closing(Ledger(tmp_path, 1000, Metrics())) as one:
        yield one


def test_a_visit_is_printed_with_the_counts_up_to_it(ledger: Ledger, noon: float) -> None:
    """End, camera, label in the user's own words, length, and the day's visits at this camera by label, this one included."""
    visits = [visit(0, "Frau", noon - 30), visit(1, "Herr Müller", noon - 20), visit(2, "Frau", noon - 10)]
    others = [visit(3, "Frau", noon - 25, "back"), visit(4, "Frau", noon - 86400)]
    ledger.commit(Changes(visits=[*others, *visits]))
    lines = [Lines(ledger).line(outgoing.of_visit(one)) for one in visits]
    assert lines == [
        f"{clock(noon - 30)} door: Frau, 3.0 s (today: Frau 1)",
        f"{clock(noon - 20)} door: Herr Müller, 3.0 s (today: Frau 1, Herr Müller 1)",
        f"{clock(noon - 10)} door: Frau, 3.0 s (today: Frau 2, Herr Müller 1)",
    ]


def test_the_demos_visits_are_counted_among_themselves(ledger: Ledger, noon: float) -> None:
    """A visitor who was drawn counts with those who were drawn, and no other visitor does."""
    drawn = [replace(visit(number, "man", noon - 30 + number), demo=True) for number in range(2)]
    ledger.commit(Changes(visits=[*drawn, visit(2, "man", noon - 60)]))
    assert Lines(ledger).line(outgoing.of_visit(drawn[1])).endswith("(today: man 2)")
    assert Lines(ledger).line(outgoing.of_visit(visit(2, "man", noon - 60))).endswith("(today: man 1)")


def test_a_visit_of_another_day_has_its_date(ledger: Ledger, noon: float) -> None:
    """As one that waited in the outbox: its counts are from the same day."""
    late = visit(0, "Frau", noon - 86400)
    ledger.commit(Changes(visits=[late, visit(1, "Herr", noon)]))
    day = datetime.fromtimestamp(noon - 86400).date()
    assert Lines(ledger).line(outgoing.of_visit(late)) == f"{day} {clock(noon)} door: Frau, 3.0 s ({day}: Frau 1)"


def test_other_results_are_lines_too(ledger: Ledger, noon: float) -> None:
    """Hours, changes of the label, predictions; each without a word in English for a label."""
    lines, at = Lines(ledger), noon - 60
    hour = noon - noon % 3600 - 3600
    end = f"{clock(hour + 3600)} door: {clock(hour)[:5]} to {clock(hour + 3600)[:5]}"
    assert lines.line(outgoing.of_hour("door", hour, hour + 3600, {"Frau": 3, "Herr": 2})) == f"{end}: Frau 3, Herr 2"
    assert lines.line(outgoing.of_hour("door", hour, hour + 3600, {})) == f"{end}: no visits"
    assert lines.line(outgoing.of_change(CurrentLabel("door", "Frau", 0.9, at), at)) == f"{clock(at)} door: Frau"
    assert lines.line(outgoing.of_change(CurrentLabel("door", None, None, None), at)) == f"{clock(at)} door: nobody"
    seen = replace(samples.prediction(captured_at=at), labels=(Label("cat", 0.987, Box(0, 0, 1, 1)), Label("dog", 0.01)))
    assert lines.line(outgoing.of_prediction(seen)) == f"{clock(at)} door: cat 0.99, dog 0.01"
    nothing = replace(seen, labels=())
    assert lines.line(outgoing.of_prediction(nothing)) == f"{clock(at)} door: nothing found"


@pytest.mark.parametrize(("setting", "beginning"), [({"LOG_RESULTS": ""}, "door: woman, "), ({"LOG_RESULTS": "json"}, '{"v": 1')])
def test_the_bridge_writes_text_unless_json_is_asked_for(broker: Broker, setting: dict[str, str], beginning: str) -> None:
    """On standard output, a line for each visit, and no colour."""
    begin = time.time() - 60
    with Listener(broker.port) as listener, Module("bridge", broker.port, **setting) as bridge:
        bridge.wait_for_log("connected to the broker")
        for number in range(40):
            label = "woman" if number < 30 else "nobody"
            seen = samples.prediction(label, captured_at=begin + number / 10)
            listener.publish(seen.topic, replace(seen, sequence=number).pack())
        until(lambda: beginning in bridge.out, what="a visit on standard output")
        assert "\x1b" not in bridge.out
