"""The fuzzer finds faults of all kinds, and none in the parsers of the project: a minute of `make fuzz`, always with one seed."""

from pathlib import Path

import pytest

from tests.fuzz.faulty import FAULTS
from tests.fuzz.run import Options, fuzz
from tests.fuzz.targets import find_modules
from tests.support.wait import FACTOR

pytestmark = pytest.mark.system

SECONDS = 60.0
"""Of all targets together."""
MODULES = find_modules()
KINDS = {"slow": "slow", "memory": "memory", "hang": "hang", "crash": "crash", "gone": "crash"}
"""Of findings, by fault; the others are errors."""


@pytest.mark.parametrize("name", MODULES)
def test_no_input_does_harm(tmp_path: Path, name: str) -> None:
    """A parser accepts or refuses each input, within its limits of time and memory."""
    options = Options("1", seconds=SECONDS / len(MODULES), patience=FACTOR, folder=tmp_path)
    result = fuzz(MODULES[name], name, options)
    assert not result.findings
    assert result.accepted


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_found(tmp_path: Path, name: str) -> None:
    """A parser that fails for inputs with a question mark is caught, and the input that did it is kept and fails again.

    The fuzzer goes on after a crash and a hang.
    """
    result = fuzz("tests.fuzz.faulty", name, Options("1", inputs=15, hang=0.5, folder=tmp_path))
    assert {finding.kind for finding in result.findings} == {KINDS.get(name, "error")}
    assert result.accepted
    content = Path(result.findings[0].path).read_bytes()
    assert b"?" in content
    again = fuzz("tests.fuzz.faulty", name, Options("2", hang=1.0, folder=tmp_path), only=content)
    assert again.inputs == 1
    assert [finding.kind for finding in again.findings] == [KINDS.get(name, "error")]
