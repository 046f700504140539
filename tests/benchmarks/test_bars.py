"""Tests of the table of performance."""

from pathlib import Path

import pytest

from benchmarks.bars.bar import Bar, Group, Inputs
from benchmarks.bars.checkout import checkout, commit_of
from benchmarks.bars.groups import GROUPS
from benchmarks.bars.run import measure
from benchmarks.bars.table import markdown
from benchmarks.programs import ROOT
from benchmarks.proof.bar import at_least, at_most

BARS = (
    Bar("a.share", "share", at_least(0.95)),
    Bar("a.size", "size", at_most(220, "MB")),
    Bar("a.gone", "gone", at_most(1.0)),
    Bar("a.peer", "peer"),
)


def test_the_table_says_what_is_met() -> None:
    """At the limit a figure is within it. A missing one is never met, and one without a limit is only to compare."""
    values = {"a.share": 0.95, "a.size": 220.4, "a.peer": 1234.5}
    assert markdown(BARS, values).splitlines()[2:] == [
        "| share | 0.95 | at least 0.95 | met |",
        "| size | 220.4 MB | at most 220 MB | **missed** |",
        "| gone |  | at most 1 | **not measured** |",
        "| peer | 1,234 |  | to compare |",
    ]
    assert markdown(BARS[:1], values, {"a.share": 0.5}).splitlines()[2] == "| share | 0.5 | 0.95 | at least 0.95 | met |"


def test_each_figure_belongs_to_its_group() -> None:
    """The keys are different, and begin with the name of their group."""
    keys = [bar.key for group in GROUPS for bar in group.bars]
    assert len(set(keys)) == len(keys)
    assert all(bar.key.startswith(f"{group.name}.") for group in GROUPS for bar in group.bars)


def test_a_group_that_fails_has_no_figures(capsys: pytest.CaptureFixture[str]) -> None:
    """The run goes on, and says why."""
    unknown = Group("unknown", lambda _: {}, ())
    assert measure(unknown, ROOT, Inputs(Path("model"), Path("pictures"))) == {}
    assert "unknown: exit code 1" in capsys.readouterr().err


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no git checkout")
def test_another_commit_is_measured_with_these_benchmarks() -> None:
    """Its folder has its own code and today's benchmarks, and is gone afterwards. An unknown commit is refused."""
    with checkout("HEAD") as folder:
        assert commit_of(folder).rstrip("+") == commit_of(ROOT).rstrip("+")
        assert (folder / "benchmarks" / "bars" / "groups.py").is_file()
    assert not folder.exists()
    with pytest.raises(ValueError, match="no-such-commit"):
        commit_of(ROOT, "no-such-commit")
