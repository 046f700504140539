"""The HTTP interface, as its clients use it."""

import json
import struct
import threading
import time
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bus import Frame
from tests.classifier.shelf import zipped
from tests.support import samples
from tests.support.broker import Broker, free_port
from tests.support.listener import Listener
from tests.support.module import Module
from tests.support.wait import limit, until
from tests.support.web import RED, SHOWN, encoded, probabilities, refused

pytestmark = pytest.mark.system

FORM = "multipart/form-data; boundary=x"
LIMIT = 4 * 1024 * 1024


@pytest.mark.parametrize("ending", ["image", "image/nostore"])
@pytest.mark.parametrize("prefix", ["", "shop/", "shop/classify/iterations/v1/", "shop/detect/iterations/v1/"])
def test_a_picture_in_the_body(client: httpx.Client, prefix: str, ending: str) -> None:
    """On every route that Custom Vision's clients use, as a body and as a form."""
    headers = {"Content-Type": "application/octet-stream"}
    assert probabilities(client.post(f"/{prefix}{ending}", content=encoded(), headers=headers)) == pytest.approx(SHOWN, abs=0.001)
    form = client.post(f"/{prefix}{ending}", files={"imageData": ("a.png", encoded(), "image/png")})
    assert probabilities(form) == pytest.approx(SHOWN, abs=0.001)


def form(*parts: tuple[str, bytes], end: bytes = b"--x--\r\n") -> bytes:
    """The body of a form with parts of these dispositions."""
    head = "--x\r\nContent-Disposition: form-data; {}\r\n\r\n"
    return b"".join(head.format(disposition).encode() + content + b"\r\n" for disposition, content in parts) + end


@pytest.mark.parametrize("kind", [".png", ".jpg", ".bmp", ".webp"])
@pytest.mark.parametrize(
    "disposition",
    ['name="imageData"', 'name="IMAGEDATA"; filename="a"', "name=file; filename=a.jpg", 'name="image"', 'name=""'],
)
@pytest.mark.parametrize("content_type", [FORM, "Multipart/Form-Data; Boundary=x", 'MULTIPART/FORM-DATA;boundary="x"'])
def test_forms_of_all_kinds(client: httpx.Client, kind: str, disposition: str, content_type: str) -> None:
    """Without a file name, under another name, and with a content type in capitals; beside other fields too."""
    picture = (disposition, encoded(kind=kind))
    for body in (form(picture), form(picture, ("name=more", b"1")), form(("name=comment", b"1"), picture)):
        response = client.post("/image", content=body, headers={"Content-Type": content_type})
        assert probabilities(response) == pytest.approx(SHOWN, abs=0.02)


def test_a_large_picture_in_a_field(client: httpx.Client) -> None:
    """Up to the limit, without a file name too."""
    large = np.tile(RED, (15, 13, 1))
    response = client.post("/image", content=form(("name=imageData", encoded(large, ".bmp"))), headers={"Content-Type": FORM})
    assert probabilities(response) == pytest.approx(SHOWN, abs=0.02)
    assert "4194304" in refused(
        client.post("/image", content=form(("name=imageData", bytes(LIMIT + 1))), headers={"Content-Type": FORM}), 413
    )


def test_bodies_that_are_no_picture(served: tuple[httpx.Client, Module]) -> None:
    """Truncated, huge by their header, too large, empty, of another kind: JSON and a 4xx each, and hardly more memory."""
    client, module = served
    assert module.process
    own = psutil.Process(module.process.pid)
    before = own.memory_info().rss
    jpeg = bytearray(encoded(kind=".jpg"))
    start = jpeg.index(b"\xff\xc0")
    jpeg[start + 5 : start + 9] = struct.pack(">HH", 30_000, 30_000)
    other = (zipped({}), b"GIF89a", bytes(1000))
    for body in (b"", encoded(kind=".jpg")[:200], encoded()[:50], bytes(jpeg), *other):
        refused(client.post("/image", content=body), 400)
        refused(client.post("/image", files={"imageData": ("a", body)}), 400)
    assert "at most 4194304 bytes" in refused(client.post("/image", content=bytes(5 * 1024 * 1024)), 413)
    assert "4194304" in refused(client.post("/image", files={"imageData": ("a", bytes(5 * 1024 * 1024))}), 413)
    for form in (b"", b"--x", b"--x\r\n\r\n--x--", b"--x\r\nContent-Disposition: form-data; name=other\r\n\r\n1\r\n--x--\r\n"):
        refused(client.post("/image", content=form, headers={"Content-Type": FORM}), 400)
    refused(client.post("/image", content=b"", headers={"Content-Type": "multipart/form-data"}), 400)
    assert own.memory_info().rss - before < 200e6
    assert probabilities(client.post("/image", content=encoded()))


@settings(max_examples=60)
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
        assert module.process.wait(limit(30)) == 2
        assert f"HTTP_PORT={machine} on 127.0.0.1: Address already in use" in module.log


def test_frames_and_requests_take_turns(broker: Broker, folder: Path) -> None:
    """While frames come faster than they are predicted and eight clients ask without pause, both get answers all the time."""
    port, ended, asked = free_port(), threading.Event(), [0]
    settings_of = {"MODEL": folder, "HTTP_PORT": port, "MAX_FRAME_AGE": 60}
    body = encoded(kind=".jpg")

    def ask() -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=limit(20)) as client:
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
                frame = Frame("door", "a1", 0, 0.0, time.time(), 64, 48, samples.jpeg())
                listener.publish(frame.topic, frame.pack())
                time.sleep(0.005)
            until(lambda: len(listener.payloads("prediction")) > 40 and asked[0] > 40, 20, "both")
        finally:
            ended.set()
            for one in clients:
                one.join(limit(20))
