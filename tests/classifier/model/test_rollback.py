"""Turning back by hand."""

import threading
from pathlib import Path
from unittest.mock import Mock

import pytest

from classifier.model import NoPrevious, StoreFailed
from tests.classifier.model.device import FIRST, SECOND, THIRD, Device, says
from tests.classifier.model.server import stalled
from tests.classifier.model.zips import folder_of, names, sha256
from tests.support.wait import limit, until


def test_turning_back_by_hand(device: Device) -> None:
    """To the previous model, for good, over a restart; forward again by hand, or by another model that is wanted."""
    with pytest.raises(NoPrevious, match="no earlier model"):
        device.updates.rollback()
    device.install(FIRST)
    device.install(SECOND)
    assert device.updates.rollback() == folder_of(FIRST)
    assert device.store.current == folder_of(FIRST)
    report = device.report
    assert report["state"] == "rolled-back"
    assert (report["sha256"], report["previous"]) == (sha256(SECOND), folder_of(SECOND))
    device.restart()
    assert device.report["state"] == "rolled-back"
    device.want(SECOND)
    device.updates.hear(says("running", model=folder_of(FIRST)))
    assert device.report["state"] == "rolled-back"
    assert device.updates.rollback() == folder_of(SECOND)
    assert device.report["state"] == "installed"
    device.updates.hear(says("running", model=folder_of(SECOND)))
    device.reaches("serving")
    device.updates.rollback()
    device.updates.rollback()
    assert not device.has_news
    assert device.report["state"] == "installed", "by what was heard before"
    device.updates.rollback()
    device.install(THIRD)
    assert len(device.server.requests) == 3


def test_turning_forward_to_a_model_that_is_refused(device: Device) -> None:
    """It is tried as any, and turned back from."""
    device.install(FIRST)
    device.install(SECOND)
    device.updates.rollback()
    device.updates.rollback()
    device.updates.hear(says("model-refused", "not any more", folder_of(FIRST)))
    device.reaches("refused", "not any more")
    assert device.store.current == folder_of(FIRST)


def test_turning_back_before_the_cloud_is_heard_of(device: Device) -> None:
    """After a restart what was wanted is not known yet: it is what was served."""
    device.install(FIRST)
    device.install(SECOND)
    device.restart()
    device.updates.rollback()
    device.want(SECOND)
    assert device.report["state"] == "rolled-back"
    assert device.store.current == folder_of(FIRST)


def test_turning_back_during_a_download(device: Device) -> None:
    """What was under way is not installed any more, though it was fetched."""
    device.install(FIRST)
    device.install(SECOND)
    device.server.answers.append(stalled)
    device.want(THIRD)
    until(lambda: len(device.server.requests) == 3)
    assert device.updates.rollback() == folder_of(FIRST)
    device.server.released.set()
    device.want(THIRD)
    assert device.reaches("rolled-back")["sha256"] == sha256(THIRD)
    device.restart()
    device.want(THIRD)
    assert device.store.current == folder_of(FIRST)
    assert len(device.server.requests) == 3


def test_turning_back_between_unpacking_and_installing(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last moment at which it can be."""
    device.install(FIRST)
    device.install(SECOND)
    unpack, may_go_on, is_there = device.store.unpack, threading.Event(), threading.Event()

    def slowly(archive: Path, url: str, digits: str) -> str:
        name = unpack(archive, url, digits)
        is_there.set()
        may_go_on.wait(limit(5))
        return name

    monkeypatch.setattr(device.store, "unpack", slowly)
    device.want(THIRD)
    assert is_there.wait(limit(5))
    device.updates.rollback()
    may_go_on.set()
    until(lambda: not any("download" in name for name in names(device.store.folder)))
    assert device.store.current == folder_of(FIRST)
    assert device.report["state"] == "rolled-back"


def test_turning_back_when_the_disk_does_not_allow_it(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that says so, back and forward; it is done as soon as it can be."""
    device.install(FIRST)
    device.install(SECOND)
    for method, before, after in (("rollback", SECOND, FIRST), ("turn_to", FIRST, SECOND)):
        with monkeypatch.context() as patch:
            patch.setattr(device.store, method, Mock(side_effect=OSError(30, "Read-only file system")))
            with pytest.raises(StoreFailed, match="models: Read-only file system; a folder to write into is needed"):
                device.updates.rollback()
            assert device.store.current == folder_of(before)
        until(lambda after=after: device.store.current == folder_of(after))  # type: ignore[misc]
    assert len(device.server.requests) == 2
