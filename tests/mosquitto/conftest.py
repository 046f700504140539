"""Fixtures of the broker's tests."""

import os
import resource
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


@pytest.fixture
def many_files() -> Iterator[None]:
    """Allows this process a thousand sockets."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = before[1] if before[1] != resource.RLIM_INFINITY and before[1] < 4096 else 4096
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], wanted), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)
