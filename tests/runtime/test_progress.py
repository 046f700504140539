"""The file that tells of a module's progress."""

import os
from pathlib import Path

import pytest

from bus import Bus, InvalidSetting
from runtime.progress import Progress
from tests.bus.test_connection import settings
from tests.support.broker import Broker, free_port
from tests.support.clock import clock_of
from tests.support.wait import until


def silent(figure: str, text: str) -> None:
    """Nothing is to be complained about."""
    raise AssertionError((figure, text))


def test_it_is_touched_at_most_once_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often there is progress; what an earlier process left is gone at the start."""
    clock = clock_of(monkeypatch, "runtime.progress")
    file = tmp_path / "progress"
    file.touch()
    progress = Progress(file, silent)
    found = []
    for clock.now in (100.0, 100.9, 101.0, 101.5, 107.0):
        file.unlink(missing_ok=True)
        progress.made()
        found.append(file.exists())
    assert found == [True, False, True, False, True]


def test_a_file_with_something_in_it_is_not_taken(tmp_path: Path) -> None:
    """It is somebody's, named by mistake; so is what is no file, as a device."""
    file = tmp_path / "letter"
    file.write_text("dear")
    with pytest.raises(InvalidSetting, match=r"HEALTH_FILE='.*letter': must be an empty file"):
        Progress(file, silent)
    assert file.read_text() == "dear"
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidSetting, match="pipe': must be an empty file"):
        Progress(tmp_path / "pipe", silent)


def test_only_what_is_connected_makes_progress(broker: Broker, tmp_path: Path) -> None:
    """Without the broker nothing is done that anybody has of it."""
    file = tmp_path / "progress"
    with Bus(settings(broker.port, health_file=file)) as bus:
        until(lambda: bus.connected)
        bus.progressed()
        assert file.exists()
    with Bus(settings(free_port(), health_file=file)) as bus:
        assert not file.exists()
        bus.progressed()
        assert not file.exists()


def test_a_place_that_cannot_be_written_is_survived(
    broker: Broker, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is counted each time, and said once."""
    monkeypatch.setattr("runtime.progress.EVERY", 0.0)
    with Bus(settings(broker.port, health_file=tmp_path / "none" / "progress")) as bus:
        until(lambda: bus.connected)
        for _ in range(3):
            bus.progressed()
        assert bus.metrics.snapshot()["health_failed"] == 3
    assert caplog.text.count("cannot be touched: No such file or directory") == 1
