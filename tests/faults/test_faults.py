"""The faults that no other test covers; all of them: make faults."""

import pytest

from tests.faults import table
from tests.faults.__main__ import find_faults
from tests.faults.fault import Fault
from tests.faults.run import run
from tests.support.wait import limit

FAULTS = [fault for fault in find_faults() if fault.is_short]


@pytest.mark.system
@pytest.mark.timeout(limit(120))
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_what_must_hold(fault: Fault) -> None:
    """After the fault, results arrive again in time, none is lost, and none is counted twice."""
    outcome = run(fault, patience=limit(1))
    assert outcome.is_met, " | ".join(table.row(outcome))
    assert not outcome.reason
