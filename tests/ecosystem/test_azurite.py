"""A model from a real Azurite, by TLS and a shared access signature, that the cloud requests in the bridge's twin."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest
import trustme

from bus import Status
from demo.about import MODEL
from tests.classifier.model_server import make_zip, sha256
from tests.edgehub.hub import EdgeHub
from tests.support.azurite import Azurite
from tests.support.broker import Broker
from tests.support.link import open_link
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import limit, until

pytestmark = [pytest.mark.system, pytest.mark.ecosystem, pytest.mark.timeout(limit(180))]

NAME = "door-7.zip"


def model_zip(*labels: str) -> bytes:
    """Returns the demo's model with other names of its labels, as an export that is about 800 kB."""
    files = {path.name: path.read_bytes() for path in sorted(MODEL.iterdir())}
    return make_zip(files | {"labels.txt": "\n".join(labels).encode()})


FIRST, SECOND, THIRD = (model_zip("man", "nobody", name) for name in ("woman", "child", "dog"))
CUT = 500_000
"""Bytes after which the line is cut, more than half of a zip."""


class Site:
    """A classifier and a bridge with a broker, a stand-in for edgeHub, and a real Azurite behind a line that is cut."""

    def __init__(self, folder: Path, broker: Broker, hub: EdgeHub, azurite: Azurite) -> None:
        settings = {"MODEL": MODEL, "SINKS": "edgehub", "STATE_DIR": folder, "SSL_CERT_FILE": folder / "authority.pem"}
        self.classifier, self.bridge = (
            Module(name, broker.port, **settings, **hub.environment) for name in ("classifier", "bridge")
        )
        self.listener = Listener(broker.port, "footfall/status/classifier")
        self.hub, self.azurite = hub, azurite

    def request(self, content: bytes, query: str, port: int) -> None:
        """Requests the blob by the module's twin, with this query, over a link's port."""
        wanted = {"modelUrl": self.azurite.address(NAME, query, port), "modelSha256": sha256(content)}
        self.hub.twin.patch(wanted)

    def wait_for(self, state: str, content: bytes, detail: str = "") -> Status:
        """Waits until the classifier reports this state of the zip."""

        def reached() -> Status | None:
            status = Status.unpack(self.listener.wait_for("status/classifier")[-1])
            update = status.about.update
            is_reached = update and (update.state, update.sha256) == (state, sha256(content)) and detail in update.detail
            return status if is_reached else None

        return until(reached, 40, f"{state} {detail}")

    @property
    def output(self) -> str:
        """All that anybody can read: logs, states, and reports to the cloud."""
        states = b"".join(self.listener.payloads()).decode()
        return self.classifier.log + self.bridge.log + states + json.dumps(self.hub.twin.reports)


@pytest.fixture
def site(tmp_path: Path, broker: Broker) -> Iterator[Site]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    with Azurite(tmp_path, authority) as azurite, EdgeHub(tmp_path / "hub") as hub:
        running = Site(tmp_path, broker, hub, azurite)
        with running.listener, running.classifier, running.bridge:
            until(lambda: hub.twin.reported.get("modules"), 60, "the first report")
            yield running


def test_a_model_over_a_line_that_is_cut(site: Site) -> None:
    """The download continues where the line was cut, also after a restart. If the blob has changed since, it begins again.

    A wrong or expired signature is reported as HTTP 403. Nobody sees a signature or a path.
    """
    azurite, valid = site.azurite, site.azurite.sign("r")
    wrong = valid[:-8] + "AAAAA%3D"
    azurite.upload(NAME, FIRST)
    with open_link(azurite.port, CUT) as link:
        site.request(FIRST, valid, link.port)
        assert site.wait_for("serving", FIRST).about.labels == ("man", "woman")
        (whole, rest) = azurite.answers
        assert (whole, rest[0]) == ((200, len(FIRST)), 206)
        assert 0 < rest[1] < len(FIRST) - CUT / 2

        azurite.upload(NAME, SECOND)
        site.request(THIRD, valid, link.port)
        site.wait_for("waiting", THIRD, "the connection was lost")
        site.classifier.end()
        azurite.upload(NAME, THIRD)
        site.classifier.start()
        site.wait_for("waiting", THIRD, "the file has changed")
        assert site.wait_for("serving", THIRD).about.labels == ("man", "dog")
        assert [status for status, _ in azurite.answers[2:]] == [200, 206, 200, 206]

        for content, query in ((SECOND, wrong), (b"another", azurite.sign("r", -60))):
            site.request(content, query, link.port)
            status = site.wait_for("failed", content, f"https://127.0.0.1:{link.port}: the server answered HTTP 403")
            assert status.about.labels == ("man", "dog")
    for secret in (NAME, *(parse_qs(query)["sig"][0] for query in (valid, wrong)), *(query[-20:] for query in (valid, wrong))):
        assert secret not in site.output
    assert "the download continues after" in site.classifier.log
