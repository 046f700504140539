"""Runs a fault: starts the suite, causes the fault, and checks what must hold everywhere."""

import tempfile
import time
from collections.abc import Iterator
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


def run(fault: Fault, patience: float = 1.0) -> Outcome:
    """Causes the fault in a suite of its own. Returns what was measured, and what did not hold.

    The limit for the recovery is multiplied by `patience`, for a busy machine.
    """
    outcome = Outcome(fault)
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        try:
            with Rig(fault, Path(folder)) as rig:
                _cause(fault, rig, outcome)
                _check(fault, rig, outcome, patience)
        except CannotCause as reason:
            outcome.reason = str(reason)
        except AssertionError as error:  # the suite did not start, or did not end
            outcome.problems.append(str(error).partition("\n")[0])
    return outcome


def _cause(fault: Fault, rig: Rig, outcome: Outcome) -> None:
    """Causes the fault among visitors, and measures when results arrive again."""
    rig.play.start()
    until(lambda: rig.sent_at, 20, "the first result")
    time.sleep(LEAD)
    fault.wait(rig)
    rig.began = time.time()
    with fault.cause(rig):
        pass
    ended = time.time() if fault.lasts else rig.began
    with suppress(AssertionError):
        until(lambda: fault.has_recovered(rig, rig.began), MAX_RECOVERY, "a result")
        outcome.recovery = time.time() - ended
    rig.recovered = time.time()
    time.sleep(LEAD)


def _check(fault: Fault, rig: Rig, outcome: Outcome, patience: float) -> None:
    """Checks what must hold everywhere, when all visitors have left."""
    rig.settle()
    outcome.results = sum(rig.play.truth.numbers)
    name, share = max(rig.memory.items(), key=lambda one: one[1])
    outcome.memory = f"{name} {share:.0%}"
    _compare(fault, rig, "ledger", rig.counted(), outcome)
    _compare(fault, rig, "hub", rig.sent(), outcome)
    outcome.problems += [*_problems(fault, rig, outcome.recovery, patience), *rig.supervision.failures, *fault.problems(rig)]


def _problems(fault: Fault, rig: Rig, recovery: float | None, patience: float) -> Iterator[str]:
    """Yields what does not hold, beside lost results."""
    if recovery is None:
        yield f"no result within {limit(MAX_RECOVERY):g} s"
    elif recovery > fault.limit * patience:
        yield f"results only after {recovery:.1f} s"
    if any(ledger - hub for ledger, hub in zip(rig.counted().ids, rig.sent().ids, strict=True)):
        yield "the hub lacks an id of the ledger"
    if "Traceback" in rig.log():
        yield "a traceback in a log"
    if fault.state is not None:
        module, state = fault.state
        if all(status.state != state for status in rig.statuses(module)):
            yield f"{module} did not report {state}"
    yield from (f"{name} uses {share:.0%} of its memory" for name, share in rig.memory.items() if share > 1)
    if rig.scene is not None:
        yield from rig.scene.problems(rig.door_visits(), rig.first_prediction, (rig.began, rig.recovered))


def _compare(fault: Fault, rig: Rig, place: Place, found: Results, outcome: Outcome) -> None:
    """Compares visits and crossings with the truth."""
    truth = rig.play.truth
    late_visits = [one for one in truth.visits if fault.may_lack(rig, place, one.started_at, one.ended_at)]
    late_crossings = [one for one in truth.crossings if fault.may_lack(rig, place, one.at, one.at)]
    visits = differences(truth.visits, found.visits, fault.tolerance, late_visits)
    crossings = differences(truth.crossings, found.crossings, fault.tolerance, late_crossings)
    lost, twice = (len(some) + len(others) for some, others in zip(visits, crossings, strict=True))
    outcome.lost, outcome.twice = max(outcome.lost, lost), max(outcome.twice, twice)
    if lost > fault.allowed or twice:
        outcome.problems.append(f"{place}: {lost} lost, {twice} too many")
