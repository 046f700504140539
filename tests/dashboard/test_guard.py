"""Which names, sites and people the dashboard accepts, with Starlette's test client."""

import asyncio
import functools
import re
import time
from base64 import b64encode
from collections.abc import Iterator
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
    """Derived once for each password, as it takes a second."""
    monkeypatch.setattr(module, "session_key", cached_key)


cached_key = functools.cache(session_key)


async def _page(request: Request) -> Response:
    if request.url.path == "/broken":
        raise ValueError
    return PlainTextResponse("inside")


async def _live(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("inside")
    await socket.close()


def client(password: str | None = SECRET, url: str = HERE) -> TestClient:
    """A new browser or script. Waits after wrong passwords do not end, as its clock stands still."""
    app = Starlette(routes=[WebSocketRoute("/live", _live), Route("/{path:path}", _page, methods=["GET", "POST"])])
    guard = Guard(app, password, ["shop.example", "xn--mnchen-3ya.example"], clock=lambda: 0.0)
    return TestClient(guard, url, raise_server_exceptions=False, follow_redirects=False)


@pytest.fixture
def browser() -> Iterator[TestClient]:
    """Not signed in."""
    with client() as one:
        yield one


def sign_in(browser: TestClient, password: str = SECRET) -> Any:
    return browser.post("/sign-in", data={"password": password}, headers=FORM)


def basic(password: str, user: str = "any") -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


def live_code(one: TestClient, headers: dict[str, str] | None = None) -> int:
    """The code that the WebSocket was closed with, before it was accepted or after."""
    try:
        with one.websocket_connect(LIVE, headers=dict(headers or {})) as socket:
            while True:
                assert socket.receive_text() == "inside"
    except WebSocketDisconnect as end:
        return end.code


def raw(app: Any, headers: list[tuple[bytes, bytes]], *received: Message, **scope: Any) -> list[Message]:
    """What the app sends to a client that sends exactly this, and then nothing more."""

    async def ask() -> list[Message]:
        waiting, sent = list(received), list[Message]()

        async def receive() -> Message:
            return waiting.pop(0) if waiting else await asyncio.Future()

        async def send(message: Message) -> None:
            sent.append(message)

        defaults = {"type": "http", "method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "headers": headers}
        await app({**defaults, "client": None, **scope}, receive, send)
        return sent

    return asyncio.run(ask())


@pytest.mark.parametrize("password", [SECRET, None])
def test_every_response_has_the_security_headers(password: str | None) -> None:
    """The app's, its errors, and the guard's own."""
    with client(password) as one:
        for path in ("/", "/healthz", "/broken", "/sign-in", "/main.js"):
            for headers in ({}, basic(SECRET), {"Host": "evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
                found = one.get(path, headers=headers).headers
                policy = found["content-security-policy"]
                assert re.fullmatch(r"default-src 'none'; script-src 'self' 'sha256-[\w+/]{43}='; style-src 'self'; .*", policy)
                names = ("x-content-type-options", "cross-origin-resource-policy", "x-frame-options", "referrer-policy")
                assert [found[name] for name in names] == ["nosniff", "same-origin", "DENY", "same-origin"]
                assert found["cache-control"] == "no-store"


def test_without_a_password_there_is_no_sign_in() -> None:
    with client(None) as one:
        assert one.get("/", headers=PERSON).text == "inside"
        assert one.get("/sign-in").headers["location"] == "/"


OWN_HOSTS = """127.0.0.1:9001 10.1.2.3 [::1]:9001 [FE80::1] 172.18.0.5:9001 localhost LocalHost:9001 counter counter.local:80
    counter.lan COUNTER.LAN. device device.local:9001 shop.example SHOP.example.:65535 xn--mnchen-3ya.example"""
OTHER_HOSTS = """evil.example localhost.evil.example shop.example.evil a.shop.example 127.0.0.1.nip.io localhost@evil.example
    127.1 0x7f.0.0.1 2130706433 127.0.0.01 ::1 [::1 [::1%25lo] [localhost] . :80 localhost: localhost:8a localhost..
    shop.example/x localhost,evil.example"""


def test_only_own_names_and_addresses_are_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's, those given in the settings, on IoT Edge the device's; the refusal names the setting."""
    monkeypatch.setattr("socket.gethostname", lambda: "counter.lan")
    monkeypatch.setenv("IOTEDGE_GATEWAYHOSTNAME", "device")
    with client(None) as one:
        for host in OWN_HOSTS.split():
            assert one.get("/", headers={"Host": host}).text == "inside", host
        for host in ["", "local host", *OTHER_HOSTS.split()]:
            answer = one.get("/", headers={"Host": host})
            assert (answer.status_code, "WEB_NAMES" in answer.text) == (421, True), host
            assert live_code(one, {"Host": host}) == 4403
    for hosts in ([], [b"localhost", b"evil.example"], [b"localhost"] * 2, [b"localhost\xff"]):
        assert raw(client().app, [(b"host", value) for value in hosts])[0]["status"] == 421


@pytest.mark.parametrize(
    ("host", "origin", "is_own"),
    [
        ("127.0.0.1:9001", HERE, True),
        ("localhost:8080", "http://localhost:8080", True),  # another port than its own: a container's
        ("shop.example:443", "https://shop.example", True),  # behind a proxy with TLS
        ("SHOP.example", "https://shop.EXAMPLE:80", True),
        ("[::1]:1", "http://[::1]:1", True),
        *[
            ("127.0.0.1:9001", origin, False)
            for origin in ("null", "", "http://evil.example", "http://127.0.0.1:9002", f"{HERE}, http://evil.example", f"{HERE}/")
        ],
    ],
)
def test_requests_that_change_something_come_from_own_pages(host: str, origin: str, is_own: bool) -> None:
    with client(None, f"http://{host}") as one:
        headers = {"Host": host, "Origin": origin}
        assert one.post("/", headers=headers).status_code == (200 if is_own else 403)
        assert live_code(one, headers) == (1000 if is_own else 4403)
        assert one.get("/", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("method", "fetch", "status"),
    [
        ("GET", (None, None, None), 200),
        ("POST", (None, None, None), 200),
        ("GET", ("same-origin", "cors", "empty"), 200),
        ("POST", ("same-origin", "navigate", "document"), 200),
        ("GET", ("none", "navigate", "document"), 200),
        ("GET", ("cross-site", "navigate", "document"), 200),  # a link
        ("GET", ("same-site", "navigate", "iframe"), 403),
        ("GET", ("cross-site", "no-cors", "image"), 403),
        ("POST", ("cross-site", "navigate", "document"), 403),
        ("GET", ("same-origin, cross-site", "cors", "empty"), 403),
    ],
)
def test_other_sites_may_link_to_the_page_and_no_more(method: str, fetch: tuple[str | None, ...], status: int) -> None:
    names = ("Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest")
    headers = {name: value for name, value in zip(names, fetch, strict=True) if value is not None}
    with client(None) as one:
        assert one.request(method, "/", headers=headers).status_code == status


async def unreachable(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError(scope)


@functools.cache
def shut() -> Guard:
    return Guard(unreachable, SECRET, [])


HEADER_NAMES = [b"host", b"cookie", b"authorization", b"origin", b"sec-fetch-site", b"accept", b"user-agent"]
HEADER_STARTS = [b"footfall=", b"Basic ", b"localhost", b"http://"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(HEADER_NAMES), st.binary() | st.builds(bytes.__add__, st.sampled_from(HEADER_STARTS), st.binary())
        )
    ),
    st.sampled_from(["/", "/sign-in", "/sign-out", "/live"]),
    st.sampled_from(["GET", "POST", "OPTIONS", "?"]),
    st.binary(),
)
def test_no_request_opens_or_breaks_it(headers: list[tuple[bytes, bytes]], path: str, method: str, body: bytes) -> None:
    """Whatever the headers and the body hold, the app is not reached and there is a response."""
    for more in ([], [(b"host", b"localhost")]):
        form = {"type": "http.request", "body": body}
        start, *_ = raw(shut(), [*more, *headers], form, method=method, path=path)
        assert start["status"] in (303, 400, 401, 403, 405, 421, 429) or (start["status"] == 200 and path == "/sign-in")
        sent = raw(shut(), [*more, *headers], {"type": "websocket.connect"}, type="websocket", path=path)
        assert sent[-1].get("code") in (4401, 4403)


def test_a_person_signs_in_and_out(browser: TestClient) -> None:
    """From the page to the form, back, and out."""
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


def test_the_cookie_is_secure_on_https() -> None:
    with client(url="https://shop.example") as browser:
        answer = browser.post("/sign-in", data={"password": SECRET}, headers={"Origin": "https://shop.example"})
        assert "; secure" in answer.headers["set-cookie"]
        assert "strict-transport-security" not in answer.headers


def test_failures_are_shown_and_slowed(browser: TestClient) -> None:
    """In fixed words; during the wait the right password is refused too, in the form and by Basic."""
    for _ in range(5):
        answer = sign_in(browser, "<b>no")
        assert answer.status_code == 401
        assert '<p class="problem" role="alert">That was not the password.</p>' in answer.text
        assert "<b>" not in answer.text
        assert "www-authenticate" not in answer.headers
    answer = sign_in(browser)
    assert (answer.status_code, answer.headers["retry-after"], "Try again in 1 s." in answer.text) == (429, "1", True)
    answer = browser.get("/", headers=basic(SECRET))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert live_code(browser, basic(SECRET)) == 4401


def test_scripts_use_basic(browser: TestClient) -> None:
    """With each request, with any user; invalid headers do not count as failures."""
    for _ in range(20):
        assert browser.get("/api/counts", headers=basic(SECRET)).text == "inside"
    assert live_code(browser, basic(SECRET, "")) == 1000
    for value in ("", "Basic", "Basic ?", "Bearer abc", "Basic " + b64encode(b"\xff:\xff").decode(), "Basic YWJj", "Basic ?Og=="):
        assert {browser.get("/", headers={"Authorization": value}).status_code for _ in range(6)} == {401}
    assert browser.get("/", headers=[*basic(SECRET).items()] * 2).status_code == 401
    assert browser.get("/", headers=basic(SECRET)).status_code == 200


def test_only_scripts_are_asked_for_basic(browser: TestClient) -> None:
    """A browser would open a dialog for a picture or a script."""
    asked = browser.get("/api/counts", headers={"Accept": "*/*"})
    assert (asked.status_code, asked.headers["www-authenticate"]) == (401, 'Basic realm="Footfall", charset="UTF-8"')
    for headers in ({"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"}, {"User-Agent": "Mozilla/5.0 (X11)"}):
        answer = browser.get("/api/counts", headers=headers)
        assert (answer.status_code, "www-authenticate" in answer.headers) == (401, False)
        assert "/sign-in" in answer.json()["problem"]
    assert browser.get("/", headers={"Accept": "text/html"}).status_code == 303
    assert browser.post("/", headers={"Accept": "text/html"}).status_code == 401
    for path in ("/healthz", "/dashboard.css", "/icon.svg"):
        assert browser.get(path).text == "inside"
    for path in ("/healthz/", "//healthz", "/Healthz", "/healthz%00", "/sign-in/", "/main.js"):
        assert browser.get(path).status_code == 401, path


def test_sessions_outlast_a_restart_and_end_with_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are renewed after a day, and end after 30; a cookie from the future, of another password, or made up is none."""
    with client() as one:
        sign_in(one)
        cookie = f"footfall={one.cookies['footfall']}"
    real, ahead = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: real() + ahead[0] * 86400)
    for ahead[0], status, is_renewed in (
        (0.9, 200, False),
        (1.1, 200, True),
        (29.9, 200, True),
        (30.1, 401, False),
        (-1, 401, False),
    ):
        with client() as one:
            answer = one.get("/", headers={"Cookie": cookie})
            assert (answer.status_code, "set-cookie" in answer.headers) == (status, is_renewed), ahead
    ahead[0] = 0.0
    with client("another one") as other:
        assert other.get("/", headers={"Cookie": cookie}).status_code == 401
    for invalid in (cookie[:-1], cookie + "a", "footfall=", "footfall=null", "footfall=" + "." * 60_000, "footfall=x;" * 500):
        with client() as one:
            assert one.get("/", headers={"Cookie": invalid}).status_code == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"password=", 400),
        (b"pass=x", 400),
        (b"&" * 99, 400),
        (b"\xff\x00%zz", 400),
        (b"password=" + b"x" * 4096, 413),
    ],
)
def test_invalid_forms_do_not_count_as_failures(browser: TestClient, body: bytes, status: int) -> None:
    for _ in range(6):
        assert browser.post("/sign-in", content=body).status_code == status
    assert browser.post("/sign-in", content=f"password={SECRET.replace('&', '%26')}".encode()).status_code == 303


def test_a_form_that_does_not_end_is_abandoned(browser: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Because it is slow, or the client has left."""
    monkeypatch.setattr(module, "FORM_TIMEOUT", 0.05)
    for more in ([], [{"type": "http.request", "body": b"pass", "more_body": True}], [{"type": "http.disconnect"}]):
        start, _ = raw(browser.app, [(b"host", b"localhost")], *more, method="POST", path="/sign-in")
        assert start["status"] == 408
