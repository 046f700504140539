"""Which names, sites and headers the dashboard takes."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from dashboard.guard import Guard
from tests.support.guarded import HERE, PERSON, SECRET, asked, basic, client, live_code, quicken, sign_in


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    quicken(monkeypatch)


@pytest.fixture
def browser() -> Iterator[TestClient]:
    """Not signed in."""
    with client() as one:
        yield one


@pytest.mark.parametrize("password", [SECRET, None])
def test_every_answer_is_secured(password: str | None) -> None:
    """The app's, its errors, and the guard's own."""
    with client(password) as one:
        for path in ("/", "/healthz", "/broken", "/sign-in", "/main.js"):
            for headers in ({}, basic(SECRET), {"Host": "evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
                answer = one.get(path, headers=headers)
                policy = answer.headers["content-security-policy"]
                assert re.fullmatch(r"default-src 'none'; script-src 'self' 'sha256-[\w+/]{43}='; style-src 'self'; .*", policy)
                assert answer.headers["x-content-type-options"] == "nosniff"
                assert answer.headers["cross-origin-resource-policy"] == "same-origin"
                assert answer.headers["x-frame-options"] == "DENY"
                assert answer.headers["referrer-policy"] == "same-origin"
                kept = path == "/main.js" and answer.text == "inside"
                assert answer.headers["cache-control"] == ("max-age=60" if kept else "no-store")


def test_without_a_password_nothing_is_asked() -> None:
    """And /sign-in leads to the page; other sites are kept out all the same."""
    with client(None) as one:
        assert one.get("/", headers=PERSON).text == "inside"
        assert one.get("/sign-in").headers["location"] == "/"
        assert live_code(one, {"Origin": HERE}) == 1000
        assert live_code(one, {"Origin": "http://evil.example"}) == 4403
        assert one.get("/", headers={"Host": "evil.example"}).status_code == 421


def test_other_names_and_other_sites_are_refused(browser: TestClient) -> None:
    """Before anything else is looked at."""
    sign_in(browser)
    for host in ([b"evil.example"], [], [b"127.0.0.1:9001", b"evil.example"], [b"127.0.0.1:9001"] * 2, [b"127.0.0.1\xff"]):
        start, body = asked(client().app, [(b"host", value) for value in host])
        assert (start["status"], b"WEB_NAMES" in body["body"]) == (421, True)
    assert live_code(browser, {"Host": "evil.example"}) == 4403
    for origin in ("null", "http://evil.example", "http://127.0.0.1:9002", f"{HERE}, http://evil.example"):
        assert browser.post("/sign-out", headers={"Origin": origin}).status_code == 403
        assert live_code(browser, {"Origin": origin}) == 4403
    assert live_code(browser) == 1000
    assert browser.get("/", headers={**PERSON, "Sec-Fetch-Site": "cross-site"}).text == "inside"
    assert browser.get("/", headers={**PERSON, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "iframe"}).status_code == 403
    assert browser.get("/a.jpg", headers={"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"}).status_code == 403


def test_a_foreign_websocket_is_not_even_accepted(browser: TestClient) -> None:
    """A close before that is a refusal with 403."""
    headers = [(b"host", b"localhost"), (b"origin", b"null")]
    sent = asked(browser.app, headers, {"type": "websocket.connect"}, type="websocket")
    assert sent == [{"type": "websocket.close", "code": 4403}]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([b"host", b"cookie", b"authorization", b"origin", b"sec-fetch-site", b"accept", b"user-agent"]),
            st.binary()
            | st.builds(bytes.__add__, st.sampled_from([b"footfall=", b"Basic ", b"localhost", b"http://"]), st.binary()),
        )
    ),
    st.sampled_from(["/", "/sign-in", "/sign-out", "/live"]),
    st.sampled_from(["GET", "POST", "OPTIONS", "?"]),
    st.binary(),
)
def test_nothing_that_is_sent_opens_or_breaks_it(headers: list[tuple[bytes, bytes]], path: str, method: str, body: bytes) -> None:
    """Whatever the headers and the body hold, the app is not reached and there is an answer."""
    for more in ([], [(b"host", b"localhost")]):
        form = {"type": "http.request", "body": body}
        start, _ = asked(SHUT, [*more, *headers], form, method=method, path=path)
        assert start["status"] in (303, 400, 401, 403, 405, 421, 429) or (start["status"] == 200 and path == "/sign-in")
        sent = asked(SHUT, [*more, *headers], {"type": "websocket.connect"}, type="websocket", path=path)
        assert sent[-1].get("code") in (4401, 4403)


def test_an_answer_without_headers_gets_them_all_the_same() -> None:
    """As ASGI allows."""

    async def bare(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 204})

    start = asked(Guard(bare, None, []), [(b"host", b"localhost")])[0]
    assert dict(start["headers"])[b"x-frame-options"] == b"DENY"


async def unreachable(scope: Scope, receive: Receive, send: Send) -> None:
    """Stands for the dashboard."""
    raise AssertionError(scope)


SHUT = Guard(unreachable, SECRET, [])
