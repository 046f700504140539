"""Turns msgpack messages on standard input, each a line of hexadecimal digits, into JSON lines.

    mosquitto_sub -F %x -t 'footfall/+/prediction' | python -m bus

A picture becomes its size. Lines that are no message are skipped and counted on standard error.
"""

import json
import os
import sys
from typing import Any

import msgpack


def as_json(line: str) -> str | None:
    """A line of JSON, in which bytes become their number; None for what is no map, or a map that JSON cannot express."""
    try:
        document = msgpack.unpackb(bytes.fromhex(line), strict_map_key=False)
        return json.dumps(document, ensure_ascii=False, default=_replace) if isinstance(document, dict) else None
    except (ValueError, TypeError, RecursionError):
        return None


def _replace(value: Any) -> str:
    return f"<{len(value)} bytes>" if isinstance(value, bytes) else str(value)


def main() -> int:
    if len(sys.argv) > 1:
        print((__doc__ or "").strip())
        return 0
    skipped = 0
    try:
        for line in sys.stdin.buffer:
            text = as_json(line.decode("ascii", "replace"))
            if text is None:
                skipped += 1
            else:
                sys.stdout.buffer.write(f"{text}\n".encode())
                sys.stdout.buffer.flush()
    except (BrokenPipeError, KeyboardInterrupt):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else the interpreter prints an error at its end
    if skipped:
        print(f"bus: skipped {skipped} lines that were no message", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
