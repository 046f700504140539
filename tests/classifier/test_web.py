"""Tests of the HTTP interface, as its clients use it."""

import asyncio
import gzip
import json
import logging
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import web
from classifier.export import read_export
from classifier.model import Model
from classifier.pipeline import Pipeline
from classifier.recogniser import Recogniser
from classifier.visitors import Rules
from classifier.web import MAX_PICTURE_BYTES, create_app
from runtime.logs import silence_http_clients
from runtime.metrics import Metrics
from tests.classifier.model_server import Handler, ModelServer, make_zip, send_all, send_endlessly, trickle_head, write_export
from tests.support.secrets import MARK, addresses
from tests.support.wait import limit, until

pytestmark = pytest.mark.broker  # uses sockets

OCTETS, FORM = "application/octet-stream", "multipart/form-data; boundary=x"
RED = np.full((40, 60, 3), (0, 51, 204), np.uint8)
PNG, JPEG, BMP = (cv2.imencode(kind, RED)[1].tobytes() for kind in (".png", ".jpg", ".bmp"))
WEBP = cv2.imencode(".webp", RED, [cv2.IMWRITE_WEBP_QUALITY, 100])[1].tobytes()


def check(response: Any, tolerance: float = 0.02) -> None:
    """Checks that the response has the picture's colours by tag name, and every field that clients expect."""
    assert response.status_code == 200, response.text
    answer = response.json()
    assert set(answer) == {"id", "project", "iteration", "created", "predictions"}
    assert answer["created"].endswith("Z")
    assert all(set(one) == {"tagName", "probability", "tagId", "boundingBox"} for one in answer["predictions"])
    found = {one["tagName"]: one["probability"] for one in answer["predictions"]}
    assert found == pytest.approx({"blue": 0.0, "green": 0.2, "red": 0.8}, abs=tolerance)


def refused(response: Any, status: int) -> str:
    """Checks an error response and returns its message."""
    assert response.status_code == status, response.text
    problem = response.json()
    assert set(problem) == {"code", "message"}
    assert problem["code"].isalpha()
    return str(problem["message"])


def by_path(handler: Handler) -> None:
    """Redirects to the address in the path, or sends the picture, 32 MB that were compressed twice, or data without end."""
    if handler.path.startswith("/to/"):
        handler.head(302, Location=handler.path.removeprefix("/to/"))
    elif handler.path in ("/compressed", "/twice"):
        bomb = gzip.compress(gzip.compress(bytes(32 << 20)))
        encoding = {"Content-Encoding": "gzip, gzip"} if handler.path == "/compressed" else {}
        handler.head(200, **encoding, **{"Content-Length": str(len(bomb))})
        handler.wfile.write(bomb)
    else:
        {"/endless": send_endlessly, "/slow": trickle_head}.get(handler.path, send_all)(handler)


@pytest.fixture(scope="module")
def machine() -> Iterator[ModelServer]:
    """A server with a picture."""
    with ModelServer(PNG, answer=by_path) as running:
        yield running


