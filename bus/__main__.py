"""Turns a stream of msgpack messages on standard input into JSON lines.

    mosquitto_sub -N -t 'footfall/+/prediction' | python -m bus

A picture becomes its size. Bytes that are no message are skipped and counted on standard error.
"""

import io
import json
import os
import sys
from collections.abc import Iterator
from typing import IO, Any

import msgpack

from bus.messages import Frame

MAX_BUFFER = 2 * Frame.LIMIT


def documents(stream: IO[bytes]) -> Iterator[dict[str, Any] | None]:
    """Each map in the stream as it comes; None for bytes that are no map. Holds at most twice the largest message."""
    unpacker = _unpacker()
    descriptor = stream.fileno()
    while chunk := os.read(descriptor, 1 << 16):
        try:
            unpacker.feed(chunk)
        except msgpack.BufferFull:
            unpacker = _unpacker()
            yield None
            continue
        yield from _complete(unpacker)


def _unpacker() -> msgpack.Unpacker:
    return msgpack.Unpacker(strict_map_key=False, max_buffer_size=MAX_BUFFER)


def _complete(unpacker: msgpack.Unpacker) -> Iterator[dict[str, Any] | None]:
    while True:
        try:
            value = unpacker.unpack()
        except msgpack.OutOfData:
            return
        except (ValueError, TypeError):
            unpacker.read_bytes(1)
            yield None
            continue
        yield value if isinstance(value, dict) else None


def line(document: dict[str, Any]) -> str | None:
    """One line of JSON, in which bytes become their number; None for a map that JSON cannot express."""
    try:
        return json.dumps(document, ensure_ascii=False, default=_replace)
    except (TypeError, ValueError, RecursionError):
        return None


def _replace(value: Any) -> str:
    return f"<{len(value)} bytes>" if isinstance(value, bytes) else str(value)


def main() -> int:
    if len(sys.argv) > 1:
        print((__doc__ or "").strip())
        return 0
    skipped = 0
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        for document in documents(sys.stdin.buffer):
            text = None if document is None else line(document)
            if text is None:
                skipped += 1
            else:
                print(text, flush=True)
    except (BrokenPipeError, KeyboardInterrupt):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else the interpreter prints an error at its end
    if skipped:
        print(f"bus: skipped {skipped} pieces that were no message", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
