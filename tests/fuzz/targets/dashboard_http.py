"""The dashboard over HTTP: whole connections, single requests with their bodies, signing in, and what a browser sends live."""

import base64
import itertools
import json
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial
from typing import Any
from unittest.mock import patch

from itsdangerous import TimestampSigner

from bus import Page
from bus.metric_names import MOTION
from dashboard import sign_in
from dashboard.__main__ import MAX_REQUESTS
from dashboard.app import create_app
from dashboard.guard import Guard
from dashboard.hub import Hub
from dashboard.password import session_key
from dashboard.settings import Settings
from tests.fuzz.loopback_bus import LoopbackBus
from tests.fuzz.requests import HOST, MAX_REQUESTS_BYTES, PIECES, as_request, raw
from tests.fuzz.target import FULL_RUN, Parse, Target
from tests.fuzz.web_server import WebServer, web_server
from tests.support import samples
from tests.support.dashboard_rig import CAPTURE

PASSWORD = "correct horse"
GOOD = as_request(b"GET /healthz")
PAGE = Page("visits", "day", "UTC", 1e9, 1.1e9, False, {}, ())
UPGRADE = (
    b"GET /live\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="
)
COOKIE = b"COOKIE"
"""Stands for a valid session."""
WANT = b'{"want": "door"}'
TEXT, BINARY, CLOSE, PING, PONG, CONTINUED = 1, 2, 8, 9, 10, 0
FORM = b"Content-Type: application/x-www-form-urlencoded"
QUERY_PIECES = (
    b"?day=2026-10-25",
    b"&format=csv",
    b"&table=zones",
    b"from=",
    b"2026-11-01T00:00",
    b"&by=hour",
    b"&cursor=",
    b"door",
)


def requests() -> Sequence[bytes]:
    """Returns requests of each route, in their short form."""
    setup, site = samples.setup().pack(), samples.site().pack()
    report = "GET /reports?table=visits&from=2026-11-01&to=2026-11-23&by=day&camera=door&label=woman&format={}"
    paths = ("/", "/main.js", "/healthz", "/site", "/cameras/door/setup", "/cameras/door/snapshot.jpg", "/cameras/back/setup")
    return [
        *(f"GET {path}".encode() for path in paths),
        b'HEAD /\nAccept-Encoding: gzip\nRange: bytes=0-10,20-,-5\nIf-None-Match: "a"\nIf-Modified-Since: 0',
        b'GET /main.js\nRange: bytes=5-100\nIf-Range: "a"',
        b"GET /api/counts?day=2026-10-25&format=csv&table=zones",
        *(report.format(kind).encode() for kind in ("csv", "json")),
        b"PUT /site\nContent-Type: application/json\n\n" + site,
        b"PUT /cameras/door/setup\nOrigin: http://127.0.0.1:9001\nSec-Fetch-Site: same-origin\n\n" + setup,
        b"PUT /cameras/back/setup\nX-Forwarded-For: ::1\nVia: a\n\n" + setup,
        b"DELETE /cameras/door/setup",
        b"GET /live",
    ]


def sign_ins() -> Sequence[bytes]:
    """Returns requests that need a password."""
    basic = base64.b64encode(b":" + PASSWORD.encode())
    return [
        b"POST /sign-in\n" + FORM + b"\n\npassword=correct+horse",
        b"POST /sign-in\nOrigin: http://127.0.0.1:9001\nAccept-Language: de-CH,de;q=0.9,*;q=0.1\n"
        + FORM
        + b"\n\npassword=%ff&a=b&password=b",
        b"GET /sign-in\nAccept: text/html\nAccept-Language: en",
        b"GET /\nAccept: text/html\nSec-Fetch-Mode: navigate\nSec-Fetch-Site: none\nSec-Fetch-Dest: document",
        b"GET /site\nUser-Agent: Mozilla/5.0",
        *(b"GET /site\nCookie: footfall=" + cookie for cookie in (COOKIE, COOKIE + b'; a="b"; footfall=x', b"e30.aaaaaa.bbbb")),
        b"GET /cameras/door/setup\nAuthorization: Basic " + basic,
        b"POST /sign-out\nCookie: footfall=" + COOKIE,
        UPGRADE + b"\nCookie: footfall=" + COOKIE,
    ]


