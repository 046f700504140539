"""The table, for a terminal and for the documentation."""

from collections.abc import Mapping, Sequence

from benchmarks.bars.bar import Bar
from benchmarks.proof.bar import judge

Values = Mapping[str, float]
"""Figures by their keys. A figure that could not be measured is missing."""


def markdown(bars: Sequence[Bar], values: Values, base: Values | None = None) -> str:
    """Returns a Markdown table; with the figures of another commit, they come first."""
    head = ["Figure", *(["before"] if base is not None else []), "reached", "to reach", ""]
    rows = [head, ["---", *(["---:"] if base is not None else []), "---:", "---:", "---"]]
    for bar in bars:
        earlier = [number(bar, base)] if base is not None else []
        rows.append([bar.text, *earlier, number(bar, values), str(bar.limit or ""), verdict(bar, values)])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def number(bar: Bar, values: Values) -> str:
    """Returns a figure with its unit."""
    return _shown(values[bar.key], bar.unit) if bar.key in values else ""


def verdict(bar: Bar, values: Values) -> str:
    """Returns whether the figure is within its limit."""
    if bar.limit is None:
        return "to compare"
    if bar.key not in values:
        return "**not measured**"
    return judge(bar.limit, values[bar.key]).verdict


def _shown(value: float, unit: str) -> str:
    digits = 2 if abs(value) < 10 else 1 if abs(value) < 1000 else 0
    text = f"{value:,.{digits}f}"
    text = text.rstrip("0").rstrip(".") if digits else text
    return f"{text} {unit}".strip()
