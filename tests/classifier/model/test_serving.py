"""Models that the classifier serves, or refuses, which are turned back from."""

import json
from unittest.mock import Mock

import pytest

from bus import Status
from bus.connection import OFFLINE
from classifier.model import hearing, updates
from tests.classifier.model.device import FIRST, SECOND, THIRD, Device, says
from tests.classifier.model.zips import folder_of, sha256
from tests.support.wait import until


def test_a_refused_model_is_turned_back_from(device: Device) -> None:
    """To the one before, with the classifier's reason, and for good: over a restart, until another is wanted."""
    device.install(FIRST)
    device.want(SECOND)
    assert device.reaches("installed")["previous"] == folder_of(FIRST)
    device.updates.hear(says("model-refused", "labels.txt: 3 labels, 2 outputs", folder_of(FIRST)))
    report = device.reaches("refused", "3 labels, 2 outputs")
    assert (report["sha256"], report["previous"]) == (sha256(SECOND), None)
    assert device.store.current == folder_of(FIRST)
    device.updates.hear(says("running", model=folder_of(FIRST)))
    device.want(SECOND)
    device.restart()
    assert device.report["state"] == "refused"
    device.want(SECOND)
    device.restart()
    device.want(SECOND)
    assert device.report["detail"] == "labels.txt: 3 labels, 2 outputs"
    assert len(device.server.requests) == 2
    device.install(THIRD)
    device.install(SECOND)
    assert device.report["previous"] == folder_of(THIRD)


def test_a_refusal_that_was_there_before_is_none_of_the_new_model(device: Device) -> None:
    """It may be told again before the new one has been tried; a new reason, or a new time, is the new one's."""
    device.install(FIRST)
    before = says("model-refused", "somebody turned the link", folder_of(FIRST), since=1.0)
    for content, after in (
        (SECOND, says("model-refused", "no", since=1.0)),
        (THIRD, says("model-refused", before.detail, since=2.0)),
    ):
        device.updates.hear(before)
        device.want(content)
        device.reaches("installed")
        device.makes_nothing_of(before)
        device.restart()
        device.want(content)
        device.makes_nothing_of(before)
        assert device.report["state"] == "installed"
        assert device.store.current == folder_of(content)
        device.updates.hear(after)
        device.reaches("refused", after.detail)
        assert device.store.current == folder_of(FIRST)


def test_the_same_refusal_for_long_is_one_of_the_new_model(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two models may be refused in the same words, one after the other."""
    device.install(FIRST)
    before = says("model-refused", "no", folder_of(FIRST))
    device.updates.hear(before)
    device.want(SECOND)
    device.reaches("installed")
    device.makes_nothing_of(before)
    monkeypatch.setattr(hearing, "SAME_REFUSAL", 0.0)
    device.updates.hear(before)
    device.reaches("refused")


def test_a_classifier_that_cannot_start_on_the_new_model(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was restarted onto it says nothing but that it is gone: after a while the model is turned back from."""
    device.install(FIRST)
    device.want(SECOND)
    device.reaches("installed")
    gone = Status("classifier", OFFLINE)
    device.makes_nothing_of(gone)
    monkeypatch.setattr(hearing, "GONE", 0.2)
    monkeypatch.setattr(updates, "IDLE", 0.1)
    device.restart()
    device.want(SECOND)
    device.updates.hear(gone)
    device.reaches("refused", "no classifier for")
    assert device.store.current == folder_of(FIRST)


def test_a_refusal_of_a_model_that_is_served_turns_nothing(device: Device) -> None:
    """Once it is known to be served, or is another's, a refusal is of something else."""
    device.install(FIRST)
    device.install(SECOND)
    device.makes_nothing_of(says("model-refused", "somebody turned the link", folder_of(SECOND)))
    device.makes_nothing_of(says("model-refused", "somebody turned the link", "another"))
    device.restart()
    device.want(SECOND)
    device.makes_nothing_of(says("model-refused", "somebody turned the link", "another"))
    device.updates.hear(says("model-refused", "somebody turned the link", folder_of(SECOND)))
    device.reaches("serving")
    assert device.store.current == folder_of(SECOND)


def test_a_refusal_of_what_somebody_else_has_served(device: Device) -> None:
    """While another model is linked than the one on trial, a refusal is of that one."""
    device.install(FIRST)
    device.want(SECOND)
    device.reaches("installed")
    device.store.rollback()
    device.makes_nothing_of(says("model-refused", "no"))


def test_a_refused_first_model_stays(device: Device) -> None:
    """There is nothing to turn back to; it is told, and not tried again."""
    device.want(FIRST)
    device.reaches("installed")
    device.updates.hear(says("model-refused", "no"))
    device.reaches("refused", "no")
    assert device.store.current == folder_of(FIRST)
    device.restart()
    device.want(FIRST)
    assert device.report["state"] == "refused"


def test_a_process_that_was_killed_before_it_could_turn_back(device: Device) -> None:
    """What it had written down is done by the next one: by hand as well as after a refusal."""
    for state, previous in (("rolled-back", folder_of(SECOND)), ("refused", None)):
        device.install(FIRST)
        device.install(SECOND)
        device.stop()
        held = {"sha256": sha256(SECOND), "url": "https://example.org/a.zip", "state": state, "detail": "no"}
        memory = {"held": {**held, "turn_to": folder_of(FIRST)}, "trial": None}
        (device.store.folder / ".footfall-updates.json").write_text(json.dumps(memory))
        device.start()
        until(lambda: device.store.current == folder_of(FIRST))
        assert device.reaches(state)["previous"] == previous
        device.restart()
        device.want(SECOND)
        assert device.report["state"] == state
        assert device.store.current == folder_of(FIRST)


def test_a_model_that_was_refused_while_the_process_was_away(device: Device) -> None:
    """The next one hears it from the status that the broker has kept."""
    device.install(FIRST)
    device.want(SECOND)
    device.reaches("installed")
    device.restart()
    device.updates.hear(says("model-refused", "no", folder_of(FIRST)))
    assert device.reaches("refused", "no")["sha256"] == sha256(SECOND)
    assert device.store.current == folder_of(FIRST)


def test_a_link_that_cannot_be_turned_for_a_while(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal is dealt with as soon as it can be."""
    device.install(FIRST)
    device.want(SECOND)
    device.reaches("installed")
    discard = Mock(side_effect=OSError(5, "Input/output error"))
    with monkeypatch.context() as patch:
        patch.setattr(device.store, "discard", discard)
        device.updates.hear(says("model-refused", "no"))
        until(lambda: discard.call_count > 1)
        assert device.report["state"] == "refused"
    until(lambda: device.store.current == folder_of(FIRST))
