"""The page's logic, tested by Node.js: see the *.test.mjs files."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.wait import limit


def test_page_logic() -> None:
    """Failures are those that Node.js prints. Skipped without it, which fails in CI."""
    node = shutil.which("node") or shutil.which("nodejs")
    if node is None:
        pytest.skip("no Node.js: scripts/setup.sh dev installs it (apt-get install nodejs)")
    command = [node, "--test", "--test-reporter=tap", *map(str, Path(__file__).parent.glob("*.test.mjs"))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=limit(60), check=False)
    assert (done.returncode, "# fail 0" in done.stdout) == (0, True), done.stdout + done.stderr
