"""The HTTP interface, as its clients use it."""

import io
import json
import struct
import threading
import time
import zipfile
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bus import Frame
from tests.support import samples, tflite
from tests.support.broker import Broker, free_port
from tests.support.fruits import Fruits
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import until

FORM = "multipart/form-data; boundary=x"
LIMIT = 4 * 1024 * 1024
RED = np.full((40, 60, 3), (0, 51, 204), np.uint8)
SHOWN = {"blue": 0.0, "green": 0.2, "red": 0.8}


def png(width: int, height: int) -> bytes:
    """A PNG that says it has that many pixels, with next to nothing in it."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


def encoded(picture: Any = RED, kind: str = ".png") -> bytes:
    """A picture as a file."""
    return bytes(cv2.imencode(kind, picture)[1].tobytes())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that tells the mean colour of a picture."""
    folder = tmp_path_factory.mktemp("colours")
    (folder / "model.tflite").write_bytes(tflite.classification(np.eye(3) / 255, np.zeros(3)))
    (folder / "labels.txt").write_text("blue\ngreen\nred")
    return folder


class Pictures(BaseHTTPRequestHandler):
    """A machine with a picture, redirections to it and away, and one that never ends."""

    def do_GET(self) -> None:  # as http.server has it
        """Answers by path."""
        path, _, rest = self.path[1:].partition("/")
        if path == "to":
            self.send_response(302)
            self.send_header("Location", rest)
            self.end_headers()
            return
        self.send_response(200 if path != "none" else 404)
        self.end_headers()
        try:
            for _ in range(10_000 if path == "endless" else 1):
                self.wfile.write(bytes(1024) if path == "endless" else encoded())
        except OSError:
            return

    def log_message(self, *_: object) -> None:
        """Keeps quiet."""


@pytest.fixture(scope="module")
def machine() -> Iterator[int]:
    """The port of a machine with pictures."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Pictures) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(scope="module")
def served(folder: Path, machine: int) -> Iterator[tuple[httpx.Client, Module]]:
    """A running classifier, without a broker, that may fetch from the machine."""
    port = free_port()
    module = Module("classifier", free_port(), MODEL=folder, HTTP_PORT=port, URL_HOSTS=f"127.0.0.1:{machine}, other.example")
    with module, httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=20) as client:
        module.wait_for_log("running")
        yield client, module


@pytest.fixture
def client(served: tuple[httpx.Client, Module]) -> httpx.Client:
    """Asks the classifier."""
    return served[0]


def probabilities(response: httpx.Response) -> dict[str, float]:
    """By tag name; the answer has every field that its clients know."""
    assert response.status_code == 200, response.text
    answer = response.json()
    assert set(answer) == {"id", "project", "iteration", "created", "predictions"}
    assert answer["created"].endswith("Z")
    assert all(set(one) == {"tagName", "probability", "tagId", "boundingBox"} for one in answer["predictions"])
    return {one["tagName"]: one["probability"] for one in answer["predictions"]}


def refused(response: httpx.Response, status: int) -> str:
    """The message of a refusal, which is JSON."""
    assert response.status_code == status, response.text
    problem = response.json()
    assert set(problem) == {"code", "message"}
    assert problem["code"].isalpha()
    return str(problem["message"])


@pytest.mark.parametrize("ending", ["image", "image/nostore"])
@pytest.mark.parametrize("prefix", ["", "shop/", "shop/classify/iterations/v1/", "shop/detect/iterations/v1/"])
def test_a_picture_in_the_body(client: httpx.Client, prefix: str, ending: str) -> None:
    """On every route that Custom Vision's clients use, as a body and as a form."""
    headers = {"Content-Type": "application/octet-stream"}
    assert probabilities(client.post(f"/{prefix}{ending}", content=encoded(), headers=headers)) == pytest.approx(SHOWN, abs=0.001)
    form = client.post(f"/{prefix}{ending}", files={"imageData": ("a.png", encoded(), "image/png")})
    assert probabilities(form) == pytest.approx(SHOWN, abs=0.001)


@pytest.mark.parametrize("kind", [".png", ".jpg", ".bmp", ".webp"])
def test_kinds_of_pictures(client: httpx.Client, kind: str) -> None:
    """What OpenCV reads is read, whatever the request calls it."""
    assert probabilities(client.post("/image", content=encoded(kind=kind))) == pytest.approx(SHOWN, abs=0.02)


