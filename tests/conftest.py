"""Fixtures and hooks for all tests: brokers, the fruit data, timeouts, and the rule that CI skips no test."""

import os
import signal
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import capture  # noqa: F401
import classifier  # noqa: F401  # both set variables for OpenCV, and must be imported before it
from tests.support.broker import Broker
from tests.support.fruits import Fruits
from tests.support.people import People
from tests.support.wait import limit

settings.register_profile(
    "footfall",
    deadline=None,  # an example takes longer on a busy machine
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("footfall")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Sets a timeout for each test before pytest-timeout reads it, and restores the default handlers of signals.

    Programs that tests start would inherit ignored signals, as under nohup or in the background of a script.
    """
    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, handler)
    if config.option.timeout is None:
        config.option.timeout = limit(180)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Reports a skipped test as failed in CI, where everything that tests need must be installed."""
    report = yield
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
    return report


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Removes the developer's settings from the environment."""
    for name in ("MODEL", "VIDEO_PATH", "MQTT_HOST", "MQTT_PORT", "THRESHOLD", "MATRIX", "SINKS", "STATE_DIR", "VERBOSE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A real Mosquitto with the laptop run's settings, on a free loopback port."""
    with Broker(tmp_path / "broker") as running:
        yield running


@pytest.fixture(scope="session")
def shared_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker for all tests of a process. Each test uses unique names, and clears its retained messages."""
    with Broker(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture(scope="session")
def fruits() -> Fruits:
    """A real Custom Vision classifier with real photographs."""
    folder = Path(os.environ.get("FOOTFALL_FRUITS") or Path(__file__).parents[2] / "shared/data/fruits")
    if not folder.is_dir():
        pytest.skip(f"the fruit model and photographs are not at {folder}; set FOOTFALL_FRUITS to their folder")
    return Fruits(folder)


@pytest.fixture(scope="session")
def people() -> People:
    """Real models of people, with real clips and photographs."""
    folder = Path(os.environ.get("FOOTFALL_PEOPLE") or Path(__file__).parents[2] / "shared/data/people")
    if not folder.is_dir():
        pytest.skip(f"the models, clips and photographs of people are not at {folder}; set FOOTFALL_PEOPLE to their folder")
    return People(folder)
