"""Motion JPEG: the JPEGs in a byte stream, without the boundaries, headers with wrong lengths and garbage between them."""

from collections.abc import Iterable, Iterator

_BEGIN, _SCAN, _END = b"\xff\xd8\xff", 0xDA, b"\xff\xd9"


def find_jpegs(chunks: Iterable[bytes], limit: int) -> Iterator[bytes | None]:
    """Yields each complete JPEG of at most `limit` bytes, and None after each chunk. Drops truncated ones."""
    data = bytearray()
    for chunk in chunks:
        data += chunk
        while (picture := _pop_first(data)) is not None:
            yield picture
        if len(data) > limit:
            data.clear()
        yield None


def _pop_first(data: bytearray) -> bytes | None:
    """Removes the first complete JPEG and everything before it. Returns the JPEG, or None if there is none yet."""
    while (begin := data.find(_BEGIN)) >= 0:
        del data[:begin]
        found = _find_scan(data)
        if found is None:
            return None
        at, is_scan = found
        end, other = data.find(_END, at), data.find(_BEGIN, at)
        if not is_scan:
            del data[:at]
        elif other >= 0 and not 0 <= end < other:
            del data[:other]  # another JPEG begins before this one has ended
        elif end < 0:
            return None
        else:
            picture = bytes(data[: end + 2])
            del data[: end + 2]
            return picture
    del data[:-2]  # these bytes can be the beginning of the next JPEG
    return None


def _find_scan(data: bytearray) -> tuple[int, bool] | None:
    """Returns the offset of the compressed data and True. It follows the segments, some of which can contain a thumbnail.

    Returns the offset of the last valid segment and False if the JPEG is damaged, or None if more data is needed.
    """
    at = sound = 2
    while len(data) >= at + 4:
        marker = data[at + 1]
        if data[at] != 0xFF or marker < 0xC0 or 0xD0 <= marker <= 0xD9:  # not the marker of a segment
            return sound, False
        sound = at
        if marker == _SCAN:
            return at, True
        # 0xFF can be repeated before the marker
        at += 1 if marker == 0xFF else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None
