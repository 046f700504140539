"""What a stub was sent, in a file that outlives it."""

import json
import os
import time
from pathlib import Path
from typing import Any


class Records:
    """JSON lines `{"topic": ..., "body": ..., "at": Unix time in seconds}`, each written at once and whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = -1

    def open(self) -> None:
        """Begins to append, after the last whole line: a writer that is killed may leave the beginning of one."""
        self._descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        whole = self._whole()
        os.ftruncate(self._descriptor, len(whole))

    def close(self) -> None:
        """Ends appending."""
        os.close(self._descriptor)
        self._descriptor = -1

    def append(self, topic: str, payload: bytes) -> None:
        """When this returns, the record outlives the process, though not the machine."""
        line = json.dumps({"topic": topic, "body": _body(payload), "at": time.time()}).encode() + b"\n"
        written = os.write(self._descriptor, line)
        if written != len(line):
            raise OSError(f"{self.path}: {written} of {len(line)} bytes were written")

    def read(self) -> list[dict[str, Any]]:
        """All records so far, by whomever they were written."""
        return [json.loads(line) for line in self._whole().splitlines()]

    def _whole(self) -> bytes:
        content = self.path.read_bytes() if self.path.exists() else b""
        return content[: content.rfind(b"\n") + 1]


def _body(payload: bytes) -> Any:
    """The decoded JSON; of what is none, the text."""
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return payload.decode(errors="backslashreplace")
