"""Which tests run in the same process, one after the other, and which of them first; for pytest-xdist."""

import pytest
from xdist.scheduler import LoadFileScheduling

TOGETHER = ("tests/containers/", "tests/display/dashboard/")
"""A browser lets go of all that it is loading, from this machine too, when a container that comes or goes changes the network."""
LONG = (*TOGETHER, "tests/end_to_end/")
"""These begin first, so that no process is left alone with them at the end."""


class Scheduling(LoadFileScheduling):  # type: ignore[misc]  # pytest-xdist tells no types
    """A file's tests run in one process; and so do those of all files that must not run at the same time as each other.

    The mark `xdist_group` would do, but pytest-xdist 3.8 with pytest 9.2 does not heed it.
    """

    def _split_scope(self, nodeid: str) -> str:
        return "together" if nodeid.startswith(TOGETHER) else str(super()._split_scope(nodeid))


@pytest.hookimpl
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Scheduling:
    """Called by pytest-xdist."""
    config.option.loadscopereorder = False  # files with many tests are not those that take long
    return Scheduling(config, log)


@pytest.hookimpl
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Called by pytest."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))
