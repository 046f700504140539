"""Protects the dashboard: host names (DNS rebinding), requests of other sites (CSRF), security headers."""

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
"""Close code of a WebSocket."""


WRONG_HOST = "Not a name of this server. Use its address, or add the name to the setting WEB_NAMES."
CROSS_SITE = "Not for the pages of other sites. A proxy has to pass the Host header on unchanged."

_HOST = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[^\[\]:@/\\?#\s]{1,254})(:[0-9]{1,5})?")


def _script_hashes(html: str) -> str:
    """The inline scripts of a page, as a Content-Security-Policy allows them."""
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    return " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts)


SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; "
    f"script-src 'self' {_script_hashes((PAGE / 'index.html').read_text('utf-8'))}; style-src 'self'; "
    "img-src 'self' blob:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers send "Origin: null" with our own forms
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",  # frame-ancestors, for old browsers
}


class Guard:
    """Outermost ASGI middleware, so that its headers are on every response, including errors.

    Starlette's `TrustedHostMiddleware` is not used: it refuses numeric addresses, under which most users reach the page, and its
    answer does not say what to do.
    """

    def __init__(
        self, app: ASGIApp, password: str | None, names: Collection[str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`names`: host names besides the machine's own, in lower case."""
        self._names = own_names() | set(names)
        self._app = self._guarded = app
        if password is not None:
            from dashboard.sign_in import with_sign_in  # noqa: PLC0415  # needs itsdangerous

            self._guarded = with_sign_in(app, password, clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope, Headers(scope=scope))
        if scope["type"] == "websocket" and refusal:
            await receive()
            await send({"type": "websocket.close", "code": REFUSED})  # before it is accepted: the server answers 403
        elif scope["type"] == "websocket":
            await self._guarded(scope, receive, send)
        else:
            if self._guarded is self._app and scope["path"] in ("/sign-in", "/sign-out"):
                refusal = refusal or RedirectResponse("/", 303)
            await (refusal or self._guarded)(scope, receive, _secured(send))

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_own(hosts[0]):
            return JSONResponse({"problem": WRONG_HOST}, 421)
        return JSONResponse({"problem": CROSS_SITE}, 403) if _is_cross_site(scope, headers, hosts[0]) else None

    def _is_own(self, host: str) -> bool:
        """Any site can resolve its own name to this machine, and would then be of one origin with the page (DNS rebinding); a
        numeric address cannot be pointed elsewhere.
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


def own_names() -> set[str]:
    """The machine's names. In a container its name is the container's; IoT Edge passes the device's in a variable."""
    names = {"localhost"}
    for machine in (socket.gethostname(), os.environ.get("IOTEDGE_GATEWAYHOSTNAME", "")):
        first = machine.lower().partition(".")[0]
        names |= {machine.lower(), first, f"{first}.local"} if first else set()
    return names


def _is_cross_site(scope: Scope, headers: Headers, host: str) -> bool:
    """Whether the page of another site sent the request. Such a page may open ours in a window, and nothing else.

    Every browser sends an Origin with a WebSocket and with a POST, and ``Sec-Fetch-`` headers over TLS and to loopback.
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
    """Host and port; 80 and 443 are left out, as a proxy may add them."""
    return re.sub(":(80|443)$", "", text.lower())


def _secured(send: Send) -> Send:
    """Add the security headers to a response; nothing is cached unless the response says so."""

    async def send_secured(message: Message) -> None:
        if message["type"] == "http.response.start":
            message.setdefault("headers", [])
            headers = MutableHeaders(scope=message)
            headers.update(SECURITY_HEADERS)
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return send_secured
