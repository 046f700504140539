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
    return Fruits(_find_data("fruits", "the fruit model and photographs"))


@pytest.fixture(scope="session")
def people() -> People:
    """Real models of people, with real clips and photographs."""
    return People(_find_data("people", "the models, clips and photographs of people"))


def _find_data(name: str, what: str) -> Path:
    """Returns the folder of test data that are not part of the project. Skips the test if it is absent."""
    variable = f"FOOTFALL_{name.upper()}"
    folder = Path(os.environ.get(variable) or Path(__file__).parents[2] / "shared/data" / name)
    if not folder.is_dir():
        pytest.skip(f"{what} are not at {folder}; set {variable} to their folder")
    return folder