def connections() -> Sequence[bytes]:
    """Returns the bytes of connections, some with several requests."""
    wholes = [raw(one) for one in requests()]
    upgrade = raw(UPGRADE).replace(b"Content-Length: 0\r\n", b"")
    chunked = (
        wholes[-4]
        .replace(b"Content-Length", b"Transfer-Encoding: chunked\r\nX")
        .replace(b"\r\n\r\n", b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
    )
    return [*wholes, wholes[0] * 3, chunked, wholes[-5][:-20], upgrade, upgrade + frames([(TEXT, WANT), (CLOSE, b"")]), GOOD]


def frame(opcode: int, content: bytes, is_last: bool = True, mask: bytes = bytes(4)) -> bytes:
    """Returns a WebSocket frame of a client (RFC 6455, section 5.2)."""
    size = len(content)
    length = (
        bytes([128 | size]) if size < 126 else struct.pack(">BH", 254, size) if size < 65_536 else struct.pack(">BQ", 255, size)
    )
    masked = content if not any(mask) else bytes(one ^ mask[at % 4] for at, one in enumerate(content))
    return bytes([is_last << 7 | opcode]) + length + mask + masked


def frames(several: Sequence[tuple[int, bytes]]) -> bytes:
    """Returns frames, which are their messages."""
    return b"".join(frame(*one) for one in several)


def browsers() -> Sequence[bytes]:
    """Returns the frames that browsers send, and others. The mask is zero, so that mutations of the content are small."""
    split = frame(TEXT, WANT[:5], False) + frame(PING, b"a") + frame(CONTINUED, WANT[5:])
    return [
        frames([(TEXT, WANT)] * 3),
        frame(TEXT, WANT, mask=b"abcd"),
        split,
        frames([(PING, b"hello"), (PONG, b""), (TEXT, WANT), (CLOSE, struct.pack(">H", 1000) + b"bye")]),
        frames([(BINARY, WANT)]),
        frame(TEXT, b'{"want": "\xff"}'),
        frame(TEXT, json.dumps({"want": ["door"], "more": 1e300}).encode()),
        frame(TEXT, b" " * 5000 + WANT),
        frame(TEXT, b"", False) + frame(CONTINUED, b"", False) * 20,
    ]


def answer(question: Any) -> dict[str, Any]:
    """Returns the answer of a counter, but for the ids."""
    report = replace(samples.report(), day=question.day or samples.report().day)
    return {"problem": "", "report": None, "page": PAGE} if question.query else {"problem": "", "report": report}


@contextmanager
def dashboard(password: str | None = None) -> Iterator[WebServer]:
    """Runs the dashboard's server, for a camera at which nothing moves, with a broker and a counter in memory."""
    settings = Settings(mqtt_port=1, module_name="dashboard", web_port=0)
    bus = LoopbackBus(settings, answer)
    hub = Hub(bus, settings, password is not None)
    app = Guard(create_app(hub), password, [], clock=partial(next, itertools.count(0, 3600)))
    with web_server(app, MAX_REQUESTS, GOOD, has_websockets=True) as server:
        bus.settle()
        bus.publish(replace(CAPTURE, metrics={MOTION: 0}))
        yield server


@cache
def session() -> bytes:
    """Returns the cookie of a session."""
    text = base64.b64encode(json.dumps({"at": 2e9}).encode())
    return TimestampSigner(cached_key(PASSWORD)).sign(text)


cached_key = cache(session_key)


@contextmanager
def opened(convert: Callable[[bytes], bytes], password: str | None = None) -> Iterator[Parse]:
    """Gives a function that sends an input after this conversion."""
    with patch.object(sign_in, "session_key", cached_key), dashboard(password) as server:
        yield lambda data: server.connect(convert(data))


@contextmanager
def opened_live() -> Iterator[Parse]:
    """Gives a function that sends frames on a WebSocket."""
    with dashboard() as server:
        yield lambda data: server.connect(raw(UPGRADE).replace(b"Content-Length: 0\r\n", b""), data)


def signed_in(short: bytes) -> bytes:
    """Returns a request with a valid cookie."""
    return as_request(short.replace(COOKIE, session()))


FRAMES = (
    *PIECES[:8],
    WANT,
    *(frame(kind, b"") for kind in (TEXT, CLOSE, PING, PONG, CONTINUED)),
    b"\x88\x82\0\0\0\0\x03\xe8",
    b"\xfe",
    b"\xff",
)
TARGETS = [
    Target(
        "http.dashboard",
        connections,
        partial(opened, bytes),
        inputs=FULL_RUN // 3,
        pieces=(*PIECES, HOST),
        limit=MAX_REQUESTS_BYTES,
    ),
    Target(
        "http.dashboard.requests", requests, partial(opened, as_request), inputs=FULL_RUN // 3, pieces=(*PIECES, *QUERY_PIECES)
    ),
    Target(
        "http.dashboard.sign-in",
        sign_ins,
        partial(opened, signed_in, PASSWORD),
        inputs=FULL_RUN // 3,
        pieces=(*PIECES, COOKIE, b"%f0%9f"),
    ),
    Target("http.dashboard.live", browsers, opened_live, pieces=FRAMES, limit=MAX_REQUESTS_BYTES),
]
