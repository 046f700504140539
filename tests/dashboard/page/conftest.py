"""A browser, and the whole suite for it to look at."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from demo.about import CLIP, MODEL
from tests.support.alone import Display
from tests.support.broker import Broker, free_port
from tests.support.browsers import is_well
from tests.support.chromium import chromium
from tests.support.shop import Shop
from tests.support.suite import modules_of
from tests.support.wait import until
from tests.support.zone import zone_of_quarters


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for all tests of a file; asyncio cannot be run beside it."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The suite on the demo's clip, with its dashboard."""
    folder: Path = tmp_path_factory.mktemp("shop")
    with ExitStack() as stack:
        broker = stack.enter_context(Broker(folder / "broker"))
        port, state, zone = free_port(), folder / "bridge", zone_of_quarters()
        settings = {"MODEL": MODEL, "VIDEO_PATH": CLIP, "WEB_PORT": port, "STATE_DIR": state, "TZ": zone}
        modules = stack.enter_context(modules_of(broker.port, **settings))
        until(lambda: is_well(port), what="the dashboard")
        yield Shop(broker, modules, port, state / "ledger.db", zone)


@pytest.fixture
def display(broker: Broker) -> Iterator[Display]:
    """One that is alone on its broker."""
    display = Display(broker)
    with display.listener, display.module:
        until(lambda: is_well(display.port), what="the dashboard")
        yield display
        print(display.module.log)  # noqa: T201  # seen when the test has failed
