"""The table of faults, in Markdown."""

from collections.abc import Iterable
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


def table(outcomes: Iterable[Outcome]) -> str:
    """Returns the table."""
    lines = [HEAD, tuple("---" for _ in HEAD), *map(row, outcomes)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |" for cells in lines)


def write(outcomes: Iterable[Outcome]) -> None:
    """Replaces the table in the documentation."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"{PAGE}: {BEGIN.strip()} or {END} is missing")
    PAGE.write_text(f"{before}{BEGIN}{table(outcomes)}\n{END}{after}", "utf-8")
