"""A whole suite with the demo's clip and model, and a stand-in cloud: commands, models, invalid messages, a killed broker."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import pytest
import trustme

from bus import Prediction
from demo.about import CLIP, MODEL
from tests.classifier.model_server import SECRET, ModelServer, make_zip, sha256
from tests.edgehub.hub import EdgeHub
from tests.support import samples
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import limit, until
from tests.support.zone import zone_at_noon

MODULES = ("classifier", "counter", "bridge", "display", "capture")
RETAINED = ("door/label", "door/counts", "matrix/pixels")
"""Ends of topics whose last message the broker keeps."""
pytestmark = [pytest.mark.system, pytest.mark.timeout(limit(300))]


class Site(NamedTuple):
    """A running suite, its broker, its edgeHub, and a server of models."""

    broker: Broker
    hub: EdgeHub
    listener: Listener
    server: ModelServer
    modules: dict[str, Module]

    def status(self) -> dict[str, Any]:
        """Returns the result of the direct method `status`."""
        return dict(self.hub.twin.call("status", None)[1])

    def offer(self, **others: bytes) -> None:
        """Makes the cloud request the demo's model, with some files replaced."""
        files = {path.name: others.get(path.stem, path.read_bytes()) for path in sorted(MODEL.iterdir())}
        self.server.content = make_zip(files)
        self.hub.twin.patch({"modelUrl": self.server.url, "modelSha256": sha256(self.server.content)})

    def last_status(self, module: str) -> dict[str, Any]:
        """Returns the last status of a module."""
        return dict(json.loads(self.listener.wait_for(f"status/{module}")[-1]))

    def wait_for_model(self, state: str) -> str:
        """Waits until the requested model has this state. Returns the model that the classifier serves."""
        until(lambda: self.status()["model"]["state"] == state, 60, state)
        return str(self.last_status("classifier")["about"]["model"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A running suite that has reported to the cloud."""
    tmp_path, authority = tmp_path_factory.mktemp("site"), trustme.CA()
    trusted = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(trusted))
    with ExitStack() as stack:
        broker = stack.enter_context(Broker(tmp_path / "broker"))
        hub = stack.enter_context(EdgeHub(tmp_path / "hub"))
        server = stack.enter_context(ModelServer(authority=authority))
        settings = {"MODEL": MODEL, "VIDEO_PATH": CLIP, "TZ": zone_at_noon(), "SINKS": "edgehub"}
        settings |= {"REQUESTS_CA_BUNDLE": trusted, "SSL_CERT_FILE": trusted, **hub.environment}
        listener = stack.enter_context(Listener(broker.port, "footfall/status/+"))
        modules = {name: stack.enter_context(Module(name, broker.port, **settings)) for name in MODULES}
        for module in modules.values():
            module.wait_for_log("connected to the broker")
        until(lambda: hub.twin.reported.get("modules"), 60, "the first report")
        yield Site(broker, hub, listener, server, modules)


def test_a_model_from_the_cloud_is_served_and_a_bad_one_refused(site: Site) -> None:
    """A model is downloaded, tried and served without a restart. A bad model changes nothing. A rollback restores the first."""
    first = until(lambda: site.last_status("classifier").get("about", {}).get("model"), 60, "the first model")
    site.offer(labels=b"man\nnobody\nwoman\n")
    second = site.wait_for_model("serving")
    assert second != first
    site.offer(model=b"TFL3 and nothing that can be run")
    assert site.wait_for_model("refused") == second
    assert site.status()["model"]["detail"]
    assert site.hub.twin.call("rollback", None)[0] in (200, 503)  # 503 if loading the model takes more than five seconds
    until(lambda: site.last_status("classifier")["about"]["model"] == first, 60)
    site.wait_for_model("rolled-back")
    public = json.dumps(site.hub.twin.reports) + "".join(module.log for module in site.modules.values())
    assert SECRET not in public
    assert site.server.root in public
    assert "/models" not in public


def test_remote_commands_and_queries(site: Site) -> None:
    """The cloud pauses and resumes cameras, queries counts, and gets a report of every module, without pictures."""
    until(lambda: (site.hub.twin.call("counts", None)[1].get("cameras", {}).get("door") or {}).get("totals"), 60, "a visit")
    assert site.hub.twin.call("pause", {"camera": "door"}) == (200, {"cameras": ["door"]})
    until(lambda: site.last_status("capture")["state"] == "paused")
    until(lambda: site.status()["cameras"]["door"]["pausedAt"])
    assert site.hub.twin.call("resume", None)[0] == 200
    until(lambda: site.last_status("capture")["state"] == "running")
    until(lambda: site.status()["cameras"]["door"]["pausedAt"] is None)
    until(lambda: site.hub.twin.reported["modules"].keys() >= set(MODULES), 45, "a report of all, half a minute later")
    assert site.hub.twin.reported["policy"]["forward"] == "visits"


def test_invalid_messages_are_survived(site: Site) -> None:
    """A hundred invalid payloads on each topic are counted and rarely logged, and all modules continue."""
    topics = [f"footfall/door/{kind}" for kind in ("frame", "prediction", "visit", "label", "counts", "command")]
    topics += ["footfall/status/other", "footfall/display/matrix/pixels", "footfall/../frame", "footfall//prediction"]
    frame, prediction = samples.frame(), samples.prediction()
    payloads = [b"", b"\x00", b"\xc1" * 50, b"{", frame.pack()[:-5], prediction.pack()[:-5], bytes(70_000), bytes(2_100_000)]
    logged = {name: len(module.log) for name, module in site.modules.items()}
    with Listener(site.broker.port) as sender:
        for number in range(100):
            for topic in topics:
                sender.publish(topic, payloads[number % len(payloads)], qos=number % 2)
    with Listener(site.broker.port) as sender:  # above the broker's limit: only the sender is disconnected
        is_disconnected = threading.Event()
        sender.client.on_disconnect = lambda *_: is_disconnected.set()
        sender.client.publish("footfall/door/frame", bytes(3_000_000))
        assert is_disconnected.wait(limit(10))
    with Listener(site.broker.port, "footfall/door/prediction", "footfall/status/+") as later:
        for payload in later.wait_for("door/prediction", 20)[-5:]:
            assert Prediction.unpack(payload).best
        for name in ("classifier", "counter", "display", "bridge"):
            until(lambda: b'"invalid"' in (later.payloads(f"status/{name}") or [b""])[-1], 20, f"{name}'s report")  # noqa: B023
    for name, module in site.modules.items():
        log = module.log[logged[name] :]
        assert "Traceback" not in log, name
        assert log.count("[WRN]") + log.count("[ERR]") <= 8, log


def test_a_killed_broker_is_survived(site: Site) -> None:
    """After a restart without its retained messages, all of them are published again, and no module was restarted."""
    with Listener(site.broker.port, "footfall/#") as earlier:
        for topic in RETAINED:
            earlier.wait_for(topic)
    assert site.hub.twin.call("pause", None)[0] == 200  # so that no new results are published
    until(lambda: site.last_status("capture")["state"] == "paused")
    site.broker.end()
    (site.broker.folder / "mosquitto.db").unlink(missing_ok=True)
    for module in site.modules.values():
        module.wait_for_log("broker connection lost")
    killed = time.time()
    site.broker.start()
    with Listener(site.broker.port, "footfall/#") as later:
        for topic in RETAINED:
            later.wait_for(topic)
        assert site.hub.twin.call("resume", None)[0] == 200
        until(lambda: Prediction.unpack(later.wait_for("door/prediction")[-1]).captured_at > killed, 35, "a new prediction")
        for name in site.modules:
            until(lambda: b'"running"' in (later.payloads(f"status/{name}") or [b""])[-1], 20, name)  # noqa: B023
    assert all(module.running for module in site.modules.values())
