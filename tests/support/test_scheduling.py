"""Tests that run side by side, and those that must not."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.broker import ROOT
from tests.support.wait import limit

TESTS = """
import os
import pathlib
import pytest

@pytest.mark.parametrize("number", range(4))
def test_where(number):
    with pathlib.Path(os.environ["WHERE"]).open("a") as where:
        where.write(f"{pathlib.Path(__file__).stem} {os.environ['PYTEST_XDIST_WORKER']}\\n")
"""
FILES = (
    "bus/test_bus",
    "containers/test_compose",
    "containers/test_images",
    "display/dashboard/test_page",
    "display/test_display",
)


def test_a_file_has_one_process_and_containers_and_browser_the_same(tmp_path: Path) -> None:
    """Pytest as the Makefile calls it, and with what all tests share: tests that note the process they run in."""
    for name in FILES:
        file = tmp_path / "tests" / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(TESTS)
    (tmp_path / "pytest.ini").touch()
    shutil.copy(ROOT / "tests/conftest.py", tmp_path / "tests")
    where = tmp_path / "where"
    options = next(line for line in (ROOT / "Makefile").read_text().splitlines() if "-m pytest" in line).split()
    command = [sys.executable, *options[options.index("-m") : -1], "tests"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "WHERE": str(where)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=limit(120), check=False)
    assert done.returncode == 0, done.stdout
    ran = [tuple(line.split()) for line in where.read_text().splitlines()]
    assert len(ran) == 4 * len(FILES)
    workers = {file: {worker for name, worker in ran if name == file} for file, _ in ran}
    assert all(len(of_file) == 1 for of_file in workers.values())
    assert workers["test_compose"] == workers["test_images"] == workers["test_page"]
    assert len({worker for _, worker in ran}) > 1
