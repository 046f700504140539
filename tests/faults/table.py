"""The table of faults, in Markdown."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.faults.fault import Outcome

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- faults -->\n", "<!-- /faults -->"
HEAD = ("Fault", "What must hold", "Results again after", "Lost", "Twice", "Memory", "")


def row(outcome: Outcome) -> tuple[str, ...]:
    """Returns a row's cells."""
    fault = outcome.fault
    held = f"results again within {fault.limit:g} s{fault.holds and f'; {fault.holds}'}"
    if outcome.reason:
        return fault.name, held, "", "", "", "", f"not possible here: {outcome.reason}"
    recovery = "" if outcome.recovery is None else f"{outcome.recovery:.1f} s"
    met = "met" if outcome.is_met else f"**missed**: {'; '.join(outcome.problems)}"
    return fault.name, held, recovery, f"{outcome.lost} of {outcome.results}", str(outcome.twice), outcome.memory, met


def write(outcomes: Iterable[Outcome], names: Sequence[str]) -> None:
    """Writes rows into the table of the documentation, which then has the faults `names` in this order."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    earlier, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"{PAGE}: {BEGIN.strip()} or {END} is missing")
    lines = {line.split(" | ")[0].removeprefix("| "): line for line in earlier.splitlines()}
    lines |= {outcome.fault.name: _line(row(outcome)) for outcome in outcomes}
    rows = [_line(HEAD), _line("---" for _ in HEAD), *(lines[name] for name in names if name in lines)]
    PAGE.write_text("\n".join([before + BEGIN.strip(), *rows, END + after]), "utf-8")


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