@pytest.fixture(scope="module")
def client(machine: ModelServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of an application that may fetch from `machine`; its model returns the mean colour of a picture."""
    folder = write_export(tmp_path_factory.mktemp("models") / "colours", ("blue", "green", "red"))
    recogniser = Recogniser(Model(read_export(folder), trial=("true",)), Rules())
    pipeline = Pipeline(recogniser, 2.0, Metrics(), lambda _: None, lambda *_: None)
    with pipeline.workers[0], pipeline.workers[1]:
        yield TestClient(create_app(pipeline, dict, (machine.root.removeprefix("http://"), "other.example")))


def post(client: TestClient, body: bytes, kind: str = FORM) -> Any:
    return client.post("/image", content=body, headers={"Content-Type": kind})


@pytest.mark.parametrize("ending", ["", "/nostore"])
@pytest.mark.parametrize("prefix", ["", "shop/", "shop/classify/iterations/v1/", "shop/detect/iterations/v1/"])
def test_every_route(client: TestClient, machine: ModelServer, prefix: str, ending: str) -> None:
    """Every route takes a picture as the body, in a form, or by its address, in the containers' or the cloud's spelling."""
    check(client.post(f"/{prefix}image{ending}", content=PNG, headers={"Content-Type": OCTETS}), 0.001)
    check(client.post(f"/{prefix}image{ending}", files={"imageData": ("a.png", PNG, "image/png")}), 0.001)
    for path, key in (("to//a.png", "url"), (f"to/{machine.root}/a.png", "Url"), ("a.png", "URL")):
        check(client.post(f"/{prefix}url{ending}", json={key: f"{machine.root}/{path}"}), 0.001)


def form(*parts: tuple[str, bytes]) -> bytes:
    """Returns the body of a form with these parts: disposition and content."""
    head = "--x\r\nContent-Disposition: form-data; {}\r\n\r\n"
    return b"".join(head.format(disposition).encode() + content + b"\r\n" for disposition, content in parts) + b"--x--\r\n"


@pytest.mark.parametrize("picture", [PNG, JPEG, BMP, WEBP], ids=["png", "jpeg", "bmp", "webp"])
@pytest.mark.parametrize(
    "disposition",
    ['name="imageData"', 'name="IMAGEDATA"; filename="a"', "name=file; filename=a.jpg", 'name="image"', 'name=""'],
)
@pytest.mark.parametrize("content_type", [FORM, "Multipart/Form-Data; Boundary=x", 'MULTIPART/FORM-DATA;boundary="x"'])
def test_forms_of_all_kinds(client: TestClient, picture: bytes, disposition: str, content_type: str) -> None:
    """The picture may lack a file name, have another field name, or stand among other fields; capitals do not matter."""
    part = (disposition, picture)
    for body in (form(part), form(part, ("name=more", b"1")), form(("name=comment", b"1"), part)):
        check(post(client, body, content_type))


def test_bodies_without_a_picture(client: TestClient) -> None:
    """Truncated, oversized, empty and other bodies get a 4xx in JSON. A picture just below the limit is classified."""
    huge = JPEG.replace(struct.pack(">HH", 40, 60), struct.pack(">HH", 30_000, 30_000))
    assert "30000x30000 pixels" in refused(post(client, huge, OCTETS), 400)
    for body in (b"", JPEG[:200], PNG[:50], make_zip({}), b"GIF89a", bytes(1000)):
        refused(post(client, body, OCTETS), 400)
        refused(post(client, form(("name=imageData; filename=a", body))), 400)
    for broken in (b"", b"--x", b"--x\r\n\r\n--x--", form(("name=other", b"1"))):
        refused(post(client, broken), 400)
    refused(post(client, b"", "multipart/form-data"), 400)
    large = cv2.imencode(".bmp", np.tile(RED, (15, 13, 1)))[1].tobytes()
    check(post(client, form(("name=imageData", large))))
    check(post(client, form(("name=IMAGEDATA", PNG), ("name=more; filename=a", bytes(10_000)))))
    assert "at most 4194304 bytes" in refused(post(client, bytes(MAX_PICTURE_BYTES + 1), "image/png"), 413)
    for size in (MAX_PICTURE_BYTES + 1, MAX_PICTURE_BYTES + 1_000_000):
        assert "4194304" in refused(post(client, form(("name=imageData", bytes(size)))), 413)


@settings(max_examples=60)
@given(st.binary(max_size=400), st.sampled_from([OCTETS, FORM]), st.integers(0, 3000))
def test_damaged_requests(client: TestClient, damage: bytes, kind: str, where: int) -> None:
    """A picture or form damaged anywhere gets a result or a 400 in JSON, never a 500."""
    body = form(('name="imageData"; filename="a"', JPEG)) if kind == FORM else JPEG
    response = post(client, body[:where] + damage + body[where + len(damage) :], kind)
    assert response.status_code in (200, 400)
    json.loads(response.text)


@pytest.mark.parametrize(
    ("url", "status", "reason"),
    [
        ("http://127.0.0.1:1/a.png", 403, "http://127.0.0.1:1 is not allowed"),
        ("http://127.0.0.1/a.png", 403, "not allowed"),
        ("HERE/to/http://127.0.0.1:9/a.png", 403, "127.0.0.1:9 is not allowed"),
        ("HERE/to/file:///etc/passwd", 403, "not allowed"),
        ("file:///etc/passwd", 403, "not allowed"),
        ("HERE@127.0.0.1:9/", 403, "not allowed"),
        ("ftp://other.example/a.png", 403, "not allowed"),
        ("HERE/endless", 400, "more than the allowed 4194304 bytes"),
        ("http://[", 403, "not allowed"),
        ("HERE/compressed", 400, "the server compressed the answer"),
        ("HERE/twice", 400, "picture"),
        ("http://" + "a" * 70_000, 413, "the body has at most 16384 bytes"),
        ("", 403, "not allowed"),
    ],
)
def test_addresses_that_are_refused(client: TestClient, machine: ModelServer, url: str, status: int, reason: str) -> None:
    """Other machines, ports and schemes are refused, also after a redirect, and so are endless downloads."""
    assert reason in refused(client.post("/url", json={"url": url.replace("HERE", machine.root)}), status)


def test_slow_machines_hold_up_nothing_else(client: TestClient, machine: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few pictures are fetched at once, each within a time limit, also if the headers come byte by byte."""
    monkeypatch.setattr(web, "URL_LIMITS", replace(web.URL_LIMITS, timeout=limit(0.5)))
    slow = {"url": f"{machine.root}/slow"}
    with ThreadPoolExecutor() as pool:
        answers = [pool.submit(client.post, "/url", json=slow) for _ in range(web.MAX_DOWNLOADS)]
        until(lambda: machine.paths.count("/slow") == web.MAX_DOWNLOADS, what="the downloads")
        assert "4 other pictures are being fetched" in refused(client.post("/url", json=slow), 503)
        check(post(client, JPEG, OCTETS))
        for answer in answers:
            assert "the download took longer than" in refused(answer.result(), 400)
    check(client.post("/url", json={"url": f"{machine.root}/a.png"}))


@settings(max_examples=40)
@given(address=addresses(schemes=("http", "HTTPS")).map(lambda pair: pair[0]))
def test_no_secret_of_an_address_is_shown(
    client: TestClient, machine: ModelServer, caplog: pytest.LogCaptureFixture, address: str
) -> None:
    """No response and no log line has the secret, for allowed and other machines, and after redirects."""
    caplog.set_level(logging.DEBUG)
    silence_http_clients()  # as a process does at its start
    place = machine.root.removeprefix("http://")
    check(client.post("/url", json={"url": f"http://me:{MARK}@{place}/a.png?token={MARK}"}))
    for url in (address, address.replace("127.0.0.1", place), f"{machine.root}/to/{address}"):
        assert MARK.lower() not in client.post("/url", json={"url": url}).text.lower()
    assert MARK not in caplog.text


def test_other_requests(client: TestClient) -> None:
    """Bodies without an address, unknown routes and wrong methods get an error in JSON."""
    for body in (b"", b"{", b"[]", b"{}", b'{"url": 7}', b"\xff"):
        assert "url" in refused(client.post("/url", content=body), 400)
    for method, path, code in (("GET", "/none", 404), ("GET", "/image", 405), ("POST", "/a/b/image", 404)):
        refused(client.request(method, path), code)


def test_a_model_that_hangs(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request gets a 503, and so does the health check once a step takes too long."""
    assert client.get("/healthz").status_code == 200
    released = threading.Event()
    with monkeypatch.context() as patch:
        patch.setattr(Pipeline, "ANSWER_TIMEOUT", 0.0)
        patch.setattr(Model, "run", lambda *_: released.wait(limit(10)))
        assert "the model has not answered within 0 s" in refused(post(client, PNG, "image/png"), 503)
        assert client.get("/healthz").status_code == 503
        released.set()


@pytest.mark.parametrize("charset", ["utf-16", "utf-8", "nothing", "latin-1; charset=utf-7"])
def test_the_charset_of_a_form_does_not_matter(client: TestClient, charset: str) -> None:
    """A picture in a field without a file name keeps its bytes, and other content is no picture."""
    kind = f"{FORM}; charset={charset}"
    check(post(client, form(("name=imageData", PNG)), kind))
    for text in ("ab", "\u2020", "+ICA-"):
        assert refused(post(client, form(("name=imageData", text.encode())), kind), 400).startswith("picture: ")


FORM_SCOPE = {
    "type": "http",
    "method": "POST",
    "path": "/image",
    "headers": [(b"content-type", FORM.encode())],
    "query_string": b"",
}


@pytest.mark.parametrize("scope", [FORM_SCOPE, FORM_SCOPE | {"headers": []}, FORM_SCOPE | {"path": "/url"}])
def test_a_client_that_leaves(client: TestClient, scope: dict[str, Any]) -> None:
    """A client that disconnects before its body is complete is no error, which the server would log with a traceback."""
    received = iter([{"type": "http.request", "body": b"--x", "more_body": True}, *[{"type": "http.disconnect"}] * 9])
    sent: list[Any] = []

    async def receive() -> Any:
        return next(received)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(client.app(scope, receive, send))  # type: ignore[arg-type]
    assert sent[0]["status"] == 408


def test_forms_fill_no_log(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    """The parser of forms logs nothing about invalid ones, of which a client can send any number."""
    for body in (b"--x\r\n@: 1\r\n\r\n", b"nothing", b"--x\r\nA: b\n\n"):
        refused(post(client, body), 400)
    assert not caplog.records
