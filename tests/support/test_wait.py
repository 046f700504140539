"""The limits of tests have one factor, so that a slow machine fails none of them."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.broker import ROOT
from tests.support.wait import limit

WAITS = ("communicate", "join", "settimeout", "take", "timeout", "wait", "wait_for", "wait_for_publish", "wait_procs")
"""Functions whose first argument, if it is a number, is a limit."""
SHORT = 1.0
"""Seconds; less than this is a pause, or a limit that is to be reached."""


def fixed_limits(text: str) -> Iterator[int]:
    """The lines with a limit that no factor scales."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            given = [one.value for one in node.keywords if one.arg == "timeout"] + (node.args[:1] if name in WAITS else [])
            for one in given:
                if isinstance(one, ast.Constant) and isinstance(one.value, int | float) and one.value >= SHORT:
                    yield node.lineno


@pytest.mark.parametrize("line", ["run(timeout=20)", "thread.join(10)", "done.wait(1.5)"])
def test_a_fixed_limit_is_found(line: str) -> None:
    """Or the next test could not fail."""
    assert list(fixed_limits(line)) == [1]


def test_no_limit_is_fixed() -> None:
    """Of processes, threads, sockets and requests in all tests."""
    files = sorted((ROOT / "tests").rglob("*.py"))
    assert [f"{file.relative_to(ROOT)}:{line}" for file in files for line in fixed_limits(file.read_text())] == []


def test_one_setting_scales_them(tmp_path: Path) -> None:
    """Those of `until`, and pytest's own for a test as a whole."""
    (tmp_path / "test_one.py").write_text(
        "from tests.support.wait import limit\n"
        "def test_one(request):\n    assert (limit(10), request.config.option.timeout) == (120, 2160)\n"
    )
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", str(tmp_path)]
    environment = {**os.environ, "FOOTFALL_TEST_PATIENCE": "12", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=limit(60), check=False)
    assert done.returncode == 0, done.stdout


def test_no_example_has_a_deadline() -> None:
    """How long one takes says how busy the machine is."""
    assert settings().deadline is None
