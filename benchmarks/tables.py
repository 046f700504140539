"""Percentiles, and tables on standard output."""

import statistics
from collections.abc import Sequence


def percentile(values: Sequence[float], percent: int) -> float:
    """Returns a percentile by linear interpolation."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def print_row(name: object, *cells: object) -> None:
    """Prints a row of a table: the name, then the cells aligned right. Floats below 2 have two decimals, others one."""
    texts = [f"{cell:.{2 if cell < 2 else 1}f}" if isinstance(cell, float) else str(cell) for cell in cells]
    print(f"{name!s:<12}" + "".join(f"{text:>13}" for text in texts), flush=True)
