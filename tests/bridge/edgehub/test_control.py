"""The wanted model on its way to the classifier."""

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bridge.forwarder import Forwarder
from bridge.outbox import Outbox
from bridge.policy import Policy
from bridge.sinks.edgehub.control import REMIND_EVERY, Control
from bus import About, Bus, Message, ModelUpdate, Status, WantedModel, states
from bus.settings import BusSettings
from runtime.metrics import Metrics

URL, OTHER = "https://models.example/a.zip?sig=Sekret", "https://models.example/b.zip"
A, B = "a" * 64, "b" * 64


class Cloud:
    """A control without edgeHub or broker, at a time that the test sets."""

    def __init__(self, outbox: Outbox) -> None:
        self.now = 1000.0
        self.published: list[Message] = []
        bus = Bus(BusSettings.model_validate({"MODULE_NAME": "bridge"}))
        bus.publish = self._publish  # type: ignore[method-assign,assignment]
        forwarder = Forwarder(bus, outbox, Policy(), threading.Event())
        self.control = Control(bus, forwarder, outbox, clock=lambda: self.now)
        self.version = 0

    def _publish(self, message: Message) -> bool:
        self.published.append(message)
        return True

    def connect(self, **desired: object) -> list[Message]:
        """What is published when a connection gives this twin."""
        self.version += 1
        before = len(self.published)
        self.control.connected({"desired": {**desired, "$version": self.version}})
        return self.published[before:]

    def on_status(self, update: ModelUpdate | None, after: float = REMIND_EVERY) -> list[Message]:
        """What is published when the classifier reports this, so many seconds later."""
        self.now += after
        before = len(self.published)
        status = Status("classifier", states.RUNNING, 1000.0, 1000.0, about=About(model="m@0123", update=update))
        self.control._remind(status)
        self.control._observer._on_status(status)
        return self.published[before:]


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with closing(Outbox(tmp_path, ["edgehub"], 9, Metrics())) as outbox:
        yield Cloud(outbox)


def test_a_wanted_model_is_published_until_the_classifier_knows_it(cloud: Cloud) -> None:
    wanted = [WantedModel(URL, A)]
    assert cloud.connect(modelUrl=URL, modelSha256=A) == wanted
    assert cloud.on_status(None, after=5) == [], "it has just been published"
    assert cloud.on_status(None) == wanted
    assert cloud.on_status(ModelUpdate("none")) == wanted
    assert cloud.on_status(ModelUpdate("serving", sha256=B)) == wanted, "of an earlier one"
    for state in ("downloading", "serving", "refused", "rolled-back"):
        assert cloud.on_status(ModelUpdate(state, sha256=A.upper())) == []
    assert cloud.connect(modelUrl=OTHER, modelSha256=B) == [WantedModel(OTHER, B)]
    assert cloud.connect() == [WantedModel()], "a download is to stop"
    assert cloud.on_status(None) == []


def test_a_cloud_without_a_model_leaves_the_classifier_alone(cloud: Cloud) -> None:
    """At the start it is not known whether one was wanted before; nor is it repeated from a note: it may hold a secret."""
    assert cloud.connect() == []
    cloud.connect(modelUrl=URL, modelSha256=A, forward="none")
    assert "Sekret" not in str(cloud.control._outbox.note("desired"))
    again = Cloud(cloud.control._outbox)
    again.control.recall()
    assert again.on_status(None) == []
    assert again.control._forwarder.policy == Policy("none")


def test_the_outcome_is_reported(cloud: Cloud) -> None:
    """As the classifier says, without the address's path and token."""
    cloud.connect(modelUrl=URL, modelSha256=A)
    assert (cloud.control.due() or {})["model"]["state"] == "waiting"
    cloud.on_status(ModelUpdate("refused", "https://models.example", A, "labels.txt is missing", "m@0123"))
    report = cloud.control.due() or {}
    assert report["model"] == {
        "state": "refused",
        "url": "https://models.example",
        "sha256": A,
        "detail": "labels.txt is missing",
        "previous": "m@0123",
    }
    assert "Sekret" not in str(report)
