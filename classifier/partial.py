"""A file whose download may be interrupted and continued."""

import hashlib
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

CHUNK_SIZE = 1024 * 1024
_STRONG_ETAG = re.compile(r'"[\x21\x23-\x7e]{0,256}"')
"""RFC 9110, 8.8.3, without other characters than ASCII."""


class PartialFile:
    """The bytes that came so far, beside `target`, and in a second file the strong ETag of the file on the server.

    Call `begin` first, then `write`, and `complete`, `close` or `discard` at the end. `write`, `sha256` and `complete` raise
    `OSError`.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._part = target.with_name(f"{target.name}.part")
        self._etag_file = target.with_name(f"{target.name}.etag")
        self._file: BinaryIO | None = None
        self._digest = hashlib.sha256()
        self._etag, self._size = "", 0
        with suppress(OSError, ValueError):
            etag = self._etag_file.read_text(encoding="ascii")
            if _STRONG_ETAG.fullmatch(etag):
                self._etag, self._size = etag, self._part.stat().st_size
        self.is_continued = False
        """Whether bytes of an earlier download are used."""

    @property
    def request_headers(self) -> dict[str, str]:
        """The headers that ask for the rest (RFC 9110, 13.1.5 and 14.2), if there are bytes."""
        return {"Range": f"bytes={self._size}-", "If-Range": self._etag} if self._size else {}

    def begin(self, status: int, headers: Mapping[str, str]) -> int | None:
        """Returns how many bytes of this file come before the body of an answer; None if the body is of no use.

        Azurite ignores If-Range, and Azure's documentation does not name it. So the ETag of a rest is compared too.
        """
        etag = headers.get("etag", "")
        is_rest = headers.get("content-range", "").startswith(f"bytes {self._size}-")
        if status == 206 and self._size and etag == self._etag and is_rest:
            self.is_continued = True
            return self._size
        if status in (206, 416):
            self.discard()
        if status != 200:
            return None
        self._etag = etag if _STRONG_ETAG.fullmatch(etag) else ""
        return 0

    def write(self, chunk: bytes) -> None:
        """Appends bytes."""
        self._open().write(chunk)
        self._digest.update(chunk)

    def _open(self) -> BinaryIO:
        """Returns the file. Opens it at the first call, with or without the bytes that are there."""
        if self._file is not None:
            return self._file
        if self.is_continued:
            with self._part.open("rb") as file:
                while chunk := file.read(CHUNK_SIZE):
                    self._digest.update(chunk)
        else:
            self._etag_file.unlink(missing_ok=True)
        self._file = self._part.open("ab" if self.is_continued else "wb")
        if self._etag and not self.is_continued:
            self._etag_file.write_text(self._etag, encoding="ascii")
        return self._file

    @property
    def sha256(self) -> str:
        """The SHA-256 of all bytes."""
        self._open()
        return self._digest.hexdigest()

    def complete(self) -> None:
        """Moves the file to `target`, once it is on the disk."""
        with self._open() as file:
            file.flush()
            os.fsync(file.fileno())
        self._etag_file.unlink(missing_ok=True)
        self._part.replace(self._target)

    def close(self) -> None:
        """Keeps the bytes for the next download, if the server named the version of its file."""
        try:
            if self._file is not None:
                self._file.close()
        except OSError:
            self._etag = ""
        if not self._etag:
            self.discard()

    def discard(self) -> None:
        """Removes the bytes."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
        for path in (self._part, self._etag_file):
            with suppress(OSError):
                path.unlink(missing_ok=True)
