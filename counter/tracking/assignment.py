"""Exact assignment of rows to columns at the least total cost."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from math import inf

Costs = Mapping[int, Mapping[int, float]]
"""By row, the costs of the columns that it can have; columns are numbered from 0."""


def assign(costs: Costs) -> dict[int, int]:
    """Returns the column of each row that has one, at the least total cost. No column has two rows.

    A row without a column costs 0, so columns whose cost is not negative are never assigned.
    """
    useful = {row: {column: cost for column, cost in one.items() if cost < 0} for row, one in costs.items()}
    found: dict[int, int] = {}
    for component in _components({row: one for row, one in useful.items() if one}):
        if len(component) == 1:  # the usual case, without the cost of a matching
            [(row, one)] = component.items()
            found[row] = min(one, key=one.__getitem__)
        else:
            found |= _Matching(component).columns
    return {row: column for row, column in found.items() if column >= 0}


def _components(costs: Costs) -> Iterator[Costs]:
    """Yields the groups of rows that share no column with other rows."""
    rows_of = defaultdict(list)
    for row, one in costs.items():
        for column in one:
            rows_of[column].append(row)
    left = dict(costs)
    while left:
        component: dict[int, Mapping[int, float]] = {}
        waiting = [next(iter(left))]
        while waiting:
            row = waiting.pop()
            if row in left:
                component[row] = left.pop(row)
                waiting += [other for column in component[row] for other in rows_of[column]]
        yield component


class _Matching:
    """The assignment of a group of rows by shortest augmenting paths (Jonker and Volgenant, Computing 38, 1987).

    Each row has a column of its own, numbered below 0, which costs 0 and stands for no column.
    """

    def __init__(self, costs: Costs) -> None:
        self.columns: dict[int, int] = {}
        self._costs = {row: {**one, -1 - row: 0.0} for row, one in costs.items()}
        self._rows: dict[int, int] = {}
        self._row_prices = dict.fromkeys(costs, 0.0)
        self._column_prices: dict[int, float] = defaultdict(float)
        for row in costs:
            self._add(row)

    def _add(self, start: int) -> None:
        """Gives one more row a column, by the cheapest path of changes to the columns of other rows."""
        row, length, column = start, 0.0, 0
        distances, previous = dict[int, float](), dict[int, int]()
        rows, done = {start: 0.0}, dict[int, float]()
        while True:
            for column, cost in self._costs[row].items():
                distance = length + cost - self._row_prices[row] - self._column_prices[column]
                if column not in done and distance < distances.get(column, inf):
                    distances[column], previous[column] = distance, row
            column = min(distances, key=distances.__getitem__)
            length = done[column] = distances.pop(column)
            if column not in self._rows:
                break
            row = self._rows[column]
            rows[row] = length
        for one, distance in rows.items():
            self._row_prices[one] += length - distance
        for one, distance in done.items():
            self._column_prices[one] -= length - distance
        self._reassign(column, previous)

    def _reassign(self, column: int, previous: Mapping[int, int]) -> None:
        """Moves the rows on the path that ends at a free column by one column each."""
        while True:
            row = previous[column]
            self._rows[column] = row
            before = self.columns.get(row)
            self.columns[row] = column
            if before is None:
                return
            column = before
