"""What stands at the head of every answer: what a browser may do with it, and what the page may load and run."""

import base64
import hashlib
import re
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

PAGE = Path(__file__).parents[1] / "dashboard" / "index.html"


def _scripts_in(page: str) -> str:
    """The scripts that stand in a page itself, as a Content-Security-Policy lets them run: by what they are."""
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    return " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts)


SECURITY = {
    "Content-Security-Policy": f"default-src 'none'; script-src 'self' {_scripts_in(PAGE.read_text('utf-8'))}; style-src 'self'; "
    "img-src 'self' blob:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers say "Origin: null" when our own forms are sent
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",  # frame-ancestors, for old browsers
}


def secured(send: Send) -> Send:
    """Sends with these headers, and has nothing kept by anybody of which the answer does not say so."""

    async def send_secured(message: Message) -> None:
        if message["type"] == "http.response.start":
            message.setdefault("headers", [])
            headers = MutableHeaders(scope=message)
            headers.update(SECURITY)
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return send_secured
