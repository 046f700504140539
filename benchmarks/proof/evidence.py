"""Sees whether bars are reached: runs tests and benchmarks, and reads pages."""

import os
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

from benchmarks.proof.bar import IN_PART, MET, MISSED, NOT_RUN, Asserted, Bar, Elsewhere, Limit, Outcome, Printed, Quoted, judge

ROOT = Path(__file__).parents[2]
STORM = {"FOOTFALL_STORM_VISITS": "500", "FOOTFALL_STORM_KILLS": "100"}
"""Settings of the test of kills: as many as the bar says."""
IN_TIME = {"FOOTFALL_TEST_PATIENCE": "1"}
"""The factor of time limits, which is 5 in `make test`."""
ALONE = ("tests/containers", "tests/ecosystem", "tests/prometheus")
"""Tests with containers and other projects' programs, which run one after the other."""
WORKERS = 4
"""Processes for the other tests, which mostly wait."""
TIMEOUT = 1200.0
"""Seconds for a benchmark."""
Results = Mapping[str, Counter[str]]
"""How many tests passed, failed and were skipped, by node id without parameters."""


def test_id(classname: str, name: str) -> str:
    """Returns the node id without parameters, from an entry of pytest's JUnit report."""
    return f"{classname.replace('.', '/')}.py::{name.partition('[')[0]}"


def read_results(report: str) -> Results:
    """Counts the outcomes in pytest's JUnit report."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for case in ElementTree.fromstring(report).iter("testcase"):
        kinds = {child.tag for child in case}
        outcome = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        found[test_id(case.get("classname", ""), case.get("name", ""))][outcome] += 1
    return found


def run_tests(bars: Iterable[Bar]) -> Results:
    """Runs the tests of the bars, and returns their outcomes. Tests that cannot run here are skipped, also with `CI`."""
    asserted = [bar.evidence for bar in bars if isinstance(bar.evidence, Asserted)]
    timed = {test for one in asserted if one.is_timed for test in one.tests}
    others = {test for one in asserted for test in one.tests} - timed
    alone = {test for test in others if test.startswith(ALONE)}
    results: dict[str, Counter[str]] = {}
    for tests, workers, environment in ((others - alone, WORKERS, STORM), (timed, 1, IN_TIME), (alone, 1, {})):
        if tests:
            results |= _run_pytest(sorted(tests), workers, environment)
    return results


def _run_pytest(tests: Iterable[str], workers: int, environment: Mapping[str, str]) -> Results:
    every = {name: value for name, value in os.environ.items() if name != "CI"} | dict(environment)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        words = ["-q", "-n", str(workers), "--dist", "loadfile", "--no-loadscope-reorder", f"--junitxml={report}"]
        subprocess.run([sys.executable, "-m", "pytest", *words, *tests], cwd=ROOT, env=every, check=False)
        return read_results(report.read_text("utf-8"))


def judge_tests(evidence: Asserted, results: Results) -> Outcome:
    """Returns what was seen of a bar's tests. A failed one means missed, and a skipped one that it was not run."""
    found: Counter[str] = Counter()
    for test in evidence.tests:
        found += sum((count for one, count in results.items() if one == test or one.startswith(f"{test}::")), Counter[str]())
    number = found.total()
    reached = f"{found['passed']} of {number} tests passed" if number else ""
    if found["failed"]:
        return Outcome(reached, MISSED)
    if not found["passed"]:
        return Outcome("", NOT_RUN)
    return Outcome(reached, IN_PART if found["skipped"] else MET)


def folder_of(name: str) -> Path:
    """Returns the folder of test data that are not part of the project, such as people: `FOOTFALL_PEOPLE`, or the default."""
    return Path(os.environ.get(f"FOOTFALL_{name.upper()}") or ROOT.parent / "shared" / "data" / name)


class _Folders(dict[str, Path]):
    def __missing__(self, name: str) -> Path:
        return folder_of(name)


def run_program(arguments: str) -> str:
    """Returns what a program prints. Raises `ValueError` with the last line of its errors if it fails, or takes too long."""
    words = [word.format_map(_Folders()) for word in arguments.split()]
    done = subprocess.run([sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    if done.returncode:
        raise ValueError(next(iter(done.stderr.splitlines()[-1:]), f"exit code {done.returncode}"))
    return done.stdout


def block(page: str, name: str) -> str:
    """Returns the text of a page between `<!-- name -->` and `<!-- /name -->`. Raises `ValueError` unless both are there."""
    _, begin, rest = (ROOT / page).read_text("utf-8").partition(f"<!-- {name} -->\n")
    text, end, _ = rest.partition(f"<!-- /{name} -->")
    if not begin or not end:
        raise ValueError(f"{page} has no block {name}")
    return text


def see(bars: Iterable[Bar]) -> Iterator[tuple[Bar, Outcome]]:
    """Yields what is seen of each bar. Tests run first, then one benchmark after the other, so that nothing disturbs them."""
    every = list(bars)
    results, printed = run_tests(every), dict[str, str]()
    for bar in every:
        yield bar, _see(bar, results, printed)


def _see(bar: Bar, results: Results, printed: dict[str, str]) -> Outcome:
    evidence = bar.evidence
    if isinstance(evidence, Asserted):
        return judge_tests(evidence, results)
    if isinstance(evidence, Elsewhere):
        return Outcome("", NOT_RUN)
    assert isinstance(bar.limit, Limit)
    try:
        return judge(bar.limit, evidence.read(_text(evidence, printed)))
    except (ValueError, IndexError, subprocess.TimeoutExpired) as error:
        print(f"{bar.name}: {error}", file=sys.stderr)
        return Outcome("", NOT_RUN)


def _text(evidence: Printed | Quoted, printed: dict[str, str]) -> str:
    if isinstance(evidence, Quoted):
        return block(evidence.page, evidence.block)
    if evidence.arguments not in printed:
        printed[evidence.arguments] = run_program(evidence.arguments)
    return printed[evidence.arguments]
