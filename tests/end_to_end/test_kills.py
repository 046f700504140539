"""Counter, bridge, broker and edgeHub are killed again and again, and every visit is counted and sent as if they never had been.

FOOTFALL_STORM_VISITS=500 FOOTFALL_STORM_KILLS=100 make test TESTS=tests/end_to_end/test_kills.py
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest

from bus import Visit
from tests.end_to_end.storm import KILLS, VICTIMS, VISITS, Storm, TrueVisit
from tests.support.wait import limit

pytestmark = pytest.mark.system
BROKER_LOSES = 1.5
"""Seconds of predictions that a killed broker may have held for a counter that was away."""


def compare(truth: Sequence[TrueVisit], found: Sequence[Visit]) -> None:
    """Each visit is there once, at its camera in its order, with its label and its times."""
    assert len(found) == len(truth)
    by_camera: dict[str, list[Visit]] = defaultdict(list)
    for visit in found:
        by_camera[visit.camera].append(visit)
    for true in truth:
        visit = by_camera[true.camera].pop(0)
        assert visit.label == true.label
        assert abs(visit.started_at - true.begin) <= BROKER_LOSES
        assert abs(visit.ended_at - true.end) <= BROKER_LOSES


@pytest.mark.timeout(limit(600))
def test_every_visit_is_counted_and_sent_once(tmp_path: Path) -> None:
    """Ledger and edgeHub have exactly those that happened: in order, with their labels and times."""
    outcome = Storm(tmp_path, seed=VISITS).run()
    assert len(outcome.truth) == VISITS
    assert sum(outcome.killed.values()) >= KILLS
    assert set(outcome.killed) == set(VICTIMS)
    compare(outcome.truth, outcome.ledger)
    compare(outcome.truth, outcome.upstream)
    assert {visit.id for visit in outcome.upstream} == {visit.id for visit in outcome.ledger}
