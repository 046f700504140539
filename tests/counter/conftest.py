"""Fixtures of the counter's tests. Ledgers are kept in memory if there is room, so that no test waits for the disk."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from counter.ledger import Ledger
from tests.counter.shop import Shop, open_ledger

MEMORY = Path("/dev/shm")


@pytest.fixture
def tmp_path(tmp_path: Path) -> Iterator[Path]:
    has_room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 200_000_000
    with TemporaryDirectory(dir=MEMORY if has_room else tmp_path) as folder:
        yield Path(folder)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger."""
    with closing(open_ledger(tmp_path)) as one:
        yield one


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A counter with an empty ledger."""
    with closing(Shop(tmp_path)) as one:
        yield one
