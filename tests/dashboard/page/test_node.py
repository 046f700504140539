"""Runs the *.test.mjs files, which test the page's logic in Node.js."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.wait import limit


def test_page_logic() -> None:
    """Node.js prints the failures. Skipped without Node.js; CI fails on skipped tests."""
    node = shutil.which("node") or shutil.which("nodejs")
    if node is None:
        pytest.skip("no Node.js: scripts/setup.sh dev installs it (apt-get install nodejs)")
    command = [node, "--test", "--test-reporter=tap", *map(str, Path(__file__).parent.glob("*.test.mjs"))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=limit(60), check=False)
    assert (done.returncode, "# fail 0" in done.stdout) == (0, True), done.stdout + done.stderr
