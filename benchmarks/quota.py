"""A control group that limits the CPU time of the processes in it: cgroup v1 or v2."""

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
PERIOD = 100_000
"""Microseconds: the kernel's default."""


class NoQuota(Exception):
    """This machine does not let us limit CPU time; the text says why."""


class Quota:
    """A control group without a limit at first."""

    def __init__(self, folder: Path, is_unified: bool) -> None:
        self._folder = folder
        self._is_unified = is_unified

    def wrap(self, command: Sequence[str]) -> list[str]:
        """Returns a command that runs another one, and all that it starts, in the group."""
        return ["sh", "-c", f'echo $$ >"{self._folder}/cgroup.procs" && exec "$@"', "sh", *command]

    def limit(self, percent: float) -> None:
        """Limits the group to a percentage of one core."""
        microseconds = round(PERIOD * percent / 100)
        if self._is_unified:
            (self._folder / "cpu.max").write_text(f"{microseconds} {PERIOD}")
        else:
            (self._folder / "cpu.cfs_period_us").write_text(str(PERIOD))
            (self._folder / "cpu.cfs_quota_us").write_text(str(microseconds))

    def throttled(self) -> float:
        """Returns the share of all periods so far in which the processes had to wait for the next one."""
        words = (self._folder / "cpu.stat").read_text().split()
        stat = dict(zip(words[::2], map(int, words[1::2]), strict=True))
        return stat["nr_throttled"] / max(1, stat["nr_periods"])

    def unlimit(self) -> None:
        """Removes the limit."""
        name, text = ("cpu.max", f"max {PERIOD}") if self._is_unified else ("cpu.cfs_quota_us", "-1")
        (self._folder / name).write_text(text)


@contextmanager
def open_quota(root: Path = ROOT) -> Iterator[Quota]:
    """Creates a group, and removes it at the end, when its processes have ended. Raises `NoQuota`."""
    is_unified = (root / "cgroup.controllers").exists()
    parent = root if is_unified else root / "cpu"
    folder = parent / f"footfall-{secrets.token_hex(4)}"
    try:
        if is_unified:
            (parent / "cgroup.subtree_control").write_text("+cpu")
        folder.mkdir()
    except OSError as error:
        raise NoQuota(f"{error.filename}: {error.strerror}; it needs root and the CPU controller of cgroup v1 or v2") from None
    try:
        if not os.access(folder / ("cpu.max" if is_unified else "cpu.cfs_quota_us"), os.W_OK):
            raise NoQuota(f"{folder} has no quota: the kernel has no CPU bandwidth control")
        yield Quota(folder, is_unified)
    finally:
        folder.rmdir()
