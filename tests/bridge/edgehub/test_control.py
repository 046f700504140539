"""What the cloud wants on its way to the suite, and what is reported to it."""

import os
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bridge.forwarder import Forwarder
from bridge.outbox import Outbox
from bridge.policy import Policy
from bridge.sinks.edgehub import check_environment
from bridge.sinks.edgehub.control import METRICS_EVERY, REMIND_EVERY, REPORT_EVERY, Control
from bus import About, Bus, InvalidSetting, Message, ModelUpdate, Status, WantedModel, states
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
        self.control.received({"desired": {**desired, "$version": self.version}, "reported": self.control._reported})
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


def test_reports_keep_their_distance(cloud: Cloud) -> None:
    """One in half a minute, accepted or not, and in five minutes where only metrics change."""

    def report(after: float, metrics: dict[str, float]) -> dict[str, Any] | None:
        """What is due so many seconds later, and accepted."""
        cloud.now += after
        cloud.control._observer._on_status(Status("capture", states.RUNNING, metrics=metrics))
        if (patch := cloud.control.due()) is not None:
            cloud.control.reported(is_accepted=True)
        return patch

    assert (report(0, {"a": 1}) or {})["modules"]["capture"]["metrics"] == {"a": 1}
    assert report(METRICS_EVERY - 1, {"a": 2}) is None
    assert report(1, {"a": 3}) == {"modules": {"capture": {"metrics": {"a": 3}}}}
    cloud.connect(forward="all")
    assert report(REPORT_EVERY - 1, {"a": 3}) is None
    assert report(1, {"a": 3}) == {"desiredVersion": 1, "policy": {"forward": "all"}}
    cloud.connect(forward="none")
    cloud.now += REPORT_EVERY
    refused = cloud.control.due()
    cloud.control.reported(is_accepted=False)
    cloud.now += REPORT_EVERY
    assert cloud.control.due() == refused


@pytest.mark.parametrize(
    "twin", [None, [], {"desired": 3, "reported": []}, *({"desired": {"$version": one}} for one in ("x", True, 0, -1, None))]
)
def test_an_invalid_twin_is_ignored(cloud: Cloud, twin: object) -> None:
    cloud.control.received(twin)
    assert (cloud.control.due() or {})["desiredVersion"] == 0
    assert cloud.control._forwarder.policy == Policy()


def test_a_twin_that_was_created_again_counts(cloud: Cloud) -> None:
    """Its versions begin again."""
    for version, forward in ((9, "all"), (1, "none")):
        cloud.control.received({"desired": {"forward": forward, "$version": version}})
        assert cloud.control._forwarder.policy.forward == forward


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({}, r"SINKS='edgehub'.*IOTEDGE_WORKLOADURI.*EdgeHubConnectionString"),
        ({"EdgeHubConnectionString": "HostName=foo"}, r"EdgeHubConnectionString: GatewayHostName.* missing"),
        (
            {"EdgeHubConnectionString": "HostName=a;GatewayHostName=;DeviceId=b;ModuleId=c;SharedAccessKey=d"},
            r"GatewayHostName missing",
        ),
    ],
)
def test_an_environment_that_no_retry_helps_is_refused(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], reason: str
) -> None:
    """At the start, with what is missing and without the key."""
    for name in [name for name in os.environ if name.startswith(("IOTEDGE_", "EdgeHub", "EdgeModule"))]:
        monkeypatch.delenv(name)
    for name, value in (environment and {"EdgeModuleCACertificateFile": "authority.pem"} | environment).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSetting, match=reason) as refused:
        check_environment()
    assert "=d" not in str(refused.value)
