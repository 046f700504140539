"""Finds figures in what benchmarks print, and in Markdown tables."""

import re
from collections.abc import Callable, Iterable, Sequence

from benchmarks.proof.bar import Read


def row(text: str, name: str, columns: int | None = None) -> list[str]:
    """Returns the cells of a row after its name. If several tables have such a row, `columns` is the number of its cells.

    Raises `ValueError` if there is no such row.
    """
    words = name.split()
    for line in text.splitlines():
        if line.startswith("|"):
            first, *cells = (cell.strip() for cell in line.strip("|").split("|"))
            is_it = first == name
        else:
            cells = line.split()
            is_it, cells = cells[: len(words)] == words, cells[len(words) :]
        if is_it and columns in (None, len(cells)):
            return cells
    raise ValueError(f"no row '{name}'")


def number(cell: str) -> float:
    """Returns the first number in a cell. Raises `ValueError` if there is none."""
    if found := re.search(r"-?\d+(\.\d+)?", cell):
        return float(found[0])
    raise ValueError(f"no number in '{cell}'")


def cell(name: str, column: int, columns: int | None = None) -> Read:
    """The number in a cell of a row. Columns count from 0, after the row's name."""
    return lambda text: number(row(text, name, columns)[column])


def worst(names: Iterable[str], column: int, minus: int | None = None) -> Read:
    """The highest number of a column in some rows; or the greatest difference to another column."""
    rows = tuple(names)

    def read(text: str) -> float:
        found = [[number(one) for one in row(text, name)] for name in rows]
        return max(one[column] - (0.0 if minus is None else one[minus]) for one in found)

    return read


def apart(pairs: Iterable[tuple[str, str]], columns: Sequence[int]) -> Read:
    """The greatest difference of two rows in some columns."""
    both = tuple(pairs)

    def read(text: str) -> float:
        found = [(row(text, one), row(text, other)) for one, other in both]
        return max(abs(number(one[column]) - number(other[column])) for one, other in found for column in columns)

    return read


def every(pattern: str, combine: Callable[[Sequence[float]], float] = max) -> Read:
    """All numbers that match a group of a pattern, combined into one."""

    def read(text: str) -> float:
        if found := re.findall(pattern, text, re.MULTILINE):
            return combine([float(one.replace(",", "")) for one in found])
        raise ValueError(f"nothing fits '{pattern}'")

    return read


def listed(begin: str, combine: Callable[[Sequence[float]], float]) -> Read:
    """The numbers after the words with which a line begins, combined into one."""

    def read(text: str) -> float:
        for line in text.splitlines():
            if line.startswith(begin):
                return combine([float(one) for one in re.findall(r"\d+\.\d+|\d+", line.removeprefix(begin))])
        raise ValueError(f"no line begins with '{begin}'")

    return read
