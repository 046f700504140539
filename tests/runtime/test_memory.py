"""The memory that is left, as Linux shows it."""

from pathlib import Path

import psutil
import pytest

from runtime.memory import available

MEBIBYTE = 1 << 20
MEMINFO = "MemTotal: 8000000 kB\nMemAvailable:  4096 kB\n"
VERSION_2 = {"memory.max": "{}\n", "memory.current": "{}\n", "memory.stat": "anon 9\ninactive_file {}\n"}
VERSION_1 = {
    "memory.limit_in_bytes": "{}\n",
    "memory.usage_in_bytes": "{}\n",
    "memory.stat": "inactive_file 7\ntotal_inactive_file {}\n",
}
UNLIMITED = 9223372036854771712


@pytest.mark.parametrize(
    ("files", "own", "folder", "numbers", "left"),
    [
        (VERSION_2, "0::/a/b", "a/b", (9 * MEBIBYTE, 8 * MEBIBYTE, MEBIBYTE), 2),
        (VERSION_2, "0::/a/b", "a", (9 * MEBIBYTE, 8 * MEBIBYTE, 0), 1),
        (VERSION_2, "0::/", "", (9 * MEBIBYTE, 10 * MEBIBYTE, 0), 0),
        (VERSION_2, "0::/", "", ("max", 8 * MEBIBYTE, 0), 4),
        (VERSION_2, "0::/../b", "", (9 * MEBIBYTE, 8 * MEBIBYTE, 0), 1),
        (VERSION_1, "5:cpu:/\n4:memory:/docker/1", "memory", (9 * MEBIBYTE, 8 * MEBIBYTE, MEBIBYTE), 2),
        (VERSION_1, "4:memory:/a", "memory/a", (UNLIMITED, 8 * MEBIBYTE, 0), 4),
        ({}, "nonsense", "", (), 4),
    ],
    ids=[
        "service",
        "above it",
        "none",
        "no limit",
        "other namespace",
        "version 1 in a container",
        "version 1, no limit",
        "no cgroup",
    ],
)
def test_the_smallest_limit_counts(
    tmp_path: Path, files: dict[str, str], own: str, folder: str, numbers: tuple[object, ...], left: int
) -> None:
    """It is that of the machine, of the process's cgroup or of one above it. Cached files count as free."""
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "cgroup").write_text(own + "\n")
    (tmp_path / "meminfo").write_text(MEMINFO)
    place = tmp_path / "cgroups" / folder
    place.mkdir(parents=True)
    for (name, text), number in zip(files.items(), numbers, strict=True):
        (place / name).write_text(text.format(number))
    assert available(tmp_path, tmp_path / "cgroups") == left * MEBIBYTE


def test_the_memory_of_this_machine() -> None:
    """It is known on Linux, and unknown where /proc is missing."""
    left = available()
    assert left is not None
    assert 0 < left <= psutil.virtual_memory().total
    assert available(Path("/nowhere"), Path("/nowhere")) is None
