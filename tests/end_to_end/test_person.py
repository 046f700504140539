"""``make run VIDEO_PATH=clip`` without MODEL: the person detector is fetched, and counts people."""

from pathlib import Path

import pytest
import trustme

from bus import Visit
from classifier.person import SHA256
from tests.classifier.model_server import SECRET, ModelServer, make_zip, send_status
from tests.end_to_end.run import make_run
from tests.support.broker import accepts
from tests.support.listener import Listener
from tests.support.people import People
from tests.support.wait import limit, until

pytestmark = pytest.mark.system


def test_people_are_counted_at_once(people: People, tmp_path: Path) -> None:
    """The detector comes from an HTTPS server, once, into the cache. The first visitor of a real clip becomes a visit.

    Without the detector the run ends with exit code 2 and one line, and nothing is stored.
    """
    authority, cache = trustme.CA(), tmp_path / "cache"
    zipped = make_zip({"detect.tflite": people.detector.read_bytes(), "labelmap.txt": b"???\nperson\n"})
    with authority.cert_pem.tempfile() as trusted, ModelServer(zipped, authority) as server:
        own = {"PERSON_MODEL_URL": server.url, "SSL_CERT_FILE": trusted, "XDG_CACHE_HOME": cache, "VIDEO_PATH": people.clip}
        server.answers.append(send_status(404))
        with make_run(tmp_path, **own) as run:
            assert run.process.wait(limit(60)) == 2
            assert run.last_line.startswith(f"footfall run: the person detector cannot be fetched: {server.root}: ")
            assert "answered HTTP 404" in run.last_line
            assert not cache.exists()
            assert not (tmp_path / "state").exists()
        with make_run(tmp_path, **own) as run:
            until(lambda: "broker started" in run.shown and accepts(run.port), 60, "the broker")
            with Listener(run.port, "footfall/door/visit") as listener:
                listener.wait_for("visit", seconds=60)
                visit = Visit.unpack(listener.payloads("visit")[0])
        assert (visit.label, visit.demo) == ("person", False)
        assert run.shown.count("fetching the person detector (SSD MobileNet v1, quantised, 4.2 MB;") == 1
        assert f"serving person@{SHA256[:12]}: labels person, bicycle" in run.shown
        assert len(server.paths) == 2
        assert SECRET not in run.shown
