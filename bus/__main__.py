"""Converts hex-encoded msgpack messages, one per line on standard input, to JSON lines on standard output.

    mosquitto_sub -F %x -t 'footfall/+/prediction' | python -m bus

Binary values, such as pictures, are shown as their size. Invalid lines are skipped; standard error gets their number.
"""

import json
import os
import sys
from typing import Any

from bus.decoding import decode_msgpack


def to_json(line: str) -> str | None:
    """Returns the message as a line of JSON, or None if the line is not a msgpack map or JSON cannot represent it."""
    try:
        document = decode_msgpack(bytes.fromhex(line))
        return json.dumps(document, ensure_ascii=False, default=_placeholder) if isinstance(document, dict) else None
    except (ValueError, TypeError, RecursionError):
        return None


def _placeholder(value: Any) -> str:
    return f"<{len(value)} bytes>" if isinstance(value, bytes) else str(value)


def main() -> int:
    if len(sys.argv) > 1:
        print((__doc__ or "").strip())
        return 0
    skipped = 0
    try:
        for line in sys.stdin.buffer:
            text = to_json(line.decode("ascii", "replace"))
            if text is None:
                skipped += 1
            else:
                sys.stdout.buffer.write(f"{text}\n".encode())
                sys.stdout.buffer.flush()
    except (BrokenPipeError, KeyboardInterrupt):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # otherwise the interpreter prints an error at exit
    if skipped:
        print(f"bus: invalid lines skipped: {skipped}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
