"""What all tests share: a broker, the fruit data, their limits, and the rule that CI skips nothing."""

import os
import signal
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import capture  # noqa: F401
import classifier  # noqa: F401  # both set what OpenCV reads when it is imported, which must not be done before
from tests.support.broker import Broker
from tests.support.fruits import Fruits
from tests.support.wait import limit

settings.register_profile(
    "footfall",
    deadline=None,  # how long an example takes says how busy the machine is
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("footfall")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """A test that hangs fails; pytest-timeout reads the option when it is configured, after this.

    Programs that tests start inherit which signals are ignored, as they are by nohup, or in a script's background.
    """
    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, handler)
    if config.option.timeout is None:
        config.option.timeout = limit(180)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skipped test is a failed one: something that the tests need was not there."""
    report = yield
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
    return report


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is set around the tests does not reach into them."""
    for name in ("MODEL", "VIDEO_PATH", "MQTT_HOST", "MQTT_PORT", "THRESHOLD", "MATRIX", "SINKS", "STATE_DIR", "VERBOSE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A real Mosquitto with the laptop run's settings, on a free loopback port."""
    with Broker(tmp_path / "broker") as running:
        yield running


@pytest.fixture(scope="session")
def shared_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One for all tests of a process: each uses names of its own for cameras, modules and askers, and clears what it retains."""
    with Broker(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture(scope="session")
def fruits() -> Fruits:
    """A real Custom Vision classifier with real photographs."""
    folder = Path(os.environ.get("FOOTFALL_FRUITS") or Path(__file__).parents[2] / "shared/data/fruits")
    if not folder.is_dir():
        pytest.skip(f"the fruit model and photographs are not at {folder}; FOOTFALL_FRUITS says where they are")
    return Fruits(folder)
