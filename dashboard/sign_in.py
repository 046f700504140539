"""Sign-in: a form and a session cookie for people, HTTP Basic for scripts."""

import base64
import logging
import time
from collections.abc import Callable
from urllib.parse import parse_qs

from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboard.password import Attempt, Password, session_key
from dashboard.request_body import NoBody, read_body
from dashboard.sign_in_form import sign_in_form

log = logging.getLogger(__name__)

COOKIE = "footfall"
SESSION_SECONDS = 30 * 86400
RENEW_SECONDS = 86400
"""Age at which a session cookie is renewed."""
PUBLIC = frozenset({"/healthz", "/styles/base.css", "/icon.svg"})
"""Paths available without signing in."""
MAX_FORM = 4096
"""Bytes of a form's body."""
FORM_TIMEOUT = 10.0
SIGN_IN_NEEDED = 4401
"""WebSocket close code."""

TOO_MANY_FAILURES = "Too many failed attempts. Try again in {} s."


def add_sign_in(app: ASGIApp, password: str, clock: Callable[[], float]) -> ASGIApp:
    """Wraps the app in `SignIn`, with sessions in signed cookies, which are Secure over HTTPS.

    SameSite is Lax rather than Strict, so a link in a mail opens the page signed in. No GET request changes anything.
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
    """Middleware that passes on requests with a session or with the password by HTTP Basic, and serves the form at /sign-in.

    A WebSocket is checked only when it opens: signing out in another window does not close it.
    """

    def __init__(self, app: ASGIApp, password: Password) -> None:
        self._app = app
        self._password = password

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._websocket(HTTPConnection(scope), receive, send)
        else:
            response = await self._respond(Request(scope, receive))
            await (response or self._app)(scope, receive, send)

    async def _websocket(self, connection: HTTPConnection, receive: Receive, send: Send) -> None:
        if self._authenticate(connection).accepted:
            await self._app(connection.scope, receive, send)
            return
        await receive()
        await send({"type": "websocket.accept"})  # if the handshake fails, the page does not learn why
        await send({"type": "websocket.close", "code": SIGN_IN_NEEDED, "reason": "sign-in required"})

    async def _respond(self, request: Request) -> Response | None:
        """Returns a response; None to pass the request on to the app."""
        if request.scope["path"] in ("/sign-in", "/sign-out"):
            return await self._sign_in_or_out(request)
        if request.scope["path"] in PUBLIC:
            return None
        attempt = self._authenticate(request)
        return None if attempt.accepted else _challenge(request, attempt)

    async def _sign_in_or_out(self, request: Request) -> Response:
        allowed = "POST" if request.scope["path"] == "/sign-out" else "GET, HEAD, POST"
        if request.method not in allowed.split(", "):
            return JSONResponse({"problem": f"Method not allowed; allowed: {allowed}."}, 405, {"Allow": allowed})
        if request.scope["path"] == "/sign-out":
            request.session.clear()
            return RedirectResponse("/sign-in", 303)
        if _has_session(request):
            return RedirectResponse("/", 303)
        return await self._sign_in(request) if request.method == "POST" else _form(request)

    def _authenticate(self, connection: HTTPConnection) -> Attempt:
        if _has_session(connection):
            if time.time() - connection.session["at"] > RENEW_SECONDS:
                connection.session["at"] = time.time()  # the session middleware sends a new cookie
            return Attempt(True)
        passwords = [_basic_password(value) for value in connection.headers.getlist("authorization")]
        return Attempt(False) if len(passwords) != 1 or passwords[0] is None else self._attempt(connection, passwords[0])

    async def _sign_in(self, request: Request) -> Response:
        try:
            body = await read_body(request, MAX_FORM, FORM_TIMEOUT)
        except NoBody as problem:
            return _form(request, "incomplete", problem.status, {"Connection": "close"})
        try:
            fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=8)
        except ValueError:
            fields = {}
        if "password" not in fields:
            return _form(request, "missing", 400)
        attempt = self._attempt(request, fields["password"][0])
        if attempt.accepted:
            request.session["at"] = time.time()
            return RedirectResponse("/", 303)
        if attempt.wait:
            return _form(request, "wait", 429, {"Retry-After": str(attempt.wait)}, attempt.wait)
        return _form(request, "wrong", 401)

    def _attempt(self, connection: HTTPConnection, given: str) -> Attempt:
        address = connection.client.host if connection.client else ""
        attempt = self._password.attempt(given, address)
        if not attempt.accepted and not attempt.wait:
            log.warning("sign-in from %r failed: wrong password", address)
        return attempt


def _form(
    request: Request, problem: str = "", status: int = 200, headers: dict[str, str] | None = None, seconds: int = 0
) -> Response:
    """Returns the form. `problem` says what went wrong, `seconds` is the time to wait."""
    accepted = request.headers.get("accept-language", "")
    return HTMLResponse(sign_in_form(accepted, problem, seconds=seconds), status, headers)


def _has_session(connection: HTTPConnection) -> bool:
    return "at" in connection.session


def _challenge(request: Request, attempt: Attempt) -> Response:
    """Redirects people to the form, and responds 401 to scripts.

    A browser gets no WWW-Authenticate header, because it would open a dialog. Browsers omit ``Sec-Fetch-`` headers unless the
    connection is TLS or loopback; the User-Agent identifies those.
    """
    mode = request.headers.get("sec-fetch-mode")
    if attempt.wait:
        problem = TOO_MANY_FAILURES.format(attempt.wait)
        return JSONResponse({"problem": problem}, 429, {"Retry-After": str(attempt.wait)})
    if request.method == "GET" and mode in (None, "navigate") and "text/html" in request.headers.get("accept", ""):
        return RedirectResponse("/sign-in", 303)
    is_browser = mode is not None or request.headers.get("user-agent", "").startswith("Mozilla/")
    headers = {} if is_browser else {"WWW-Authenticate": 'Basic realm="Footfall", charset="UTF-8"'}
    problem = "Sign-in required: use /sign-in, or send the password by HTTP Basic with any user name."
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
