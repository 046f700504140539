"""Stands before the dashboard: takes only its own names, keeps other sites' pages out, and asks for the password."""

import asyncio
import base64
import logging
from collections.abc import Collection
from itertools import islice
from pathlib import Path
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.access import PASS_SECONDS, RENEW_SECONDS, Hosts, Pass, Password, Tried, cross_site, same_origin
from dashboard.headers import secured

log = logging.getLogger(__name__)

PAGE = Path(__file__).parents[1] / "dashboard" / "sign-in.html"
MARKER = "<!-- problem -->"
COOKIE = "footfall"
MOST_COOKIES = 8
"""Of that name in one request; each costs a look at its signature."""
PUBLIC = frozenset({"/healthz", "/dashboard.css", "/icon.svg"})
LONGEST_BODY = 4096
BODY_SECONDS = 10.0
SIGN_IN_NEEDED = 4401
REFUSED = 4403

_HOST = "Not a name of this server. Use its address, or add the name to the setting WEB_NAMES."
_FOREIGN = "Not for the pages of other sites. A proxy has to pass the Host header on as it came."
_WAIT = "Too many wrong passwords. Try again in {} s."


class Guard:
    """ASGI middleware, to be the outermost: its headers are on every answer, errors of the app included.

    A connection is looked at when it is opened: a WebSocket outlasts its cookie, and a sign-out in another window.
    """

    def __init__(self, app: ASGIApp, password: str | None, names: Collection[str]) -> None:
        """`names`: host names besides the machine's own. Raises `InvalidSetting` for a name or password that cannot be one."""
        self._app = app
        self._hosts = Hosts(names)
        self._door = Door(password) if password is not None else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, secured(send))
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        door, answer = self._door, self._app
        if refusal := self._refusal(scope, headers):
            answer = refusal
        elif scope["path"] in ("/sign-in", "/sign-out"):
            answer = RedirectResponse("/", 303) if door is None else await door.desk(scope, receive)
        elif door is not None and scope["path"] not in PUBLIC:
            tried = door.admit(scope, headers)
            if not tried.right:
                answer = _challenge(scope["method"], headers, tried)
            send = door.renewing(scope, headers, send)
        await answer(scope, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if self._refusal(scope, headers):
            await receive()
            await send({"type": "websocket.close", "code": REFUSED})  # before it was accepted: the server answers 403
        elif self._door is None:
            await self._app(scope, receive, send)
        elif self._door.admit(scope, headers).right:
            await self._app(scope, receive, self._door.renewing(scope, headers, send))
        else:
            await receive()
            await send({"type": "websocket.accept"})  # browsers tell a page nothing of a handshake that fails
            await send({"type": "websocket.close", "code": SIGN_IN_NEEDED, "reason": "sign-in needed"})

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._hosts.known(hosts[0]):
            return JSONResponse({"problem": _HOST}, 421)
        return JSONResponse({"problem": _FOREIGN}, 403) if _is_foreign(scope, headers, hosts[0]) else None


class Door:
    """Lets those in who know the password, and who have known it."""

    def __init__(self, password: str) -> None:
        self._password = Password(password)
        self._pass = Pass(password)
        self._page = PAGE.read_text("utf-8")

    def admit(self, scope: Scope, headers: Headers) -> Tried:
        """Right with a cookie, or with the password in an Authorization header."""
        if self._age(headers) is not None:
            return Tried(True)
        given = [_basic_password(value) for value in headers.getlist("authorization")]
        return Tried(False) if len(given) != 1 or given[0] is None else self._attempt(scope, given[0])

    def renewing(self, scope: Scope, headers: Headers, send: Send) -> Send:
        """Sends a new cookie with the answer, when the one that came is older than a day."""
        if scope.get("method", "GET") not in ("GET", "HEAD") or (self._age(headers) or 0.0) <= RENEW_SECONDS:
            return send

        async def send_renewed(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.accept"):
                message.setdefault("headers", [])
                answer = MutableHeaders(scope=message)
                answer.append("Set-Cookie", self._cookie(scope, self._pass.issue(), PASS_SECONDS))
                answer["Cache-Control"] = "no-store"
            await send(message)

        return send_renewed

    async def desk(self, scope: Scope, receive: Receive) -> Response:
        """Answers at /sign-in and /sign-out."""
        method, path = scope["method"], scope["path"]
        if path == "/sign-out":
            if method != "POST":
                return JSONResponse({"problem": "Only POST signs out."}, 405, {"Allow": "POST"})
            return RedirectResponse("/sign-in", 303, {"Set-Cookie": self._cookie(scope, "", 0)})
        if method not in ("GET", "HEAD", "POST"):
            return JSONResponse({"problem": "Only GET and POST sign in."}, 405, {"Allow": "GET, HEAD, POST"})
        if self._age(Headers(scope=scope)) is not None:
            return RedirectResponse("/", 303)
        return await self._sign_in(scope, receive) if method == "POST" else self._form(200)

    async def _sign_in(self, scope: Scope, receive: Receive) -> Response:
        try:
            body = await asyncio.wait_for(_read(Request(scope, receive)), BODY_SECONDS)
        except (asyncio.TimeoutError, ClientDisconnect):
            return self._form(408, "That took too long. Try again.", {"Connection": "close"})
        try:
            fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=8)
        except ValueError:
            fields = {}
        if len(body) > LONGEST_BODY:
            return self._form(413, "That was too much. Try again.", {"Connection": "close"})
        if "password" not in fields:
            return self._form(400, "There was no password in that. Try again.")
        tried = self._attempt(scope, fields["password"][0])
        if tried.right:
            return RedirectResponse("/", 303, {"Set-Cookie": self._cookie(scope, self._pass.issue(), PASS_SECONDS)})
        if tried.wait:
            return self._form(429, _WAIT.format(tried.wait), {"Retry-After": str(tried.wait)})
        return self._form(401, "That was not the password.")

    def _attempt(self, scope: Scope, given: str) -> Tried:
        address = (scope.get("client") or ("",))[0]
        tried = self._password.attempt(given, address)
        if not tried.right and not tried.wait:
            log.warning("wrong password for the dashboard from %r", address)
        return tried

    def _age(self, headers: Headers) -> float | None:
        """Seconds; of several cookies of the name, as another dashboard on this machine may have set one, any that is good."""
        pairs = (pair.strip().partition("=") for header in headers.getlist("cookie") for pair in header.split(";"))
        ages = (self._pass.age(value) for name, _, value in pairs if name == COOKIE)
        return next((age for age in islice(ages, MOST_COOKIES) if age is not None), None)

    def _cookie(self, scope: Scope, token: str, seconds: int) -> str:
        """Lax, not Strict: a link from elsewhere, as in a mail, then opens the page signed in. Only POST changes anything here,
        and that comes without the cookie from other sites, besides being refused for its Origin.
        """
        secure = "; Secure" if scope.get("scheme") == "https" else ""
        return f"{COOKIE}={token}; HttpOnly; SameSite=Lax; Path=/; Max-Age={seconds}{secure}"

    def _form(self, status: int, problem: str = "", headers: dict[str, str] | None = None) -> Response:
        shown = f'<p class="problem" role="alert">{problem}</p>' if problem else ""
        return HTMLResponse(self._page.replace(MARKER, shown), status, headers)


def _challenge(method: str, headers: Headers, tried: Tried) -> Response:
    """Sends a person to the form, and tells a program what it lacks.

    Only a program is asked for Basic: a browser would open a dialog of its own. Where it sends no ``Sec-Fetch-`` headers (neither
    TLS nor loopback) it is told by its User-Agent.
    """
    mode = headers.get("sec-fetch-mode")
    if tried.wait:
        return JSONResponse({"problem": _WAIT.format(tried.wait)}, 429, {"Retry-After": str(tried.wait)})
    if method == "GET" and mode in (None, "navigate") and "text/html" in headers.get("accept", ""):
        return RedirectResponse("/sign-in", 303)
    browser = mode is not None or headers.get("user-agent", "").startswith("Mozilla/")
    asking = {} if browser else {"WWW-Authenticate": 'Basic realm="Footfall", charset="UTF-8"'}
    return JSONResponse({"problem": "Sign in at /sign-in, or send the password by HTTP Basic, with any user name."}, 401, asking)


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
    """At most a little more than is allowed."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_BODY:
            break
    return body


def _is_foreign(scope: Scope, headers: Headers, host: str) -> bool:
    """Whether another site's page is behind it. A WebSocket is judged by its Origin alone, which every browser sends with it."""
    is_socket = scope["type"] == "websocket"
    origins = headers.getlist("origin") if is_socket or scope["method"] not in ("GET", "HEAD") else []
    if not all(same_origin(origin, host) for origin in origins):
        return True
    fetch = (headers.get(f"sec-fetch-{name}") for name in ("site", "mode", "dest"))
    return not is_socket and cross_site(scope["method"], *fetch)
