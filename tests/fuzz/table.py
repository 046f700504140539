"""The table of damaged inputs, for docs/reliability.md: a row for each module of targets."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

from demo.evaluate import write_report
from tests.fuzz.child import Result

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
HEAD = ("Input", "Parsers", "Tried", "Accepted", "Uncaught errors", "Worst time", "Up to 64 KiB", "Worst memory")


def write(results: Mapping[str, Result], modules: Mapping[str, str]) -> None:
    """Writes the results by target into the documentation; `modules` has the module of each target.

    Only rows of which every target was tried are replaced.
    """
    write_report(PAGE, table(results, modules, PAGE.read_text("utf-8")), "fuzz")


def table(results: Mapping[str, Result], modules: Mapping[str, str], page: str) -> str:
    """Returns a Markdown table: new rows, and the rows of the page for modules that were not tried completely."""
    rows = [_line(HEAD), _line(("---", *("---:" for _ in HEAD[1:])))]
    for module in dict.fromkeys(modules.values()):
        title = (import_module(module).__doc__ or module).splitlines()[0].rstrip(".")
        names = [name for name in modules if modules[name] == module]
        if results.keys() >= set(names):
            rows.append(_line(_row(title, [results[name] for name in names])))
        else:
            rows += [line for line in page.splitlines() if line.startswith(f"| {title} |")]
    return "\n".join(rows)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _row(title: str, results: Sequence[Result]) -> tuple[str, ...]:
    counts = [sum(getattr(one, field) for one in results) for field in ("inputs", "accepted", "uncaught")]
    times = [max(getattr(one, field) for one in results) for field in ("seconds", "small_seconds")]
    memory = max(one.memory for one in results)
    cells = [f"{len(results)}", *(f"{count:,}" for count in counts), *(f"{1000 * one:.0f} ms" for one in times)]
    return title, *cells, f"{memory / 1e6:.0f} MB"
