"""Motion JPEG: the JPEGs in a byte stream, without the boundaries, headers with wrong lengths and garbage between them."""

import re
from collections.abc import Iterable, Iterator

MAX_BYTES = 32 * 1024 * 1024
"""Upper bound of the size of a camera's picture. More bytes without a whole one are dropped."""
_BEGIN, _SCAN, _END = b"\xff\xd8\xff", 0xDA, b"\xff\xd9"
_END_OR_BEGIN = re.compile(rb"\xff(?:\xd9|\xd8\xff)")


def find_jpegs(chunks: Iterable[bytes], limit: int = MAX_BYTES) -> Iterator[bytes | None]:
    """Yields each complete JPEG of at most `limit` bytes, and None after each chunk. Drops truncated ones."""
    finder = _JpegFinder()
    for chunk in chunks:
        finder.data += chunk
        while (picture := finder.pop_first()) is not None:
            yield picture
        if len(finder.data) > limit:
            finder.drop(len(finder.data))
        yield None


class _JpegFinder:
    """The bytes in which no complete JPEG was found yet. However small the chunks are, each byte is searched once."""

    def __init__(self) -> None:
        self.data = bytearray()
        self._at = 0
        """How far a JPEG at the beginning was followed: its next segment, or its compressed data. 0 if there is no JPEG."""
        self._last_segment = 0
        self._is_scan = False

    def drop(self, count: int) -> None:
        """Removes the first bytes."""
        del self.data[:count]
        self._at, self._is_scan = 0, False

    def pop_first(self) -> bytes | None:
        """Removes the first complete JPEG and everything before it. Returns the JPEG, or None if there is none yet."""
        while self._at or self._find_begin():
            if not self._is_scan and not (is_sound := self._follow_segments()):
                if is_sound is None:
                    return None
                self.drop(self._last_segment)  # its length may be wrong, so a JPEG can begin in it
                continue
            found = _END_OR_BEGIN.search(self.data, self._at)
            if found is None:
                self._at = max(self._at, len(self.data) - 2)
                return None
            if self.data.startswith(_END, found.start()):
                picture = bytes(self.data[: found.end()])
                self.drop(found.end())
                return picture
            self.drop(found.start())  # another JPEG begins before this one has ended
        return None

    def _find_begin(self) -> bool:
        """Removes everything before the beginning of a JPEG. Returns whether there is one."""
        begin = self.data.find(_BEGIN)
        self.drop(begin if begin >= 0 else max(0, len(self.data) - 2))  # two bytes can be the beginning of the next one
        if begin >= 0:
            self._at = self._last_segment = 2
        return begin >= 0

    def _follow_segments(self) -> bool | None:
        """Follows the segments up to the compressed data; some can contain a thumbnail.

        Returns True at the compressed data, False if the JPEG is damaged after its last segment, None if more data is needed.
        """
        while len(self.data) >= self._at + 4:
            marker = self.data[self._at + 1]
            if self.data[self._at] != 0xFF or marker < 0xC0 or 0xD0 <= marker <= 0xD9:  # not the marker of a segment
                return False
            self._last_segment = self._at
            if marker == _SCAN:
                self._is_scan = True
                return True
            # 0xFF can be repeated before the marker
            self._at += 1 if marker == 0xFF else 2 + int.from_bytes(self.data[self._at + 2 : self._at + 4], "big")
        return None
