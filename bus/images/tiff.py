"""TIFF (TIFF 6.0)."""

import struct

from bus.images.limits import UnusablePicture, check_memory, check_size

LITTLE_ENDIAN, BIG_ENDIAN = b"II*\0", b"MM\0*"
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _SAMPLES, _ROWS, _KIND = 256, 257, 258, 259, 277, 278, 339
_STRIP_SIZES, _TILE_WIDTH, _TILE_HEIGHT, _TILE_SIZES = 279, 322, 323, 325
_TAGS = {_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _SAMPLES, _ROWS, _KIND, _STRIP_SIZES, _TILE_WIDTH, _TILE_HEIGHT, _TILE_SIZES}
_DEFAULTS = {_BITS: (1,), _COMPRESSION: (1,), _SAMPLES: (1,), _ROWS: (2**32 - 1,), _KIND: (1,)}
_TYPES = {3: ("H", 2), 4: ("I", 4)}
"""The types of these tags, SHORT and LONG: their letter in `struct`, and their bytes."""
_COMPRESSIONS = {1: "none", 5: "LZW", 8: "Deflate", 32946: "Deflate", 32773: "PackBits"}
"""Other ones, such as JPEG, have costs of their own."""
_UNPACKED = 4
"""Bytes of a pixel in libtiff's picture of a strip."""

Tags = dict[int, tuple[int, ...]]


def checked(data: bytes) -> bytes:
    """Returns a picture with integer samples and a common compression. Raises `UnusablePicture` for others."""
    tags = _DEFAULTS | _read_tags(data)
    try:
        (width,), (height,), (compression,), (samples,), (rows,) = (
            tags[tag] for tag in (_WIDTH, _HEIGHT, _COMPRESSION, _SAMPLES, _ROWS)
        )
        is_tiled = _TILE_WIDTH in tags
        sizes = tags[_TILE_SIZES if is_tiled else _STRIP_SIZES]
        columns, rows = (tags[_TILE_WIDTH][0], tags[_TILE_HEIGHT][0]) if is_tiled else (width, min(height, rows))
    except (KeyError, ValueError):
        raise UnusablePicture("a TIFF that lacks a necessary tag") from None
    check_size(width, height)
    check_size(columns, rows)
    if compression not in _COMPRESSIONS:
        allowed = ", ".join(dict.fromkeys(_COMPRESSIONS.values()))
        raise UnusablePicture(f"a TIFF with compression {compression}; {allowed} are allowed")
    bits = max(tags[_BITS])
    if bits not in (1, 8, 16) or not 1 <= samples <= 4 or set(tags[_KIND]) != {1}:
        raise UnusablePicture("a TIFF with unusual samples; 1 to 4 integers of 1, 8 or 16 bits are allowed")
    check_memory("TIFF", width, height, columns * rows * (_UNPACKED + samples * max(1, bits // 8)))
    if sum(sizes) > len(data):
        raise UnusablePicture("a TIFF whose strips are truncated, or overlap")
    return data


def _read_tags(data: bytes) -> Tags:
    """Returns the values of the tags that are needed, of the first picture. Raises `UnusablePicture`."""
    order, tags = "<" if data.startswith(LITTLE_ENDIAN) else ">", Tags()
    try:
        (at,) = struct.unpack_from(f"{order}I", data, 4)
        (count,) = struct.unpack_from(f"{order}H", data, at)
        for entry in range(at + 2, at + 2 + 12 * count, 12):
            tag, kind, length = struct.unpack_from(f"{order}HHI", data, entry)
            if tag not in _TAGS:
                continue
            letter, size = _TYPES[kind]
            if tag in tags or not 0 < length <= len(data) // size:
                raise ValueError
            (place,) = (entry + 8,) if length * size <= 4 else struct.unpack_from(f"{order}I", data, entry + 8)
            tags[tag] = struct.unpack_from(f"{order}{length}{letter}", data, place)
    except (struct.error, KeyError, ValueError):
        raise UnusablePicture(f"a TIFF of {len(data)} bytes with invalid tags") from None
    return tags
