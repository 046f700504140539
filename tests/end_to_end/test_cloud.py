"""The whole suite under a stand-in cloud: what it wants is done, what it asks is answered."""

import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trustme

from demo.about import CLIP, MODEL
from tests.classifier.model.server import SECRET, Server
from tests.edgehub.hub import EdgeHub
from tests.support.broker import Broker
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.suite import modules_of
from tests.support.wait import limit, until
from tests.support.zone import zone_at_noon


class Site(NamedTuple):
    """A running suite, its edgeHub, and a server of models."""

    hub: EdgeHub
    listener: Listener
    server: Server
    modules: dict[str, Module]

    def status(self) -> dict[str, Any]:
        """What the bridge answers to `status`."""
        status, answer = self.hub.twin.call("status", None)
        assert status == 200
        assert isinstance(answer, dict)
        return answer

    def offer(self, content: bytes) -> None:
        """Has the cloud want this zip."""
        self.server.content, self.server.tag = content, f'"{len(content)}"'
        self.hub.twin.patch({"modelUrl": self.server.url, "modelSha256": hashlib.sha256(content).hexdigest()})

    def served(self) -> str:
        """The model that the classifier says it serves."""
        return str(json.loads(self.listener.payloads("status/classifier")[-1])["metrics"]["model"])


@pytest.fixture
def site(broker: Broker, tmp_path: Path) -> Iterator[Site]:
    """The demo's clip and model; the model is in the folder that bridge and classifier share."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    shutil.copytree(MODEL, tmp_path / "store" / "current")
    with ExitStack() as stack:
        hub = stack.enter_context(EdgeHub(tmp_path / "hub"))
        server = stack.enter_context(Server(authority))
        settings: dict[str, object] = {
            "MODEL": tmp_path / "store" / "current",
            "MODEL_STORE": tmp_path / "store",
            "VIDEO_PATH": CLIP,
            "TZ": zone_at_noon(),
            "UPSTREAM": "edgehub",
            "REQUESTS_CA_BUNDLE": tmp_path / "authority.pem",
        }
        listener = stack.enter_context(Listener(broker.port, "footfall/status/+"))
        modules = stack.enter_context(modules_of(broker.port, **settings, **hub.environment))
        until(lambda: hub.twin.reported.get("modules"), 60, "the first report")
        yield Site(hub, listener, server, modules)


def zipped(folder: Path, **others: bytes) -> bytes:
    """The files of a folder, and others under their names, as a zip."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            archive.writestr(path.name, others.get(path.stem, path.read_bytes()))
    return packed.getvalue()


@pytest.mark.timeout(limit(300))
def test_a_model_from_the_cloud_is_served_and_a_bad_one_turned_back(site: Site) -> None:
    """Fetched, unpacked, taken over while all runs; one that the classifier refuses gives way to the one before; the way back."""
    site.offer(zipped(MODEL))
    until(lambda: site.status()["model"]["state"] == "serving", 60, "the new model")
    new = site.served()
    assert new.startswith("people-")
    site.offer(zipped(MODEL, model=b"TFL3 and nothing that can be run"))
    until(lambda: site.status()["model"]["state"] == "refused", 90, "the refusal")
    model = site.status()["model"]
    assert model["detail"]
    until(lambda: site.served() == new, 60)
    assert site.hub.twin.call("rollback", None)[0] == 409, "the refused one is gone, so there is none before"
    site.offer(zipped(MODEL, labels=b"man\nnobody\nwoman\n"))
    until(lambda: site.status()["model"]["state"] == "serving", 60, "the third model")
    assert site.hub.twin.call("rollback", None)[0] == 200
    until(lambda: site.served() == new, 60)
    assert site.status()["model"]["state"] == "rolled-back"
    told = json.dumps(site.hub.twin.reports) + "".join(module.log for module in site.modules.values())
    assert SECRET not in told
    assert site.server.url.partition("/models")[0] in told
    assert "/models" not in told


@pytest.mark.timeout(limit(300))
def test_a_shop_is_paused_and_asked_from_afar(site: Site) -> None:
    """Cameras stop and go on; counts are the ledger's; what every module does is reported, without frames or faces."""
    until(lambda: (site.hub.twin.call("counts", None)[1]["cameras"].get("door") or {}).get("totals"), 60, "a visit")
    status, answer = site.hub.twin.call("pause", {"camera": "door"})
    assert (status, answer) == (200, {"cameras": ["door"]})
    until(lambda: b'"paused"' in site.listener.payloads("status/capture")[-1])
    until(lambda: site.status()["cameras"]["door"]["pausedAt"])
    assert site.hub.twin.call("resume", None)[0] == 200
    until(lambda: b'"running"' in site.listener.payloads("status/capture")[-1])
    until(lambda: site.status()["cameras"]["door"]["pausedAt"] is None)
    every = {"capture", "classifier", "display", "bridge"}
    until(lambda: site.hub.twin.reported["modules"].keys() >= every, 45, "a report of all, half a minute after the first")
    assert site.hub.twin.reported["policy"]["forward"] == "visits"
