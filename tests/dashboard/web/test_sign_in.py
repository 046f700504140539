"""How people and programs show that they know the password."""

import time
from base64 import b64encode
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from dashboard import guard
from dashboard.access import Pass
from tests.support.guarded import FORM, HERE, LIVE, PERSON, SECRET, asked, basic, client, live_code, quicken, sign_in


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    quicken(monkeypatch)


@pytest.fixture
def browser() -> Iterator[TestClient]:
    """Not signed in."""
    with client() as one:
        yield one


def test_a_person_signs_in_and_out(browser: TestClient) -> None:
    """From the page to the form, back, and out."""
    assert browser.get("/", headers=PERSON).headers["location"] == "/sign-in"
    assert live_code(browser) == 4401
    form = browser.get("/sign-in")
    assert (form.status_code, "problem" in form.text) == (200, False)
    answer = sign_in(browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("footfall=")
    assert cookie.endswith("; HttpOnly; SameSite=Lax; Path=/; Max-Age=2592000")
    assert browser.get("/", headers=PERSON).text == "inside"
    assert live_code(browser, {"Origin": HERE}) == 1000
    assert browser.get("/sign-in").headers["location"] == "/"
    assert browser.get("/sign-out").status_code == 405
    assert browser.post("/sign-out", headers=FORM).headers["location"] == "/sign-in"
    assert browser.get("/api/counts").status_code == 401


def test_the_cookie_stays_within_tls() -> None:
    """Where there is any."""
    with client(url="https://shop.example") as browser:
        answer = browser.post("/sign-in", data={"password": SECRET}, headers={"Origin": "https://shop.example"})
        assert answer.headers["set-cookie"].endswith("; Secure")
        assert "strict-transport-security" not in answer.headers


def test_wrong_passwords_are_told_and_slowed(browser: TestClient) -> None:
    """With fixed words in the page; the right one is not looked at while there is a wait, neither by form nor by Basic."""
    for _ in range(5):
        answer = sign_in(browser, "<b>no")
        assert answer.status_code == 401
        assert '<p class="problem" role="alert">That was not the password.</p>' in answer.text
        assert "<b>" not in answer.text
        assert "www-authenticate" not in answer.headers
    answer = sign_in(browser)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert "Try again in 1 s." in answer.text
    answer = browser.get("/", headers=basic(SECRET))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert live_code(browser, basic(SECRET)) == 4401


def test_programs_use_basic(browser: TestClient) -> None:
    """At every request, with any user; what is no password is not counted as one."""
    for _ in range(20):
        assert browser.get("/api/counts", headers=basic(SECRET)).text == "inside"
    assert live_code(browser, basic(SECRET, "")) == 1000
    for value in ("", "Basic", "Basic ?", "Bearer abc", "Basic " + b64encode(b"\xff:\xff").decode(), "Basic YWJj", "Basic ?Og=="):
        assert {browser.get("/", headers={"Authorization": value}).status_code for _ in range(6)} == {401}
    assert browser.get("/", headers=[*basic(SECRET).items()] * 2).status_code == 401
    assert browser.get("/", headers=basic(SECRET)).status_code == 200


def test_only_programs_are_asked_for_basic(browser: TestClient) -> None:
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


def test_cookies_are_renewed_after_a_day_and_end() -> None:
    """Of several, one that is good is enough; nothing that carries a cookie is kept."""

    def days_old(days: float) -> dict[str, str]:
        return {"Cookie": f"footfall=x; a; =; footfall={Pass(SECRET, lambda: time.time() - days * 86400).issue()}"}

    with client() as one:
        for days, path, renewed in ((0.9, "/", False), (1.1, "/main.js", True), (29, "/", True)):
            answer = one.get(path, headers=days_old(days))
            assert (answer.text, "set-cookie" in answer.headers) == ("inside", renewed)
            assert not renewed or answer.headers["cache-control"] == "no-store"
            one.cookies.clear()
        assert "set-cookie" not in one.post("/", headers=days_old(2)).headers
        assert one.get("/", headers=days_old(31)).status_code == 401
        other = Pass("another").issue()
        for cookie in (other, f"{other};footfall=x" * 500, "x;footfall=" * 8 + Pass(SECRET).issue(), "." * 60_000):
            assert one.get("/", headers={"Cookie": f"footfall={cookie}"}).status_code == 401
        with one.websocket_connect(LIVE, headers=days_old(2)) as socket:
            assert b"set-cookie" in dict(socket.extra_headers or [])


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
def test_bodies_that_are_no_form(browser: TestClient, body: bytes, status: int) -> None:
    """Are not counted as passwords."""
    for _ in range(6):
        assert browser.post("/sign-in", content=body).status_code == status
    assert browser.post("/sign-in", content=f"password={SECRET.replace('&', '%26')}".encode()).status_code == 303


def test_a_form_that_does_not_end_is_given_up(browser: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it goes on slowly, or whoever sends it is gone."""
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.05)
    for more in ([], [{"type": "http.request", "body": b"pass", "more_body": True}], [{"type": "http.disconnect"}]):
        start, _ = asked(browser.app, [(b"host", b"localhost")], *more, method="POST", path="/sign-in")
        assert start["status"] == 408
