"""Signing in to the dashboard: a form and a session cookie for people, HTTP Basic for scripts."""

import asyncio
import base64
import logging
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboard.password import Attempt, Password, session_key

log = logging.getLogger(__name__)

PAGE = Path(__file__).parent / "page" / "sign-in.html"
PROBLEM_MARK = "<!-- problem -->"
COOKIE = "footfall"
SESSION_SECONDS = 30 * 86400
RENEW_SECONDS = 86400
"""Age at which the cookie of a session is renewed."""
PUBLIC = frozenset({"/healthz", "/dashboard.css", "/icon.svg"})
"""Paths that need no sign-in."""
MAX_FORM = 4096
"""Bytes."""
FORM_TIMEOUT = 10.0
SIGN_IN_NEEDED = 4401
"""Close code of a WebSocket."""

TOO_MANY_FAILURES = "Too many wrong passwords. Try again in {} s."


def with_sign_in(app: ASGIApp, password: str, clock: Callable[[], float]) -> ASGIApp:
    """The app behind a sign-in, with sessions in signed cookies; these have the flag Secure on https.

    SameSite is Lax, not Strict: a link in a mail then opens the page signed in. Only POST changes anything here.
    """
    signed_in, key = SignIn(app, Password(password, clock)), session_key(password)
    plain, secure = (
        SessionMiddleware(signed_in, key, COOKIE, SESSION_SECONDS, same_site="lax", https_only=is_secure)
        for is_secure in (False, True)
    )

    async def by_scheme(scope: Scope, receive: Receive, send: Send) -> None:
        await (secure if scope.get("scheme") in ("https", "wss") else plain)(scope, receive, send)

    return by_scheme


class SignIn:
    """Passes on requests of a session, or with the password by HTTP Basic. For people there is a form, at /sign-in.

    A WebSocket is checked when it is opened: it outlasts a sign-out in another window.
    """

    def __init__(self, app: ASGIApp, password: Password) -> None:
        self._app = app
        self._password = password
        self._form = PAGE.read_text("utf-8")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._websocket(HTTPConnection(scope), receive, send)
        else:
            answer = await self._answer(Request(scope, receive))
            await (answer or self._app)(scope, receive, send)

    async def _websocket(self, connection: HTTPConnection, receive: Receive, send: Send) -> None:
        if self._authenticate(connection).accepted:
            await self._app(connection.scope, receive, send)
            return
        await receive()
        await send({"type": "websocket.accept"})  # a browser does not tell the page why a handshake failed
        await send({"type": "websocket.close", "code": SIGN_IN_NEEDED, "reason": "sign-in needed"})

    async def _answer(self, request: Request) -> Response | None:
        """None where the app answers."""
        if request.scope["path"] in ("/sign-in", "/sign-out"):
            return await self._sign_in_or_out(request)
        if request.scope["path"] in PUBLIC:
            return None
        attempt = self._authenticate(request)
        return None if attempt.accepted else _challenge(request, attempt)

    async def _sign_in_or_out(self, request: Request) -> Response:
        allowed = "POST" if request.scope["path"] == "/sign-out" else "GET, HEAD, POST"
        if request.method not in allowed.split(", "):
            return JSONResponse({"problem": f"Only {allowed} is allowed here."}, 405, {"Allow": allowed})
        if request.scope["path"] == "/sign-out":
            request.session.clear()
            return RedirectResponse("/sign-in", 303)
        if _has_session(request):
            return RedirectResponse("/", 303)
        return await self._sign_in(request) if request.method == "POST" else self._show_form(200)

    def _authenticate(self, connection: HTTPConnection) -> Attempt:
        if _has_session(connection):
            if time.time() - connection.session["at"] > RENEW_SECONDS:
                connection.session["at"] = time.time()  # the session middleware sends a new cookie
            return Attempt(True)
        given = [_basic_password(value) for value in connection.headers.getlist("authorization")]
        return Attempt(False) if len(given) != 1 or given[0] is None else self._attempt(connection, given[0])

    async def _sign_in(self, request: Request) -> Response:
        try:
            body = await asyncio.wait_for(_read(request), FORM_TIMEOUT)
        except (asyncio.TimeoutError, ClientDisconnect):
            return self._show_form(408, "That took too long. Try again.", {"Connection": "close"})
        if len(body) > MAX_FORM:
            return self._show_form(413, "That was too much. Try again.", {"Connection": "close"})
        try:
            fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=8)
        except ValueError:
            fields = {}
        if "password" not in fields:
            return self._show_form(400, "There was no password in that. Try again.")
        attempt = self._attempt(request, fields["password"][0])
        if attempt.accepted:
            request.session["at"] = time.time()
            return RedirectResponse("/", 303)
        if attempt.wait:
            return self._show_form(429, TOO_MANY_FAILURES.format(attempt.wait), {"Retry-After": str(attempt.wait)})
        return self._show_form(401, "That was not the password.")

    def _attempt(self, connection: HTTPConnection, given: str) -> Attempt:
        address = connection.client.host if connection.client else ""
        attempt = self._password.attempt(given, address)
        if not attempt.accepted and not attempt.wait:
            log.warning("wrong password for the dashboard from %r", address)
        return attempt

    def _show_form(self, status: int, problem: str = "", headers: dict[str, str] | None = None) -> Response:
        shown = f'<p class="problem" role="alert">{problem}</p>' if problem else ""
        return HTMLResponse(self._form.replace(PROBLEM_MARK, shown), status, headers)


def _has_session(connection: HTTPConnection) -> bool:
    return "at" in connection.session


def _challenge(request: Request, attempt: Attempt) -> Response:
    """Send a person to the form, and explain to a script what is missing.

    A browser is not asked for Basic, as it would open a dialog. Without ``Sec-Fetch-`` headers (neither TLS nor loopback) it is
    recognised by its User-Agent.
    """
    mode = request.headers.get("sec-fetch-mode")
    if attempt.wait:
        problem = TOO_MANY_FAILURES.format(attempt.wait)
        return JSONResponse({"problem": problem}, 429, {"Retry-After": str(attempt.wait)})
    if request.method == "GET" and mode in (None, "navigate") and "text/html" in request.headers.get("accept", ""):
        return RedirectResponse("/sign-in", 303)
    is_browser = mode is not None or request.headers.get("user-agent", "").startswith("Mozilla/")
    headers = {} if is_browser else {"WWW-Authenticate": 'Basic realm="Footfall", charset="UTF-8"'}
    problem = "Sign in at /sign-in, or send the password by HTTP Basic, with any user name."
    return JSONResponse({"problem": problem}, 401, headers)


def _basic_password(authorization: str) -> str | None:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        _, colon, password = base64.b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
    except ValueError:
        return None
    return password if colon else None


async def _read(request: Request) -> bytes:
    """The body, or a little more than `MAX_FORM` bytes of it."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM:
            break
    return body