def test_a_picture_is_turned_as_it_says(served: tuple[httpx.Client, Module]) -> None:
    """EXIF's orientation counts: of a wide picture, the middle of another square is seen once it is upright."""
    halves = np.zeros((600, 300, 3), np.uint8)
    halves[:150] = (0, 51, 204)  # outside the centred square
    jpeg = encoded(halves, ".jpg")
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    turned = jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]
    from classifier.preprocess import decode_any

    assert decode_any(jpeg).shape == (600, 300, 3)
    assert decode_any(turned).shape == (300, 600, 3)
    assert probabilities(served[0].post("/image", content=turned))


@pytest.mark.parametrize("prefix", ["", "shop/", "shop/classify/iterations/v1/"])
def test_a_picture_elsewhere(client: httpx.Client, machine: int, prefix: str) -> None:
    """Fetched from a machine that is allowed, redirections within it too."""
    for path in ("a.png", "to//a.png", f"to/http://127.0.0.1:{machine}/a.png"):
        response = client.post(f"/{prefix}url", json={"url": f"http://127.0.0.1:{machine}/{path}"})
        assert probabilities(response) == pytest.approx(SHOWN, abs=0.001)


@pytest.mark.parametrize(
    ("url", "status", "reason"),
    [
        ("http://127.0.0.1:1/a.png", 403, "http://127.0.0.1:1 is not allowed"),
        ("http://127.0.0.1/a.png", 403, "not allowed"),
        ("http://HERE/to/http://127.0.0.1:9/a.png", 403, "127.0.0.1:9 is not allowed"),
        ("http://HERE/to/file:///etc/passwd", 403, "not allowed"),
        ("file:///etc/passwd", 403, "not allowed"),
        ("http://HERE@127.0.0.1:9/", 403, "not allowed"),
        ("ftp://HERE/a.png", 403, "not allowed"),
        ("http://HERE/none", 400, "answers 404"),
        ("http://HERE/endless", 400, "more than 4194304 bytes"),
        ("http://[", 403, "not allowed"),
        ("http://" + "a" * 70_000, 400, "URL too long"),
        ("", 403, "not allowed"),
    ],
)
def test_addresses_that_are_refused(client: httpx.Client, machine: int, url: str, status: int, reason: str) -> None:
    """Other machines, ports and schemes, also by redirection; what fails or does not end."""
    url = url.replace("HERE", f"127.0.0.1:{machine}")
    assert reason in refused(client.post("/url", json={"url": url}), status)


def test_redirections_without_end(client: httpx.Client, machine: int) -> None:
    """Five are followed, a sixth is not."""
    step = f"http://127.0.0.1:{machine}/to/"
    picture = f"http://127.0.0.1:{machine}/a.png"
    assert probabilities(client.post("/url", json={"url": step * 5 + picture}))
    assert "more than 5 redirections" in refused(client.post("/url", json={"url": step * 6 + picture}), 400)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"url": 7}', b"\xff"])
def test_what_is_no_address(client: httpx.Client, body: bytes) -> None:
    """A body that tells no address is told so."""
    assert "url" in refused(client.post("/url", content=body), 400)


def test_no_address_without_hosts(folder: Path) -> None:
    """Off unless machines are named."""
    port = free_port()
    with Module("classifier", free_port(), MODEL=folder, HTTP_PORT=port) as module:
        module.wait_for_log("running")
        response = httpx.post(f"http://127.0.0.1:{port}/url", json={"url": "http://127.0.0.1/"}, trust_env=False)
    assert "URL_HOSTS is not set" in refused(response, 403)


