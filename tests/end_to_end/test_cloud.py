"""The whole suite under a stand-in cloud: what it wants is done, its calls are answered."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import pytest
import trustme

from demo.about import CLIP, MODEL
from tests.classifier.shelf import SECRET, Shelf, sha256, zipped
from tests.edgehub.hub import EdgeHub
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.suite import MODULES, modules_of
from tests.support.wait import limit, until
from tests.support.zone import zone_at_noon

pytestmark = [pytest.mark.system, pytest.mark.timeout(limit(300))]


class Site(NamedTuple):
    """A running suite, its edgeHub, and a server of models."""

    hub: EdgeHub
    listener: Listener
    shelf: Shelf
    modules: dict[str, Module]

    def status(self) -> dict[str, Any]:
        """What the method `status` returns."""
        status, answer = self.hub.twin.call("status", None)
        assert status == 200
        assert isinstance(answer, dict)
        return answer

    def offer(self, **others: bytes) -> None:
        """Has the cloud want the demo's model, some of whose files are others."""
        files = {path.name: others.get(path.stem, path.read_bytes()) for path in sorted(MODEL.iterdir())}
        self.shelf.content = zipped(files)
        self.hub.twin.patch({"modelUrl": self.shelf.url, "modelSha256": sha256(self.shelf.content)})

    def served(self) -> str:
        """The model that the classifier says it serves."""
        return str(json.loads(self.listener.payloads("status/classifier")[-1])["about"]["model"])

    def wait_for(self, state: str) -> None:
        """Until the model that the cloud wants is in that state."""
        until(lambda: self.status()["model"]["state"] == state, 60, state)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demo's clip and model."""
    tmp_path, authority = tmp_path_factory.mktemp("site"), trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    with ExitStack() as stack:
        broker = stack.enter_context(Broker(tmp_path / "broker"))
        hub = stack.enter_context(EdgeHub(tmp_path / "hub"))
        shelf = stack.enter_context(Shelf(authority=authority))
        settings: dict[str, object] = {
            "MODEL": MODEL,
            "VIDEO_PATH": CLIP,
            "TZ": zone_at_noon(),
            "SINKS": "edgehub",
            "REQUESTS_CA_BUNDLE": tmp_path / "authority.pem",
            "SSL_CERT_FILE": tmp_path / "authority.pem",
        }
        listener = stack.enter_context(Listener(broker.port, "footfall/status/+"))
        modules = stack.enter_context(modules_of(broker.port, **settings, **hub.environment))
        until(lambda: hub.twin.reported.get("modules"), 60, "the first report")
        yield Site(hub, listener, shelf, modules)


def test_a_model_from_the_cloud_is_served_and_a_bad_one_refused(site: Site) -> None:
    """Downloaded, tried and served while all runs; one that cannot be served changes nothing; the way back."""
    first = site.served()
    site.offer(labels=b"man\nnobody\nwoman\n")
    site.wait_for("serving")
    second = site.served()
    assert second != first
    site.offer(model=b"TFL3 and nothing that can be run")
    site.wait_for("refused")
    assert site.status()["model"]["detail"]
    assert site.served() == second
    assert site.hub.twin.call("rollback", None)[0] in (200, 503)  # 503 where the model takes more than five seconds to load
    until(lambda: site.served() == first, 60)
    site.wait_for("rolled-back")
    public = json.dumps(site.hub.twin.reports) + "".join(module.log for module in site.modules.values())
    assert SECRET not in public
    assert site.shelf.root in public
    assert "/models" not in public


def test_a_shop_is_paused_and_asked_from_afar(site: Site) -> None:
    """Cameras stop and go on; counts are the counter's; what every module does is reported, without frames or faces."""
    until(lambda: (site.hub.twin.call("counts", None)[1].get("cameras", {}).get("door") or {}).get("totals"), 60, "a visit")
    assert site.hub.twin.call("pause", {"camera": "door"}) == (200, {"cameras": ["door"]})
    until(lambda: b'"paused"' in site.listener.payloads("status/capture")[-1])
    until(lambda: site.status()["cameras"]["door"]["pausedAt"])
    assert site.hub.twin.call("resume", None)[0] == 200
    until(lambda: b'"running"' in site.listener.payloads("status/capture")[-1])
    until(lambda: site.status()["cameras"]["door"]["pausedAt"] is None)
    every = set(MODULES)
    until(lambda: site.hub.twin.reported["modules"].keys() >= every, 45, "a report of all, half a minute after the first")
    assert site.hub.twin.reported["policy"]["forward"] == "visits"
