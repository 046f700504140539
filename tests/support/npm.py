"""Programs that scripts/npm.sh installs."""

import shutil
import sys
from pathlib import Path

import pytest


def find_program(package: str, script: str) -> list[str]:
    """Returns the command of a package's script. Skips the test without it."""
    node, path = shutil.which("node"), Path(sys.prefix, package, "node_modules", package, script)
    if node is None or not path.exists():
        pytest.skip(f"needs Node.js and {package}, which scripts/npm.sh installs")
    return [node, str(path)]
