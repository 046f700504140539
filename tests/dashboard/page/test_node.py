"""The page's logic, tested by Node.js: see the *.test.mjs files."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.wait import limit

FOLDER = Path(__file__).parent
FILES = sorted(FOLDER.glob("*.test.mjs"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_page_logic(file: Path) -> None:
    """Failures are those that Node.js prints. Skipped without it, which fails in CI."""
    node = shutil.which("node") or shutil.which("nodejs")
    if node is None:
        pytest.skip("no Node.js: scripts/setup.sh dev installs it (apt-get install nodejs)")
    command = [node, "--test", "--test-reporter=tap", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=limit(60), check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# fail 0" in done.stdout
