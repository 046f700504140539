"""The limits of tests have one factor, FOOTFALL_TEST_PATIENCE, so that a slow machine fails none of them."""

import ast
from collections.abc import Iterator

from tests.support.broker import ROOT

WAITS = ("communicate", "join", "settimeout", "take", "timeout", "wait", "wait_for", "wait_for_publish", "wait_procs")
"""Functions whose first argument, if it is a number, is a limit."""
BY_HAND = ("place.", "Heartbeat")
"""Calls that wait for a clock that the test sets."""
MIN_LIMIT = 1.0
"""Seconds; less than this is a pause, or a limit that is to be reached."""


def fixed_limits(text: str) -> Iterator[int]:
    """The lines with a limit that no factor scales."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and not ast.unparse(node.func).startswith(BY_HAND):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            given = [one.value for one in node.keywords if one.arg == "timeout"] + (node.args[:1] if name in WAITS else [])
            for one in given:
                if isinstance(one, ast.Constant) and isinstance(one.value, int | float) and one.value >= MIN_LIMIT:
                    yield node.lineno


def test_no_limit_is_fixed() -> None:
    """`run(timeout=20)` and `thread.join(10)` are found, in whatever file."""
    assert list(fixed_limits("run(timeout=20)\nthread.join(10)\nthread.join(0.5)\nrun(timeout=limit(20))")) == [1, 2]
    files = sorted((ROOT / "tests").rglob("*.py"))
    assert [f"{file.relative_to(ROOT)}:{line}" for file in files for line in fixed_limits(file.read_text())] == []
