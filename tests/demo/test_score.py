"""Counted visits against true ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.score import Span, score

TRUTH = [Span("woman", 1, 5), Span("man", 8, 12)]


@pytest.mark.parametrize(
    ("counted", "verdicts", "split", "invented"),
    [
        ([Span("woman", 1.2, 4.9), Span("man", 8.1, 12)], ("found", "found"), 0, 0),
        ([Span("man", 1, 5), Span("man", 8, 12)], ("wrong label", "found"), 0, 0),
        ([Span("man", 8, 12)], ("missed", "found"), 0, 0),
        ([], ("missed", "missed"), 0, 0),
        ([Span("woman", 1, 12)], ("missed", "wrong label"), 0, 0),
        ([Span("woman", 1, 2), Span("woman", 3, 5), Span("man", 8, 12)], ("found", "found"), 1, 0),
        ([Span("man", 1, 1.5), Span("woman", 2, 5), Span("man", 8, 12)], ("found", "found"), 1, 0),
        ([Span("woman", 1, 5), Span("cat", 6, 7), Span("man", 8, 12)], ("found", "found"), 0, 1),
    ],
)
def test_verdicts(counted: list[Span], verdicts: tuple[str, ...], split: int, invented: int) -> None:
    """Found, relabelled, missed, merged into one, split into two, made of nothing."""
    result = score(TRUTH, counted)
    assert result.verdicts == verdicts
    assert sum(result.split) == split
    assert len(result.invented) == invented


spans = st.lists(
    st.builds(lambda label, at, long: Span(label, at, at + long), st.sampled_from("mw"), st.floats(0, 90), st.floats(0, 9))
)


@given(spans, spans)
def test_every_visit_is_judged_once(truth: list[Span], counted: list[Span]) -> None:
    """As many verdicts as true visits; no more found than counted; what overlaps nothing is invented."""
    result = score(truth, counted)
    assert len(result.verdicts) == len(result.split) == len(truth)
    assert sum(verdict != "missed" for verdict in result.verdicts) + sum(result.split) + len(result.invented) <= len(counted)
    for one in counted:
        assert (one in result.invented) == all(span.overlap(one) <= 0 for span in truth)