def zipped() -> bytes:
    """A zip, which is no picture."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("a", "b")
    return target.getvalue()


def test_bodies_that_are_no_picture(served: tuple[httpx.Client, Module]) -> None:
    """Truncated, huge by their header, too large, empty, of another kind: JSON and a 4xx each, and hardly more memory."""
    client, module = served
    assert module.process
    own = psutil.Process(module.process.pid)
    before = own.memory_info().rss
    jpeg = bytearray(encoded(kind=".jpg"))
    start = jpeg.index(b"\xff\xc0")
    jpeg[start + 5 : start + 9] = struct.pack(">HH", 30_000, 30_000)
    cases = [b"", encoded(kind=".jpg")[:200], encoded()[:50], bytes(jpeg), png(30_000, 30_000), zipped(), b"GIF89a", bytes(1000)]
    for body in cases:
        refused(client.post("/image", content=body), 400)
        refused(client.post("/image", files={"imageData": ("a", body)}), 400)
    assert "at most 4194304 bytes" in refused(client.post("/image", content=bytes(5 * 1024 * 1024)), 413)
    assert "4194304" in refused(client.post("/image", files={"imageData": ("a", bytes(5 * 1024 * 1024))}), 413)
    for form in (b"", b"--x", b"--x\r\n\r\n--x--", b"--x\r\nContent-Disposition: form-data; name=other\r\n\r\n1\r\n--x--\r\n"):
        refused(client.post("/image", content=form, headers={"Content-Type": FORM}), 400)
    refused(client.post("/image", content=b"", headers={"Content-Type": "multipart/form-data"}), 400)
    assert own.memory_info().rss - before < 200e6
    assert probabilities(client.post("/image", content=encoded()))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=400), st.sampled_from(["application/octet-stream", FORM]), st.integers(0, 3000))
def test_whatever_is_sent(client: httpx.Client, damage: bytes, kind: str, where: int) -> None:
    """Damage anywhere in a picture or a form: an answer, or JSON and a 4xx; never a 500."""
    picture = encoded(kind=".jpg")
    body = b'--x\r\nContent-Disposition: form-data; name="imageData"; filename="a"\r\n\r\n' + picture + b"\r\n--x--\r\n"
    whole = body if kind == FORM else picture
    response = client.post(
        "/image", content=whole[:where] + damage + whole[where + len(damage) :], headers={"Content-Type": kind}
    )
    assert response.status_code in (200, 400)
    json.loads(response.text)


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/none", 404), ("GET", "/image", 405), ("POST", "/a/b/image", 404)]
)
def test_other_routes(client: httpx.Client, method: str, path: str, status: int) -> None:
    """What there is not is said in JSON too."""
    refused(client.request(method, path), status)


def test_what_is_served(client: httpx.Client) -> None:
    """Model, labels and runtime; that it makes progress; and a description for other programs."""
    about = client.get("/").json()
    assert about["model"].startswith("colours")
    assert about["labels"] == ["blue", "green", "red"]
    assert "thread" in about["runtime"]
    health = client.get("/healthz")
    assert (health.status_code, health.json()["stalled_seconds"] < 5) == (200, True)
    assert {"/image", "/url"} <= set(client.get("/openapi.json").json()["paths"])
    assert client.get("/docs").status_code == 200


def test_a_port_that_is_taken(folder: Path, machine: int) -> None:
    """Exit code 2 and one line."""
    with Module("classifier", free_port(), MODEL=folder, HTTP_PORT=machine) as module:
        assert module.process
        assert module.process.wait(30) == 2
        assert f"HTTP_PORT={machine} on 127.0.0.1: Address already in use" in module.log


def test_frames_and_requests_take_turns(broker: Broker, folder: Path) -> None:
    """While frames come faster than they are predicted and eight clients ask without pause, both get answers all the time."""
    port, ended, asked = free_port(), threading.Event(), [0]
    settings_of = {"MODEL": folder, "HTTP_PORT": port, "MAX_FRAME_AGE": 60}
    body = encoded(kind=".jpg")

    def ask() -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=20) as client:
            while not ended.is_set():
                assert client.post("/image", content=body).status_code == 200
                asked[0] += 1

    with Listener(broker.port, "footfall/+/prediction") as listener, Module("classifier", broker.port, **settings_of) as module:
        module.wait_for_log("connected to the broker")
        clients = [threading.Thread(target=ask, daemon=True) for _ in range(8)]
        for one in clients:
            one.start()
        try:
            end = time.monotonic() + 4
            while time.monotonic() < end:
                frame = Frame("door", 0, time.time(), 64, 48, samples.jpeg())
                listener.publish(frame.topic, frame.pack())
                time.sleep(0.005)
            until(lambda: len(listener.payloads("prediction")) > 40 and asked[0] > 40, 20, "both")
        finally:
            ended.set()
            for one in clients:
                one.join(20)


def test_photographs_over_http(fruits: Fruits) -> None:
    """Each photograph gets the top label that the classic service gave."""
    port = free_port()
    with Module("classifier", free_port(), MODEL=fruits.folder, HTTP_PORT=port) as module:
        module.wait_for_log("running")
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=20) as client:
            for name, expected in fruits.reference.items():
                found = probabilities(client.post("/image", content=(fruits.photos / name).read_bytes()))
                assert max(found, key=found.__getitem__) == max(expected, key=expected.__getitem__), name
