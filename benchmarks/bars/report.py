"""The whole table in one run: make bench"""

import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from benchmarks.bars import table
from benchmarks.bars.bar import Bar, Group, Inputs
from benchmarks.bars.checkout import checkout, commit_of
from benchmarks.bars.groups import GROUPS
from benchmarks.bars.machine import this_machine
from benchmarks.bars.run import measure
from benchmarks.programs import ROOT
from demo.evaluate import write_report

PAGE = ROOT / "docs" / "figures.md"


def report(inputs: Inputs, names: Sequence[str], base: str, is_written: bool) -> None:
    """Prints the table, or the groups of these names. With `base`, measures each group in that commit as well, in turn.

    Raises `ValueError` for a commit that does not exist, or an unknown name.
    """
    if unknown := set(names) - {group.name for group in GROUPS}:
        raise ValueError(f"unknown parts: {', '.join(sorted(unknown))}; allowed are {', '.join(group.name for group in GROUPS)}")
    groups = [group for group in GROUPS if not names or group.name in names]
    inputs = Inputs(*(path.resolve() for path in inputs))
    about = f"Commit {commit_of(ROOT)}{f', before it {commit_of(ROOT, base)}' if base else ''}. {this_machine()}."
    print(about, flush=True)
    with checkout(base) if base else nullcontext() as other:
        values, before = _measure(groups, inputs, other)
    text = table.markdown([bar for group in groups for bar in group.bars], values, before if base else None)
    print(f"\n{text}")
    if is_written and not names:
        write_report(PAGE, f"{about}\n\n{text}", "bench")


def _measure(groups: Sequence[Group], inputs: Inputs, other: Path | None) -> tuple[dict[str, float], dict[str, float]]:
    """Returns the figures of this checkout and of another one, and prints them as they come."""
    values, before = dict[str, float](), dict[str, float]()
    for group in groups:
        begin = time.monotonic()
        values |= measure(group, ROOT, inputs)
        if other:
            before |= measure(group, other, inputs)
        print(f"--- {group.name}, {time.monotonic() - begin:.0f} s", flush=True)
        for bar in group.bars:
            print(f"{bar.text}: {_line(bar, values, before)}", flush=True)
    return values, before


def _line(bar: Bar, values: table.Values, before: table.Values) -> str:
    return table.number(bar, values) + (f" (before: {table.number(bar, before)})" if bar.key in before else "")
