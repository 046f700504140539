"""Middleware that checks host names (DNS rebinding), paths and origins (CSRF), and adds security headers."""

import base64
import hashlib
import ipaddress
import os
import re
import socket
import time
from collections.abc import Callable, Collection
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGE = Path(__file__).parent / "page"
REFUSED = 4403
"""WebSocket close code."""

WRONG_HOST = "Unknown host name. Use the server's IP address, or add the name to the setting WEB_NAMES."
LONG_PATH = "The path is too long."
CROSS_SITE = "Cross-site requests are not allowed. A reverse proxy must pass on the Host header unchanged."

MAX_PATH = 1024
"""Characters of a path. The time to look for its file grows with the square of the length: 256 kB take 2 s."""
FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
"""Headers that a reverse proxy adds."""

_HOST = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[^\[\]:@/\\?#\s]{1,254})(:[0-9]{1,5})?")


def _script_hashes(html: str) -> str:
    """Returns the hashes of a page's inline scripts, as a Content-Security-Policy lists them."""
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    return " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts)


SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; "
    f"script-src 'self' {_script_hashes((PAGE / 'index.html').read_text('utf-8'))}; style-src 'self'; "
    "img-src 'self' blob:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers send "Origin: null" even for our own forms
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",  # like frame-ancestors, for old browsers
}


class Guard:
    """The outermost ASGI middleware: it adds its headers to every response, including errors.

    It sets `request.state.may_write`. Everybody who has signed in may write. Without a password, the page is
    for this machine only; those whom a reverse proxy lets in may only look.

    It replaces Starlette's `TrustedHostMiddleware`, which refuses IP addresses, although most users open the page by one, and
    whose response does not say what to do.
    """

    def __init__(
        self, app: ASGIApp, password: str | None, names: Collection[str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`names` are allowed host names in addition to the machine's, in lower case."""
        self._names = machine_names() | set(names)
        self._app = self._protected = app
        if password is not None:
            from dashboard.sign_in import add_sign_in  # noqa: PLC0415  # needs itsdangerous

            self._protected = add_sign_in(app, password, clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        has_password = self._protected is not self._app
        scope.setdefault("state", {})["may_write"] = has_password or not any(name in headers for name in FORWARDED)
        if scope["type"] == "websocket" and refusal:
            await receive()
            await send({"type": "websocket.close", "code": REFUSED})  # before accepting, so the server responds 403
        elif scope["type"] == "websocket":
            await self._protected(scope, receive, send)
        else:
            if not has_password and scope["path"] in ("/sign-in", "/sign-out"):
                refusal = refusal or RedirectResponse("/", 303)
            await (refusal or self._protected)(scope, receive, _with_security_headers(send))

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_allowed(hosts[0]):
            return JSONResponse({"problem": WRONG_HOST}, 421)
        if len(scope["path"]) > MAX_PATH:
            return JSONResponse({"problem": LONG_PATH}, 414)
        return JSONResponse({"problem": CROSS_SITE}, 403) if _is_cross_site(scope, headers, hosts[0]) else None

    def _is_allowed(self, host: str) -> bool:
        """Accepts IP addresses and the allowed names.

        Other names could be DNS rebinding: a site that resolves its name to this machine shares the page's origin.
        """
        match = _HOST.fullmatch(host.lower())
        if match is None:
            return False
        name = match[1].removesuffix(".")
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return name in self._names
        return True


def machine_names() -> set[str]:
    """Returns the machine's host names. In a container this is the container's; IoT Edge passes the device's in a variable."""
    names = {"localhost"}
    for machine in (socket.gethostname(), os.environ.get("IOTEDGE_GATEWAYHOSTNAME", "")):
        first = machine.lower().partition(".")[0]
        names |= {machine.lower(), first, f"{first}.local"} if first else set()
    return names


def _is_cross_site(scope: Scope, headers: Headers, host: str) -> bool:
    """Returns whether a page of another site sent the request. Such a page may only link to the dashboard.

    Browsers send Origin with every WebSocket and POST, and ``Sec-Fetch-`` headers only over TLS and to loopback.
    """
    is_websocket = scope["type"] == "websocket"
    checks_origin = is_websocket or scope["method"] not in ("GET", "HEAD")
    if checks_origin and any(_authority(origin.partition("://")[2]) != _authority(host) for origin in headers.getlist("origin")):
        return True
    if is_websocket or headers.get("sec-fetch-site") in (None, "same-origin", "none"):
        return False
    mode, destination = headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")
    return not (scope["method"] == "GET" and mode == "navigate" and destination == "document")


def _authority(text: str) -> str:
    """Returns host and port, without the default ports 80 and 443, which a reverse proxy may add."""
    return re.sub(":(80|443)$", "", text.lower())


def _with_security_headers(send: Send) -> Send:
    """Wraps `send` to add the security headers, and ``Cache-Control: no-store`` unless the response sets it."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message.setdefault("headers", [])
            headers = MutableHeaders(scope=message)
            headers.update(SECURITY_HEADERS)
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return send_with_headers
