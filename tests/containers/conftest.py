"""What needs a Docker engine."""

from collections.abc import Iterator

import pytest

from tests.support.engine import docker_engine


@pytest.fixture(scope="session")
def engine() -> Iterator[None]:
    """A Docker engine."""
    with docker_engine():
        yield
