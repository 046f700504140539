"""The table of damaged inputs, for docs/reliability.md: a row for each module of targets."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

from demo.evaluate import write_report
from tests.fuzz.child import Result

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
HEAD = ("Input", "Parsers", "Tried", "Accepted", "Uncaught errors", "Worst time", "Up to 64 KiB", "Worst memory")


def write(results: Mapping[str, Result], modules: Mapping[str, str]) -> None:
    """Writes the results by target into the documentation; `modules` has the module of each target."""
    write_report(PAGE, table(results, modules), "fuzz")


def table(results: Mapping[str, Result], modules: Mapping[str, str]) -> str:
    """Returns a Markdown table."""
    rows = [HEAD, ("---", *("---:" for _ in HEAD[1:]))]
    for module in dict.fromkeys(modules[name] for name in results):
        title = (import_module(module).__doc__ or module).splitlines()[0].rstrip(".")
        rows.append(_row(title, [result for name, result in results.items() if modules[name] == module]))
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def _row(title: str, results: Sequence[Result]) -> tuple[str, ...]:
    counts = [sum(getattr(one, field) for one in results) for field in ("inputs", "accepted", "uncaught")]
    times = [max(getattr(one, field) for one in results) for field in ("seconds", "small_seconds")]
    memory = max(one.memory for one in results)
    cells = [f"{len(results)}", *(f"{count:,}" for count in counts), *(f"{1000 * one:.0f} ms" for one in times)]
    return title, *cells, f"{memory / 1e6:.0f} MB"
