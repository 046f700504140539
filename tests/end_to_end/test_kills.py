"""A bridge that is killed again and again counts as if it never had been; so it is when its broker and edgeHub are, too."""

from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from bus import Visit
from tests.support.storm import Outcome, Stay, Storm
from tests.support.wait import limit

STORMS = {
    "bridge and edgeHub": ("bridge", "hub"),
    "bridge, edgeHub and broker": ("bridge", "hub", "broker"),
    "bridge, edgeHub away": ("bridge",),
}
BROKER_LOSES = 1.5
"""Seconds of predictions that a killed broker may have held for a bridge that was away."""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Future[Outcome]]:
    """All at once, as each is mostly waiting."""
    with ThreadPoolExecutor(len(STORMS)) as pool:
        return {name: pool.submit(Storm(tmp_path_factory.mktemp("storm"), victims).run) for name, victims in STORMS.items()}


def compare(truth: Sequence[Stay], found: Sequence[Visit], tolerance: float) -> None:
    """Each visit is there once, at its camera in its order, with its label and its times."""
    assert len(found) == len(truth)
    by_camera: dict[str, list[Visit]] = defaultdict(list)
    for visit in found:
        by_camera[visit.camera].append(visit)
    for stay in truth:
        visit = by_camera[stay.camera].pop(0)
        assert visit.label == stay.label
        assert abs(visit.started_at - stay.begin) <= tolerance
        assert abs(visit.ended_at - stay.end) <= tolerance


@pytest.mark.timeout(limit(600))
@pytest.mark.parametrize("storm", STORMS)
def test_every_visit_is_counted_once(outcomes: dict[str, Future[Outcome]], storm: str) -> None:
    """After 100 kills in 500 visits ledger and edgeHub have exactly those: in order, with their labels, to the frame.

    Where the broker is killed as well, to what it may lose.
    """
    outcome = outcomes[storm].result()
    tolerance = BROKER_LOSES if "broker" in storm else 0.0
    assert len(outcome.truth) == 500
    assert sum(outcome.killed.values()) >= 100
    assert outcome.killed["bridge"] >= 40
    compare(outcome.truth, outcome.ledger, tolerance)
    compare(outcome.truth, outcome.upstream, tolerance)
    assert {visit.id for visit in outcome.upstream} == {visit.id for visit in outcome.ledger}
