"""The limit of CPU time, and the comparison of crossings with the truth."""

from pathlib import Path

import pytest

from benchmarks.quota import NoQuota, Quota, open_quota
from benchmarks.throttled import matched


@pytest.mark.parametrize(
    ("counted", "found"),
    [
        ([("in", 2.4), ("out", 5.0)], 2),
        ([("out", 2.4), ("in", 5.0)], 0),
        ([("in", 2.4), ("in", 2.5), ("out", 7.0)], 1),
        ([], 0),
    ],
    ids=["both", "wrong direction", "repeated and too late", "none"],
)
def test_each_true_crossing_is_found_once(counted: list[tuple[str, float]], found: int) -> None:
    assert matched([("in", 2.0), ("out", 5.1)], counted) == found


@pytest.mark.parametrize(
    ("is_unified", "limited", "unlimited"),
    [
        (True, {"cpu.max": "25000 100000"}, "max 100000"),
        (False, {"cpu.cfs_quota_us": "25000", "cpu.cfs_period_us": "100000"}, "-1"),
    ],
    ids=["cgroup v2", "cgroup v1"],
)
def test_a_limit_is_a_part_of_each_period(tmp_path: Path, is_unified: bool, limited: dict[str, str], unlimited: str) -> None:
    """A quarter of a core is 25 ms of each 100 ms."""
    quota = Quota(tmp_path, is_unified)
    quota.limit(25)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == limited
    quota.unlimit()
    assert (tmp_path / next(iter(limited))).read_text() == unlimited


def test_a_machine_without_control_groups_is_reported(tmp_path: Path) -> None:
    """There is no folder of the CPU controller, or it has no files for quotas."""
    with pytest.raises(NoQuota, match="No such file"), open_quota(tmp_path):
        pass
    (tmp_path / "cpu").mkdir()
    with pytest.raises(NoQuota, match="no quota"), open_quota(tmp_path):
        pass
    assert not list((tmp_path / "cpu").iterdir())
