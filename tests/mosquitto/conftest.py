"""Fixtures of the broker's tests."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.guarded_broker import SEARCH, GuardedBroker


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedBroker]:
    """One broker per file, with two cameras, two displays, and an observer who may do everything."""
    with GuardedBroker(tmp_path_factory.mktemp("guarded"), observed=True, CAMERAS="door,back", DISPLAYS="matrix,hall") as broker:
        yield broker


@pytest.fixture(scope="session")
def stubs(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH on which `mosquitto` only prints that it was started."""
    folder: Path = tmp_path_factory.mktemp("stubs")
    (folder / "mosquitto").write_text("#!/bin/sh\necho started\n")
    (folder / "mosquitto").chmod(0o755)
    return f"{folder}{os.pathsep}{SEARCH}"
