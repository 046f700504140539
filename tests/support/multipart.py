"""Streams of JPEGs as network cameras of several makes send them, in the parts of a multipart response."""

import random
from collections.abc import Callable

from capture.pictures.prepare import encode_jpeg
from tests.support import videos

COUNT = 30
"""Pictures of a stream."""
PICTURES = [encode_jpeg(videos.numbered(number % 25), 90 - number // 25) for number in range(COUNT)]
APP = b"\xff\xe1\x00\x10" + b"x" * 14
"""A segment of a camera's maker, which is not EXIF."""
_REPLACE = "multipart/x-mixed-replace"
TYPES = {
    "quoted": f'{_REPLACE}; boundary="frame"',
    "dashes": f"{_REPLACE}; boundary=--frame",
    "no boundary": _REPLACE,
    "mixed": "multipart/mixed; boundary=frame",
    "upper case": "Multipart/X-Mixed-Replace;Boundary=frame",
    "no parts": "application/octet-stream",
}
"""The content type by kind, where it is not the usual one."""
CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda jpeg: jpeg[:-3],
    "truncated in its tables": lambda jpeg: jpeg[:100],
    "garbage": lambda jpeg: random.Random(jpeg).randbytes(2000),
    "empty": lambda _: b"",
    "no header": lambda jpeg: b"\xff\xd8\xff\xd9",
}
"""By kind: what becomes of every third picture, which is lost."""
LAYOUTS = {
    "no line end": "--frame\r\n{head}\r\n{jpeg}",
    "line feeds": "--frame\n{head}\n{jpeg}\n",
    "boundary behind": "{head}\r\n{jpeg}\r\n--frame\r\n",
    "doubled boundary": "--frame\r\n\r\n----frame\r\n{head}\r\n{jpeg}\r\n",
    "no parts": "{jpeg}",
}
HEADS = {
    "no length": "Content-Type: image/jpeg\r\n",
    "no head": "",
    "longer": "Content-Type: image/jpeg\r\nContent-Length: 99999\r\n",
    "shorter": "Content-Type: image/jpeg\r\nContent-Length: 7\r\n",
}
SOUND = ["usual", "padded", "segment", *TYPES, *(kind for kind in LAYOUTS if kind not in TYPES), *HEADS]
"""The kinds of which all pictures arrive."""


def stream(kind: str) -> tuple[str, bytes]:
    """Returns the content type and the body of a stream of `COUNT` pictures."""
    body = b""
    for number, picture in enumerate(PICTURES):
        jpeg = picture
        if kind == "padded":
            jpeg += bytes(700)
        elif kind == "segment":
            jpeg = jpeg[:2] + APP + jpeg[2:]
        elif kind in CHANGES and number % 3 == 0:
            jpeg = CHANGES[kind](jpeg)
        head = HEADS.get(kind, f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n")
        before, _, after = LAYOUTS.get(kind, "--frame\r\n{head}\r\n{jpeg}\r\n").partition("{jpeg}")
        if kind == "line feeds":
            head = head.replace("\r\n", "\n")
        body += before.format(head=head).encode() + jpeg + after.encode()
    return TYPES.get(kind, f"{_REPLACE};boundary=frame"), body
