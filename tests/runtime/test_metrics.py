"""Metrics: labels, their maximum number, durations, and what a status shows of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.metrics import BUCKETS_MS, MAX_SERIES, OTHER, Metrics


def test_a_status_has_the_sum_of_all_labels() -> None:
    """Labels divide a counter; its value and its rate in the status are those of all labels together."""
    now = [0.0]
    metrics = Metrics(lambda: now[0])
    metrics.add("seen", camera="door", label="cat")
    metrics.add("seen", 3, camera="back", label="dog")
    metrics.watch("waiting", lambda: 7)
    now[0] = 2.0
    assert metrics.snapshot() == {"seen": 4, "waiting": 7}
    assert metrics.rates() == {"seen": 2.0}
    counts = {(("camera", "door"), ("label", "cat")): 1, (("camera", "back"), ("label", "dog")): 3}
    assert metrics.series().counts == {"seen": counts}


def test_made_up_labels_cannot_fill_the_memory() -> None:
    """Beyond `MAX_SERIES`, new labels count as one, earlier ones go on, and the sum stays right."""
    metrics = Metrics()
    for number in range(MAX_SERIES + 50):
        metrics.add("seen", camera=f"camera-{number}")
        metrics.observe("age_ms", 1.0, camera=f"camera-{number}")
    metrics.add("seen", camera="camera-0")
    series = metrics.series()
    other = (("camera", OTHER),)
    assert (len(series.counts["seen"]), len(series.durations["age_ms"])) == (MAX_SERIES + 1, MAX_SERIES + 1)
    assert (series.counts["seen"][other], series.counts["seen"][(("camera", "camera-0"),)]) == (50, 2)
    assert sum(series.durations["age_ms"][other].numbers) == 50
    assert metrics.snapshot()["seen"] == MAX_SERIES + 51


@given(st.lists(st.floats(-1e6, 1e6), min_size=1))
def test_durations_are_in_the_bucket_that_contains_them(values: list[float]) -> None:
    """As in Prometheus, a bucket includes its upper bound. A clock that was set back gives a negative age, which adds nothing."""
    metrics = Metrics()
    for value in values:
        metrics.observe("age_ms", value)
    durations = metrics.series().durations["age_ms"][()]
    for number, bound in enumerate(BUCKETS_MS):
        assert sum(durations.numbers[: number + 1]) == sum(value <= bound for value in values)
    assert sum(durations.numbers) == len(values)
    assert durations.sum_ms == pytest.approx(sum(max(value, 0) for value in values))
    assert (metrics.snapshot(), metrics.series().gauges) == ({"age_ms": values[-1]}, {})
