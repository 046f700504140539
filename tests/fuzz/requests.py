"""HTTP requests in a short form, so that a mutation seldom makes them invalid: a first line, headers, an empty line, the body."""

import re
from urllib.parse import quote

from tests.support.mutation import PIECES as BYTES

PIECES = (
    *BYTES,
    *(
        b"\r\n",
        b"\r\n\r\n",
        b"Content-Length: 9\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Expect: 100-continue\r\n",
        b"a: b\r\n" * 200,
    ),
    *(
        b"Connection: close\r\n",
        b"Connection: Upgrade\r\nUpgrade: websocket\r\n",
        b"HTTP/1.0\r\n",
        b"HEAD ",
        b"POST ",
        b"PUT ",
        b"OPTIONS ",
    ),
    *(
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"0\r\n\r\n",
        b"ffffffffffffffff\r\n",
        b"1;" + b"a=b;" * 200,
        b"%00",
        b"%2e%2e%2f",
        b"//",
        b"../",
    ),
    *(
        b"?a=b",
        b"&",
        b"Range: bytes=0-\r\n",
        b"If-None-Match: *\r\n",
        b"If-Modified-Since: 0\r\n",
        b"Cookie: footfall=e30.a.b\r\n",
    ),
)
"""What parsers of HTTP stumble over."""
MAX_REQUESTS_BYTES = 128 * 1024
"""Upper bound of a connection's bytes. More are more requests, each with its own cost."""
HOST = b"Host: 127.0.0.1:9001\r\n"


def as_request(short: bytes) -> bytes:
    """Returns the request for its short form, as the only one of its connection."""
    head, _, body = short.partition(b"\n\n")
    first, *headers = head.split(b"\n")
    method, _, target = first.partition(b" ")
    method = re.sub(rb"[^A-Z]", b"", method) or b"GET"
    path = quote(b"/" + target.removeprefix(b"/"), safe="/?&=%:+,;@!$'()*-._~[]").encode()
    lines = b"".join(line.strip() + b"\r\n" for line in headers if re.match(rb"[A-Za-z-]+:[^\0\r]*$", line))
    length = b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
    return method + b" " + path + b" HTTP/1.1\r\n" + HOST + lines + length + body


def raw(short: bytes) -> bytes:
    """Returns the request for its short form, without `Connection: close`."""
    return as_request(short).replace(b"Connection: close\r\n", b"", 1)
