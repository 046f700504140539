"""The fields of protocol buffers of any schema: https://protobuf.dev/programming-guides/encoding/"""

from collections.abc import Iterator

MAX_FIELDS = 100_000
"""Upper bound of the messages and fields that are read. An ONNX graph with five thousand nodes has half of it."""
Value = int | memoryview
"""The value of a field: a number, or the bytes of anything else."""
_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5
"""Wire types."""


class Truncated(ValueError):
    """A message that ends within a field."""


class Reader:
    """Reads the fields of a message, and of the messages inside it; in all at most `MAX_FIELDS`, messages included."""

    def __init__(self) -> None:
        self._remaining = MAX_FIELDS

    def fields(self, message: memoryview) -> Iterator[tuple[int, Value]]:
        """Yields the number and the value of each field, bytes that are cut off too. Raises `ValueError` or `Truncated`."""
        position = 0
        self._count()
        while position < len(message):
            self._count()
            key, position = _read_varint(message, position)
            number, kind = key >> 3, key & 7
            if not number or kind not in (_VARINT, _FIXED_64, _BYTES, _FIXED_32):
                raise ValueError("it is no protocol buffer")
            if kind == _VARINT:
                value, position = _read_varint(message, position)
                yield number, value
                continue
            size = 8 if kind == _FIXED_64 else 4
            if kind == _BYTES:
                size, position = _read_varint(message, position)
            yield number, message[position : position + size]
            position += size
        if position > len(message):
            raise Truncated("it is truncated")

    def _count(self) -> None:
        self._remaining -= 1
        if self._remaining < 0:
            raise ValueError(f"it has more than {MAX_FIELDS} fields")


def _read_varint(message: memoryview, position: int) -> tuple[int, int]:
    """Returns the number at a position, and the position after it."""
    value = 0
    for shift, byte in enumerate(message[position : position + 10]):
        value |= (byte & 127) << 7 * shift
        if byte < 128:
            return value, position + shift + 1
    raise Truncated("it is truncated")
