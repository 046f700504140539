"""The classifier over HTTP: whole connections, and single requests with their bodies."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from classifier.__main__ import MAX_REQUESTS
from classifier.export import read_export
from classifier.model import Model
from classifier.pipeline import Pipeline
from classifier.recogniser import Recogniser
from classifier.visitors import Rules
from classifier.web import PREFIXES, create_app
from runtime.metrics import Metrics
from tests.classifier.model_server import write_export
from tests.fuzz.network import no_network
from tests.fuzz.requests import MAX_REQUESTS_BYTES, PIECES, as_request, raw
from tests.fuzz.target import FULL_RUN, Parse, Target
from tests.fuzz.web_server import WebServer, web_server
from tests.support import samples
from tests.support.hostile import png

GOOD = as_request(b"GET /")
FORM = b"POST /image\nContent-Type: multipart/form-data; boundary=x\n\n"
PARTS = (b'name="imageData"', b'name="IMAGEDATA"; filename="a"', b"name=file; filename=a.jpg", b'name=""')
TYPES = b"Content-Type: image/jpeg\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment\r\n"
URL = "http://camera.invalid/a.png"


def form(*parts: bytes, more: bytes = b"") -> bytes:
    """Returns the body of a form with a picture in each part, which has this disposition."""
    head = b"--x\r\nContent-Disposition: form-data; %s\r\n%s\r\n"
    return b"".join(head % (one, more) + samples.jpeg() + b"\r\n" for one in parts) + b"--x--\r\n"


def requests() -> Sequence[bytes]:
    """Returns requests of each route, in their short form."""
    paths = [prefix.format(project="shop", iteration="v1") for prefix in PREFIXES]
    return [
        *(f"{method} {path}".encode() for method in ("GET", "HEAD") for path in ("/", "/healthz", "/docs", "/openapi.json")),
        *(f"POST {path}/image/nostore\n\n".encode() + samples.jpeg() for path in paths),
        b"POST /image\nContent-Type: application/octet-stream\n\n" + png(40, 30),
        *(FORM + form(part) for part in PARTS),
        FORM + form(*PARTS, more=TYPES),
        FORM.replace(b"x\n", b'"x"; charset=utf-16\n') + form(PARTS[0]),
        *(b"POST /url\nContent-Type: application/json\n\n" + json.dumps({key: URL}).encode() for key in ("url", "Url", "URL")),
        b'POST /url\n\n{"url": "http://127.0.0.1:9/\\u0000@x", "Url": ["a"]}',
    ]


def connections() -> Sequence[bytes]:
    """Returns the bytes of connections, some with several requests."""
    wholes = [raw(one) for one in requests()]
    chunked = (
        b"POST /image HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: a\r\n\r\n5;a=b\r\nhello\r\n0\r\na: b\r\n\r\n"
    )
    waiting = b"POST /image HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello"
    return [*wholes, wholes[0] * 3, chunked, chunked + wholes[0], waiting, wholes[8][:-100], GOOD.replace(b"/1.1", b"/1.0")]


@contextmanager
def classifier() -> Iterator[WebServer]:
    """Runs the classifier's server, with a small model."""
    with tempfile.TemporaryDirectory() as folder:
        export = read_export(write_export(Path(folder) / "colours", ("blue", "green", "red")))
    pipeline = Pipeline(Recogniser(Model(export), Rules()), 2.0, Metrics(), bool, lambda *_: None)
    app = create_app(pipeline, lambda: {"model": export.identity, "labels": export.labels}, ["camera.invalid"])
    with pipeline.workers[0], pipeline.workers[1], no_network(), web_server(app, MAX_REQUESTS, GOOD) as server:
        yield server


@contextmanager
def open_connections() -> Iterator[Parse]:
    """Gives a function that sends bytes."""
    with classifier() as server:
        yield server.connect


@contextmanager
def open_requests() -> Iterator[Parse]:
    """Gives a function that sends a request in its short form."""
    with classifier() as server:
        yield lambda short: server.connect(as_request(short))


TARGETS = [
    Target("http.classifier", connections, open_connections, inputs=FULL_RUN // 2, pieces=PIECES, limit=MAX_REQUESTS_BYTES),
    Target(
        "http.classifier.requests",
        requests,
        open_requests,
        inputs=FULL_RUN // 2,
        pieces=(*PIECES, *PARTS, TYPES, b"--x\r\n", b"--x--\r\n"),
    ),
]
