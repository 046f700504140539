"""Runs a fault: starts the suite, causes the fault, and checks what must hold everywhere."""

import tempfile
import time
from contextlib import suppress
from pathlib import Path

from tests.faults.fault import CannotCause, Fault, Outcome, Place
from tests.faults.rig import Rig
from tests.support.results import Results, differences
from tests.support.wait import limit, until

LEAD = 2.0
"""Seconds from the first visitors to the fault."""
MAX_RECOVERY = 8.0
"""Seconds, times the patience of tests, after which nothing is expected to arrive any more."""


def run(fault: Fault) -> Outcome:
    """Causes the fault in a suite of its own. Returns what was measured, and what did not hold."""
    outcome = Outcome(fault)
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        try:
            with Rig(fault, Path(folder)) as rig:
                _cause(fault, rig, outcome)
                _check(fault, rig, outcome)
        except CannotCause as reason:
            outcome.reason = str(reason)
    return outcome


def _cause(fault: Fault, rig: Rig, outcome: Outcome) -> None:
    """Causes the fault among visitors, and measures when results arrive again."""
    rig.play.start()
    until(lambda: rig.sent_at, 20, "the first result")
    time.sleep(LEAD)
    began = time.time()
    with fault.cause(rig):
        pass
    ended = time.time() if fault.lasts else began
    with suppress(AssertionError):
        until(lambda: fault.has_recovered(rig, began), MAX_RECOVERY, "a result")
        outcome.recovery = time.time() - ended
    time.sleep(LEAD)


def _check(fault: Fault, rig: Rig, outcome: Outcome) -> None:
    """Checks what must hold everywhere, when all visitors have left."""
    rig.settle()
    truth, problems = rig.play.truth, outcome.problems
    if outcome.recovery is None:
        problems.append(f"no result within {limit(MAX_RECOVERY):g} s")
    elif outcome.recovery > fault.limit:
        problems.append(f"results only after {outcome.recovery:.1f} s")
    outcome.results = sum(truth.numbers)
    _compare(fault, "ledger", rig.counted(), truth, outcome)
    _compare(fault, "hub", rig.sent(), truth, outcome)
    if any(ledger - hub for ledger, hub in zip(rig.counted().ids, rig.sent().ids, strict=True)):
        problems.append("the hub lacks an id of the ledger")
    if "Traceback" in rig.log():
        problems.append("a traceback in a log")
    if fault.state is not None:
        module, state = fault.state
        if all(status.state != state for status in rig.statuses(module)):
            problems.append(f"{module} did not report {state}")
    problems += rig.supervision.failures
    name, share = max(rig.memory.items(), key=lambda one: one[1])
    outcome.memory = f"{name} {share:.0%}"
    problems += [f"{name} uses {share:.0%} of its memory" for name, share in rig.memory.items() if share > 1]
    if rig.scene is not None:
        problems += rig.door_problems()
    problems += fault.problems(rig)


def _compare(fault: Fault, place: Place, found: Results, truth: Results, outcome: Outcome) -> None:
    """Compares visits and crossings with the truth."""
    late_visits = [one for one in truth.visits if fault.may_lack(place, one.started_at, one.ended_at)]
    late_crossings = [one for one in truth.crossings if fault.may_lack(place, one.at, one.at)]
    visits = differences(truth.visits, found.visits, fault.tolerance, late_visits)
    crossings = differences(truth.crossings, found.crossings, fault.tolerance, late_crossings)
    lost, twice = (len(some) + len(others) for some, others in zip(visits, crossings, strict=True))
    outcome.lost, outcome.twice = max(outcome.lost, lost), max(outcome.twice, twice)
    if lost > fault.allowed or twice:
        outcome.problems.append(f"{place}: {lost} lost, {twice} too many")
