"""The memory of this process that C libraries have freed, and the memory that is left for more."""

import ctypes
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_MMAP_THRESHOLD = -3
"""M_MMAP_THRESHOLD of glibc's `malloc.h`."""
LARGE = 7_000_000
"""Bytes. The pixels of a picture of 1920x1080 are smaller, so usual pictures use the same memory again."""


def return_large_blocks() -> None:
    """Lets the C library return each freed block of `LARGE` bytes or more to the system at once, where it is glibc.

    Otherwise glibc keeps freed blocks of up to 32 MB. After some large pictures the next one would need that much more.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, LARGE)


def available(proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Returns how many bytes this machine has left, or this process's container or service if that is less. None if unknown.

    `proc` and `cgroups` are where Linux shows its state.
    """
    found = list(_left_in_cgroups(proc, cgroups))
    with suppress(OSError, ValueError):
        found.append(_number(proc / "meminfo", "MemAvailable:") * 1024)
    return max(0, min(found)) if found else None


def _left_in_cgroups(proc: Path, cgroups: Path) -> Iterator[int]:
    """Yields the bytes left in each cgroup of this process, of version 2 or 1. In a container, only its own is visible."""
    with suppress(OSError, ValueError):
        for line in (proc / "self" / "cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers == "":
                root, limit, usage, cache = cgroups, "memory.max", "memory.current", "inactive_file"
            elif controllers == "memory":
                root, limit, usage, cache = (
                    cgroups / "memory",
                    "memory.limit_in_bytes",
                    "memory.usage_in_bytes",
                    "total_inactive_file",
                )
            else:
                continue
            folder = root / path.strip("/")
            for one in [folder, *folder.parents][: len(folder.relative_to(root).parts) + 1]:
                with suppress(OSError, ValueError):  # not there, or max: no limit
                    yield _number(one / limit) - _number(one / usage) + _number(one / "memory.stat", cache)


def _number(path: Path, name: str = "") -> int:
    """Returns the number in a file, or in its line that begins with a name. Raises `OSError` or `ValueError`."""
    match = re.search(rf"^{re.escape(name)}\s*(\d+)", path.read_text(), re.MULTILINE)
    if match is None:
        raise ValueError(path.name)
    return int(match[1])
