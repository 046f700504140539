"""What becomes of the model that the cloud wants, from an https server to the folder that the classifier serves."""

import time
from pathlib import Path
from unittest.mock import Mock

import pytest

from classifier.export import read_export
from classifier.model import download, unpack, updates
from classifier.model.store import ModelStore
from classifier.model.updates import ModelUpdates
from tests.classifier.model.device import BROKEN, FIRST, SECOND, Device, says
from tests.classifier.model.server import SECRET, Answer, Handler, cut, silent, stalled, status, trickling, whole
from tests.classifier.model.zips import folder_of, names, sha256
from tests.support.wait import limit, until


def watched(device: Device, *answers: Answer) -> list[str | None]:
    """What the report says during each of the next requests, which are answered so, and then as they should be."""
    states: list[str | None] = []

    def watching(answer: Answer) -> Answer:
        def answer_watched(handler: Handler) -> None:
            states.append(device.report["state"])
            answer(handler)

        return answer_watched

    device.server.answers += map(watching, (*answers, whole))
    return states


def test_what_is_wanted_is_served(device: Device) -> None:
    """Fetched, installed, and served once the classifier says so; each state is told."""
    assert device.report == {"state": "none", "url": None, "sha256": None, "detail": "", "previous": None}
    states = watched(device)
    device.want(FIRST)
    report = device.reaches("installed")
    assert states == ["downloading"]
    assert report["url"] == device.server.root
    assert report["sha256"] == sha256(FIRST)
    assert read_export(device.store.folder / "current").identity.startswith(f"{folder_of(FIRST)}@")
    device.makes_nothing_of(says("running", model="model"))
    device.makes_nothing_of(says("offline"))
    assert device.report["state"] == "installed"
    device.updates.hear(says("running", model=folder_of(FIRST)))
    device.reaches("serving")
    assert names(device.store.folder) == {"current", folder_of(FIRST), ".footfall-updates.json"}


def test_the_same_again_is_nothing_to_do(device: Device) -> None:
    """Told again, under another address too, and by another process, it is not fetched again."""
    device.install(FIRST)
    device.want(FIRST)
    device.restart()
    device.updates.hear(says("running", model=folder_of(FIRST)))
    device.updates.want(f"{device.server.root}/other.zip?sig={SECRET}", sha256(FIRST).upper())
    assert device.reaches("serving")["url"] == device.server.root
    assert len(device.server.requests) == 1


def test_a_server_that_fails_at_first(device: Device, caplog: pytest.LogCaptureFixture) -> None:
    """Waits, says why, and goes on where it was cut off."""
    states = watched(device, status(503), cut(100), cut(200))
    device.want(FIRST)
    device.reaches("installed")
    assert states == ["downloading"] * 4
    assert caplog.text.count("; again in 0.") == 3
    assert [request.get("Range") for request in device.server.requests] == [None, None, "bytes=100-", "bytes=200-"]


