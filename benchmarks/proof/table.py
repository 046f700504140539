"""The table of bars, in Markdown."""

from collections.abc import Iterable, Mapping
from os.path import relpath
from pathlib import Path
from string import Formatter

from benchmarks.proof.bar import Asserted, Bar, Elsewhere, Outcome, Printed
from benchmarks.proof.bars import AREAS
from benchmarks.proof.evidence import ROOT, block
from demo.evaluate import write_report

PAGE, BLOCK = "docs/figures.md", "bars"
HEAD = ("Bar", "To reach", "Reached", "", "Seen by")


def source(bar: Bar) -> str:
    """Returns how a bar is seen."""
    evidence = bar.evidence
    if isinstance(evidence, Asserted):
        return "asserted by " + ", ".join(f"`{test}`" for test in evidence.tests)
    if isinstance(evidence, Elsewhere):
        return f"`{evidence.command}`"
    if isinstance(evidence, Printed):
        names = {name: f"path/to/{name}" for _, name, _, _ in Formatter().parse(evidence.arguments) if name}
        return f"`python -m {evidence.arguments.format_map(names)}`"
    return f"from [{evidence.page}]({relpath(evidence.page, Path(PAGE).parent)}), measured by `{evidence.command}`"


def line(bar: Bar, outcome: Outcome) -> str:
    """Returns the row of a bar."""
    return _line((bar.name, str(bar.limit), outcome.reached, outcome.verdict, source(bar)))


def table(lines: Mapping[str, str]) -> str:
    """Returns the table with rows by the names of their bars, in the order of `AREAS`."""
    found = [_line(HEAD), _line("---" for _ in HEAD)]
    for area, bars in AREAS.items():
        rows = [lines[bar.name] for bar in bars if bar.name in lines]
        found += [_line((f"**{area}**", *("" for _ in HEAD[1:]))), *rows] if rows else []
    return "\n".join(found)


def write(lines: Mapping[str, str]) -> None:
    """Writes rows into the table of the documentation. Rows of other bars stay."""
    earlier = {row.split(" | ")[0].removeprefix("| "): row for row in block(PAGE, BLOCK).splitlines()}
    write_report(ROOT / PAGE, table(earlier | dict(lines)), BLOCK)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
