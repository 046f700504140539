"""Host names, origins and sign-in, with Starlette's test client."""

import asyncio
import functools
import re
import time
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from dashboard import sign_in as module
from dashboard.guard import Guard
from dashboard.password import session_key

SECRET = "grün: & sicher"
HERE = "http://127.0.0.1:9001"
LIVE = "ws://127.0.0.1:9001/live"
PERSON = {"Accept": "text/html,*/*", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none", "Sec-Fetch-Dest": "document"}
FORM = {"Origin": HERE, "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.fixture(autouse=True)
def _one_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Derives the key once per password, because it takes a second."""
    monkeypatch.setattr(module, "session_key", cached_key)


cached_key = functools.cache(session_key)


async def _page(request: Request) -> Response:
    if request.url.path == "/broken":
        raise ValueError
    return PlainTextResponse("inside", headers={"may-write": str(request.state.may_write)})


async def _live(socket: WebSocket) -> None:
    await socket.accept()
    await socket.close()


def client(password: str | None = SECRET, url: str = HERE) -> TestClient:
    """A new client, not signed in. Its clock stands still, so waits after wrong passwords do not end."""
    app = Starlette(routes=[WebSocketRoute("/live", _live), Route("/{path:path}", _page, methods=["GET", "POST"])])
    guard = Guard(app, password, ["shop.example", "xn--mnchen-3ya.example"], clock=lambda: 0.0)
    return TestClient(guard, url, raise_server_exceptions=False, follow_redirects=False)


def sign_in(browser: TestClient, password: str = SECRET) -> Any:
    return browser.post("/sign-in", data={"password": password}, headers=FORM)


def basic(password: str, user: str = "any") -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


def live_code(one: TestClient, headers: dict[str, str] | None = None) -> int:
    """Returns the WebSocket's close code, before or after it was accepted; the app closes with 1000."""
    with pytest.raises(WebSocketDisconnect) as end, one.websocket_connect(LIVE, headers=dict(headers or {})) as socket:
        socket.receive_text()
    return end.value.code


def raw(app: Any, headers: list[tuple[bytes, bytes]], *received: Message, **scope: Any) -> list[Message]:
    """Returns the app's messages to a client that sends exactly these messages."""

    async def ask() -> list[Message]:
        pending, sent = list(received), list[Message]()

        async def receive() -> Message:
            return pending.pop(0) if pending else await asyncio.Future()

        async def send(message: Message) -> None:
            sent.append(message)

        defaults = {"type": "http", "method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "headers": headers}
        await app({**defaults, "client": None, **scope}, receive, send)
        return sent

    return asyncio.run(ask())


@pytest.mark.parametrize("password", [SECRET, None])
def test_every_response_has_the_security_headers(password: str | None) -> None:
    """Responses of the app, its errors, and the guard's own. Without a password there is no sign-in."""
    one = client(password)
    for path in ("/", "/healthz", "/broken", "/sign-in", "/main.js"):
        for headers in ({}, basic(SECRET), {"Host": "evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            found = one.get(path, headers=headers).headers
            policy = found["content-security-policy"]
            assert re.fullmatch(r"default-src 'none'; script-src 'self' 'sha256-[\w+/]{43}='; style-src 'self'; .*", policy)
            names = ("x-content-type-options", "cross-origin-resource-policy", "x-frame-options", "referrer-policy")
            assert [found[name] for name in names] == ["nosniff", "same-origin", "DENY", "same-origin"]
            assert found["cache-control"] == "no-store"
    assert one.get("/", headers=PERSON).is_redirect == (password is not None)
    assert one.get("/sign-in").headers.get("location") == (None if password else "/")


def test_long_paths_are_refused() -> None:
    """For a path of 256 kB, the server looked into each of its folders, which took 2 s."""
    one = client(None)
    assert one.get("/" + "a/" * 500).status_code == 200
    assert one.get("/" + "a/" * 512).status_code == 414


OWN_HOSTS = """127.0.0.1:9001 10.1.2.3 [::1]:9001 [FE80::1] 172.18.0.5:9001 localhost LocalHost:9001 counter counter.local:80
    counter.lan COUNTER.LAN. device device.local:9001 shop.example SHOP.example.:65535 xn--mnchen-3ya.example"""
OTHER_HOSTS = """evil.example localhost.evil.example shop.example.evil a.shop.example 127.0.0.1.nip.io localhost@evil.example
    127.1 0x7f.0.0.1 2130706433 127.0.0.01 ::1 [::1 [::1%25lo] [localhost] . :80 localhost: localhost:8a localhost..
    shop.example/x localhost,evil.example"""


def test_only_known_host_names_and_addresses_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's names, those in WEB_NAMES, and on IoT Edge the device's. The error names the setting."""
    monkeypatch.setattr("socket.gethostname", lambda: "counter.lan")
    monkeypatch.setenv("IOTEDGE_GATEWAYHOSTNAME", "device")
    one = client(None)
    for host in OWN_HOSTS.split():
        assert one.get("/", headers={"Host": host}).text == "inside", host
    for host in ["", "local host", *OTHER_HOSTS.split()]:
        answer = one.get("/", headers={"Host": host})
        assert (answer.status_code, "WEB_NAMES" in answer.text) == (421, True), host
        assert live_code(one, {"Host": host}) == 4403
    for hosts in ([], [b"localhost", b"evil.example"], [b"localhost"] * 2, [b"localhost\xff"]):
        assert raw(client().app, [(b"host", value) for value in hosts])[0]["status"] == 421


OTHER_ORIGINS = ("null", "", "http://evil.example", "http://127.0.0.1:9002", f"{HERE}, http://evil.example", f"{HERE}/")


def fetch(site: str, mode: str, destination: str) -> dict[str, str]:
    """The headers with which browsers describe a request."""
    return {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": destination}


@pytest.mark.parametrize(
    ("headers", "get", "post", "live"),
    [
        ({}, 200, 200, 1000),
        ({"Origin": HERE}, 200, 200, 1000),
        ({"Host": "localhost:8080", "Origin": "http://localhost:8080"}, 200, 200, 1000),  # another port, as with a container
        ({"Host": "shop.example:443", "Origin": "https://shop.example"}, 200, 200, 1000),  # behind a proxy with TLS
        ({"Host": "SHOP.example", "Origin": "https://shop.EXAMPLE:80"}, 200, 200, 1000),
        ({"Host": "[::1]:1", "Origin": "http://[::1]:1"}, 200, 200, 1000),
        *[({"Origin": origin}, 200, 403, 4403) for origin in OTHER_ORIGINS],
        (fetch("same-origin", "cors", "empty"), 200, 200, 1000),
        (fetch("same-origin", "navigate", "document"), 200, 200, 1000),
        (fetch("none", "navigate", "document"), 200, 200, 1000),
        (fetch("cross-site", "navigate", "document"), 200, 403, 1000),  # a link
        (fetch("same-site", "navigate", "iframe"), 403, 403, 1000),
        (fetch("cross-site", "no-cors", "image"), 403, 403, 1000),
        (fetch("same-origin, cross-site", "cors", "empty"), 403, 403, 1000),
    ],
)
def test_other_sites_can_only_link_to_the_page(headers: dict[str, str], get: int, post: int, live: int) -> None:
    """POST requests and WebSockets must have the same origin."""
    one = client(None)
    assert (one.get("/", headers=headers).status_code, one.post("/", headers=headers).status_code) == (get, post)
    assert live_code(one, headers) == live


async def unreachable(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError(scope)


@functools.cache
def shut() -> Guard:
    return Guard(unreachable, SECRET, [])


def test_a_shared_page_without_a_password_is_read_only() -> None:
    """A reverse proxy says for whom it asks. Behind a password, everybody may write."""
    for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"):
        assert client(None).get("/", headers={name: "192.0.2.7"}).headers["may-write"] == "False"
        assert client().get("/", headers={name: "192.0.2.7", **basic(SECRET)}).headers["may-write"] == "True"
    assert client(None).get("/").headers["may-write"] == "True"


NAMES = st.sampled_from([b"host", b"cookie", b"authorization", b"origin", b"sec-fetch-site", b"accept", b"user-agent"])
STARTS = st.sampled_from([b"", b"footfall=", b"Basic ", b"localhost", b"http://"])


@given(
    st.lists(st.tuples(NAMES, st.builds(bytes.__add__, STARTS, st.binary()))),
    st.sampled_from(["/", "/sign-in", "/sign-out", "/live"]),
    st.sampled_from(["GET", "POST", "OPTIONS", "?"]),
    st.binary(),
)
def test_no_request_gets_through_or_fails(headers: list[tuple[bytes, bytes]], path: str, method: str, body: bytes) -> None:
    """For any headers and body there is a response, which is not the app's."""
    for more in ([], [(b"host", b"localhost")]):
        form = {"type": "http.request", "body": body}
        start, *_ = raw(shut(), [*more, *headers], form, method=method, path=path)
        assert start["status"] in (303, 400, 401, 403, 405, 421, 429) or (start["status"] == 200 and path == "/sign-in")
        sent = raw(shut(), [*more, *headers], {"type": "websocket.connect"}, type="websocket", path=path)
        assert sent[-1].get("code") in (4401, 4403)


def test_a_person_signs_in_and_out() -> None:
    """From the page to the form, back, and out. Over HTTPS the cookie is Secure."""
    browser = client()
    assert browser.get("/", headers=PERSON).headers["location"] == "/sign-in"
    assert live_code(browser) == 4401
    form = browser.get("/sign-in")
    assert (form.status_code, "problem" in form.text) == (200, False)
    answer = sign_in(browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    flags = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}
    assert flags == {"httponly", "samesite=lax", "path=/", "max-age=2592000"}
    assert browser.get("/", headers=PERSON).text == "inside"
    assert live_code(browser, {"Origin": HERE}) == 1000
    assert browser.get("/sign-in").headers["location"] == "/"
    assert browser.get("/sign-out").status_code == 405
    assert browser.post("/sign-out", headers={"Origin": "null"}).status_code == 403
    assert browser.post("/sign-out", headers=FORM).headers["location"] == "/sign-in"
    assert browser.get("/api/counts").status_code == 401
    answer = client(url="https://shop.example").post("/sign-in", data={"password": SECRET})
    assert "; secure" in answer.headers["set-cookie"]
    assert "strict-transport-security" not in answer.headers


def test_failures_are_shown_and_slowed() -> None:
    """The response does not repeat the input. During a wait the right password is refused too, in the form and by Basic."""
    browser = client()
    for _ in range(5):
        answer = sign_in(browser, "<b>no")
        assert (answer.status_code, "www-authenticate" in answer.headers) == (401, False)
        assert '<p class="problem" role="alert">Wrong password.</p>' in answer.text
        assert "<b>" not in answer.text
    for answer in (sign_in(browser), browser.get("/", headers=basic(SECRET))):
        assert (answer.status_code, answer.headers["retry-after"], "Try again in 1 s." in answer.text) == (429, "1", True)
    assert live_code(browser, basic(SECRET)) == 4401


def test_scripts_use_basic() -> None:
    """Any user name works; invalid headers do not count as failures."""
    script = client()
    for _ in range(20):
        assert script.get("/api/counts", headers=basic(SECRET)).text == "inside"
    assert live_code(script, basic(SECRET, "")) == 1000
    for value in ("", "Basic", "Basic ?", "Bearer abc", "Basic " + b64encode(b"\xff:\xff").decode(), "Basic YWJj", "Basic ?Og=="):
        assert {script.get("/", headers={"Authorization": value}).status_code for _ in range(6)} == {401}
    assert script.get("/", headers=[*basic(SECRET).items()] * 2).status_code == 401
    assert script.get("/", headers=basic(SECRET)).status_code == 200


def test_only_scripts_are_asked_for_basic() -> None:
    """A browser would open a dialog, even for a picture or a script."""
    one = client()
    for headers, challenge in (
        ({"Accept": "*/*"}, 'Basic realm="Footfall", charset="UTF-8"'),
        ({"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"}, None),
        ({"User-Agent": "Mozilla/5.0 (X11)"}, None),
    ):
        answer = one.get("/api/counts", headers=headers)
        assert (answer.status_code, answer.headers.get("www-authenticate")) == (401, challenge)
        assert "/sign-in" in answer.json()["problem"]
    assert one.get("/", headers={"Accept": "text/html"}).status_code == 303
    assert one.post("/", headers={"Accept": "text/html"}).status_code == 401
    for path in ("/healthz", "/styles/base.css", "/icon.svg"):
        assert one.get(path).text == "inside"
    for path in ("/healthz/", "//healthz", "/Healthz", "/healthz%00", "/sign-in/", "/main.js"):
        assert one.get(path).status_code == 401, path


def test_sessions_outlast_a_restart_and_end_with_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions are renewed after a day and end after 30. Forged cookies, and those of another password or time, are refused."""
    cookie = "footfall=" + sign_in(client()).cookies["footfall"]
    real, ahead = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: real() + ahead[0] * 86400)
    for ahead[0], *expected in ((0.9, 200, False), (1.1, 200, True), (29.9, 200, True), (30.1, 401, False), (-1, 401, False)):
        answer = client().get("/", headers={"Cookie": cookie})
        assert [answer.status_code, "set-cookie" in answer.headers] == expected, ahead
    ahead[0] = 0.0
    assert client("another one").get("/", headers={"Cookie": cookie}).status_code == 401
    for invalid in (cookie[:-1], cookie + "a", "footfall=", "footfall=null", "footfall=" + "." * 60_000, "footfall=x;" * 500):
        assert client().get("/", headers={"Cookie": invalid}).status_code == 401


def test_invalid_forms_do_not_count_as_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    """A form that arrives too slowly, or whose client disconnects, gets a timeout."""
    browser = client()
    for body, status in [
        *[(body, 400) for body in (b"", b"password=", b"pass=x", b"&" * 99, b"\xff\x00%zz")],
        (b"password=" + b"x" * 4096, 413),
    ]:
        assert {browser.post("/sign-in", content=body).status_code for _ in range(6)} == {status}
    assert sign_in(browser).status_code == 303
    monkeypatch.setattr(module, "FORM_TIMEOUT", 0.05)
    for more in ([], [{"type": "http.request", "body": b"pass", "more_body": True}], [{"type": "http.disconnect"}]):
        start, _ = raw(browser.app, [(b"host", b"localhost")], *more, method="POST", path="/sign-in")
        assert start["status"] == 408