def test_what_is_waited_for_is_told(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason stands in the report for as long as it waits; another process begins at once."""
    monkeypatch.setattr(updates, "RETRY", (600.0, 600.0))
    device.restart()
    device.server.answers.append(status(503))
    device.want(FIRST)
    assert device.reaches("waiting", "the server answers 503")["url"] == device.server.root
    device.restart()
    device.want(FIRST)
    device.reaches("installed")


def test_a_final_failure_waits_for_another_address(device: Device) -> None:
    """A signature that has run out is not tried again; a new one goes on with what had come."""
    device.server.answers += [cut(100), status(403)]
    device.want(FIRST)
    device.reaches("failed", "the server answers 403")
    device.want(FIRST)
    device.updates.hear(says("running"))
    assert device.report["state"] == "failed"
    assert device.updates.want(f"{device.server.url}2", sha256(FIRST)) == {}
    device.reaches("installed")
    assert device.server.requests[-1]["Range"] == "bytes=100-"
    assert len(device.server.requests) == 3


@pytest.mark.parametrize("content", [BROKEN, b"no zip"])
def test_what_is_no_model_is_a_failure(device: Device, content: bytes) -> None:
    """Its checksum is right, yet it is not installed; what is served goes on and no download stays."""
    device.install(FIRST)
    device.want(content)
    device.reaches("failed", "zip: ")
    assert device.store.current == folder_of(FIRST)
    assert names(device.store.folder) == {"current", folder_of(FIRST), ".footfall-updates.json"}


def test_a_wrong_checksum_is_a_failure(device: Device) -> None:
    """It is not fetched twice."""
    assert device.updates.want(device.server.url, "0" * 64) == {}
    device.reaches("failed", "its SHA-256 is not")
    assert len(device.server.requests) == 1


def test_a_disk_that_is_full_for_a_while(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be written now may be later."""

    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(unpack, "sync", full)
        device.want(FIRST)
        device.reaches("waiting", "No space left")
    device.reaches("installed")


def test_nothing_wanted_stops_trying(device: Device) -> None:
    """In the middle of a download, of which nothing stays; and what is served goes on."""
    device.install(FIRST)
    device.server.answers.append(trickling)
    device.want(SECOND)
    until(lambda: any(name.endswith(".part") for name in names(device.store.folder)))
    assert device.updates.want(None, None) == {}
    assert device.report["state"] == "none"
    until(lambda: names(device.store.folder) == {"current", folder_of(FIRST), ".footfall-updates.json"})


def test_another_is_wanted_during_a_download(device: Device) -> None:
    """The first is given up at once."""
    device.server.answers.append(trickling)
    device.want(FIRST)
    until(lambda: any(name.endswith(".part") for name in names(device.store.folder)))
    device.want(SECOND)
    device.reaches("installed")
    assert names(device.store.folder) == {"current", folder_of(SECOND), ".footfall-updates.json"}


def test_a_download_outlives_the_process(tmp_path: Path) -> None:
    """What has come is not given up before the cloud has been heard of."""
    store = ModelStore(tmp_path / "models")
    left = store.folder / ".footfall-download-0123456789ab.zip.part"
    left.touch()
    again = ModelUpdates(store)
    again._step()
    assert left.exists()
    again.want(None, None)
    again._step()
    assert not left.exists()


@pytest.mark.parametrize("answer", [silent, stalled, trickling])
def test_stopping_does_not_wait_for_a_server(device: Device, answer: object) -> None:
    """Two seconds at most on an idle machine, however it behaves; what has come is gone on with by the next process."""
    device.server.answers.append(answer)  # type: ignore[arg-type]
    device.want(FIRST)
    until(lambda: device.server.requests)
    begin = time.monotonic()
    device.stop()
    assert time.monotonic() - begin < limit(2.5)
    device.server.released.set()
    until(lambda: not device.updates._thread.is_alive())
    assert device.store.current is None
    device.start()
    device.want(FIRST)
    device.reaches("installed")


def test_a_model_that_was_unpacked_and_not_installed(device: Device, tmp_path: Path) -> None:
    """As by a process that was killed in between: it is not fetched again."""
    (tmp_path / "a.zip").write_bytes(FIRST)
    device.store.unpack(tmp_path / "a.zip", device.server.url, sha256(FIRST))
    device.want(FIRST)
    device.reaches("installed")
    assert not device.server.requests


def test_a_link_that_somebody_turns(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the cloud wants is served again after a while."""
    monkeypatch.setattr(updates, "IDLE", 0.05)
    device.install(FIRST)
    device.install(SECOND)
    device.store.rollback()
    until(lambda: device.store.current == folder_of(SECOND))
    assert len(device.server.requests) == 2


def test_an_error_that_nobody_thought_of(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread outlives it, and tries again."""
    with monkeypatch.context() as patch:
        patch.setattr(device.store, "find", Mock(side_effect=RuntimeError("unheard of")))
        device.want(FIRST)
        device.reaches("waiting", "unheard of")
    device.reaches("installed")


def test_the_limit_holds_here_too(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is too large is a failure, not something to try again."""
    monkeypatch.setattr(download, "LIMIT", 100)
    device.want(FIRST)
    device.reaches("failed", "at most 100 are allowed")
