"""The table of bars: its tests, pages and programs exist, and its verdicts follow from what was seen."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks.proof import evidence, table
from benchmarks.proof.bar import (
    IN_PART,
    MET,
    MISSED,
    NOT_RUN,
    Asserted,
    Bar,
    Limit,
    Outcome,
    Printed,
    Quoted,
    asserted_by,
    at_least,
    at_most,
    judge,
)
from benchmarks.proof.bars import AREAS
from benchmarks.proof.read import apart, cell, every, listed, worst
from tests.support.broker import ROOT
from tests.support.wait import limit

BARS = [bar for bars in AREAS.values() for bar in bars]
PRINTED = """\
module             CPU %  with metrics
capture              1.0           1.2          40.0
counter              0.5           1.5          30.0
ms a picture   thumbnail        pixels         ratio
640x480             0.35          0.79          0.44
640x480              1.0          10.0          41.3          0.24          10.0          55.0
main thread, share of a core: 0.11, 0.29, 0.12
| 5 | 280 | 273 (97.5 %) |
| 5, with the gate | 13 % | 272 |
| a fault | again within 2 s | 1.5 s | 0 of 7 |
| another | again within 2 s | 1.7 s | 2 of 9 |
"""


def run(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, timeout=limit(60), check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def test_every_test_exists() -> None:
    tests = {one for bar in BARS if isinstance(bar.evidence, Asserted) for one in bar.evidence.tests}
    run("pytest", "--collect-only", "-qq", *sorted(tests))  # fails for a file or a test that does not exist


def test_every_page_has_its_figure() -> None:
    """A block without text waits for the first run of its command."""
    for bar in BARS:
        if isinstance(bar.evidence, Quoted) and (text := evidence.block(bar.evidence.page, bar.evidence.block)):
            assert bar.evidence.read(text) >= 0, bar.name


def test_every_program_exists() -> None:
    programs = {bar.evidence.arguments for bar in BARS if isinstance(bar.evidence, Printed)}
    parts = run("benchmarks", "--help")
    for arguments in programs:
        program, *words = arguments.split()
        assert find_spec(program), arguments
        if program == "benchmarks":
            assert any(word in parts for word in words if word.isalpha() or word == "two-stages"), arguments


def test_no_two_bars_have_one_name() -> None:
    """A run of some bars replaces rows by name."""
    assert [name for name, number in Counter(bar.name for bar in BARS).items() if number > 1] == []


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (cell("640x480", 2, 3), 0.44),
        (cell("640x480", 3, 6), 0.24),
        (cell("5", 1), 273),
        (worst(("capture", "counter"), 2), 40),
        (worst(("capture", "counter"), 1, minus=0), 1.0),
        (apart([("5", "5, with the gate")], (1,)), 1),
        (every(r"within 2 s \| ([\d.]+) s"), 1.7),
        (every(r"\| (\d+) of", sum), 2),
        (listed("main thread, share of a core:", max), 0.29),
    ],
)
def test_figures_are_found(read: Callable[[str], float], expected: float) -> None:
    """A text without the figure is an error."""
    assert read(PRINTED) == pytest.approx(expected)
    with pytest.raises(ValueError, match=r"no row|nothing fits|no line"):
        read("other text\n")


@pytest.mark.parametrize(
    ("bound", "value", "outcome"),
    [
        (at_most(2, "%"), 2.0, Outcome("2 %", MET)),
        (at_most(2, "%"), 3.93, Outcome("3.93 %", MISSED)),
        (at_least(0.9), 1.03, Outcome("1.03", MET)),
        (at_least(95, "%"), 94.9, Outcome("94.9 %", MISSED)),
    ],
)
def test_a_figure_is_compared_with_its_limit(bound: Limit, value: float, outcome: Outcome) -> None:
    assert judge(bound, value) == outcome


REPORT = """<testsuites><testsuite>
<testcase classname="tests.a.test_one" name="test_fine[1]"/><testcase classname="tests.a.test_one" name="test_fine[2]"/>
<testcase classname="tests.a.test_one" name="test_bad[1]"/>
<testcase classname="tests.a.test_one" name="test_bad[2]"><failure/></testcase>
<testcase classname="tests.a.test_two" name="test_skipped"><skipped/></testcase>
<testcase classname="tests.a.test_three" name="test_error"><error/></testcase>
</testsuite></testsuites>"""


@pytest.mark.parametrize(
    ("tests", "outcome"),
    [
        (("a/test_one.py::test_fine",), Outcome("2 of 2 tests passed", MET)),
        (("a/test_one.py",), Outcome("3 of 4 tests passed", MISSED)),
        (("a/test_two.py",), Outcome("", NOT_RUN)),
        (("a/test_one.py::test_fine", "a/test_two.py"), Outcome("2 of 3 tests passed", IN_PART)),
        (("a/test_three.py::test_error",), Outcome("0 of 1 tests passed", MISSED)),
        (("a/test_other.py",), Outcome("", NOT_RUN)),
    ],
)
def test_a_bar_is_met_if_its_tests_pass(tests: tuple[str, ...], outcome: Outcome) -> None:
    assert evidence.judge_tests(asserted_by(*tests), evidence.read_results(REPORT)) == outcome


def test_a_run_of_some_bars_keeps_the_other_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table loses the rows of removed bars. It has the order of the bars."""
    first, second = BARS[0], BARS[-1]
    (tmp_path / "docs").mkdir()
    page = tmp_path / table.PAGE
    page.write_text("before\n<!-- bars -->\n| gone | 1 | 1 | met | x |\n<!-- /bars -->\nafter\n")
    monkeypatch.setattr(evidence, "ROOT", tmp_path)
    monkeypatch.setattr(table, "ROOT", tmp_path)
    for bar, reached in ((second, "9"), (first, "1"), (second, "2")):
        table.write({bar.name: table.line(bar, Outcome(reached, MET))})
    before, *rows, after = page.read_text().splitlines()
    assert (before, after) == ("before", "after")
    assert [row.split(" | ")[2] for row in rows[1:-1] if " | met | " in row] == ["1", "2"]
    assert "gone" not in page.read_text()


def test_a_row_names_its_source() -> None:
    bar = Bar("a name", at_most(2, "ms"), Printed("benchmarks.x --data {tracks}", float))
    assert (
        table.line(bar, Outcome("1 ms", MET))
        == "| a name | at most 2 ms | 1 ms | met | `python -m benchmarks.x --data path/to/tracks` |"
    )


def test_tests_of_times_run_apart_with_the_limits_of_their_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test runs once, in one of three runs. Other projects' programs and containers come last, one by one."""
    runs: list[tuple[list[str], dict[str, str]]] = []

    def record(tests: list[str], _workers: int, environment: dict[str, str]) -> evidence.Results:
        runs.append((tests, environment))
        return {}

    monkeypatch.setattr(evidence, "_run_pytest", record)
    evidence.run_tests(BARS)
    (_, storm), (timed, in_time), (alone, _) = runs
    assert in_time == {"FOOTFALL_TEST_PATIENCE": "1"}
    assert storm["FOOTFALL_STORM_KILLS"] == "100"
    assert "tests/end_to_end/test_site.py::test_a_killed_broker_is_survived" in timed
    assert all(one.startswith(evidence.ALONE) for one in alone)
    tests = [test for some, _ in runs for test in some]
    assert len(tests) == len(set(tests))
