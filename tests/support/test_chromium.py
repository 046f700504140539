"""What a machine without a browser for the tests is told."""

from pathlib import Path

import pytest

from tests.support.chromium import chromium, driver_problem

PROBLEM = "node: error while loading shared libraries: libatomic.so.1: cannot open shared object file"


def test_a_driver_that_does_not_start_is_reported_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a skip, which pytest's summary lists once for all tests that need it."""
    node = tmp_path / "node"
    node.write_text(f"#!/bin/sh\necho '{PROBLEM}' >&2\nexit 127\n")
    node.chmod(0o755)
    monkeypatch.setenv("PLAYWRIGHT_NODEJS_PATH", str(node))
    driver_problem.cache_clear()
    try:
        with pytest.raises(pytest.skip.Exception, match=f"driver does not start.*{PROBLEM}"), chromium():
            pass
    finally:
        driver_problem.cache_clear()
