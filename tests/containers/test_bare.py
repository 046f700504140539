"""A bare machine needs what the README says, and no more."""

import pytest

from tests.support.broker import ROOT
from tests.support.engine import run
from tests.support.wait import limit

pytestmark = [pytest.mark.system, pytest.mark.timeout(limit(900)), pytest.mark.usefixtures("engine")]


def test_git_make_and_python_are_enough() -> None:
    """On Debian 12: `make setup`, and the start of the tests, some in a browser."""
    print(run(str(ROOT / "scripts/bare.sh"), "setup", seconds=600))  # noqa: T201  # pytest shows it with a failure
