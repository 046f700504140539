"""Tables on standard output."""

import statistics
from collections.abc import Sequence


def percentile(values: Sequence[float], percent: int) -> float:
    """By linear interpolation."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def print_row(name: object, *cells: object) -> None:
    """A line of a table: the name to the left, the rest to the right, a share with two places."""
    texts = [f"{cell:.{2 if cell < 2 else 1}f}" if isinstance(cell, float) else str(cell) for cell in cells]
    print(f"{name!s:<12}" + "".join(f"{text:>13}" for text in texts), flush=True)
