"""The lines and zones of a recording, and the tables of its visits and crossings."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from bus import DIRECTIONS, Crossing, Direction, Visit
from bus.settings import SetupSettings

ByLine = dict[str, dict[Direction, int]]
"""Number of crossings by line and direction."""


class Places(NamedTuple):
    """The names of the lines and zones by which visitors are counted."""

    lines: tuple[str, ...]
    zones: tuple[str, ...]

    @classmethod
    def of(cls, settings: SetupSettings) -> "Places":
        return cls(tuple(line.name for line in settings.lines), tuple(zone.name for zone in settings.zones))

    @property
    def column_names(self) -> list[str]:
        return [*(["direction"] if self.lines else []), *(f"zone {name}" for name in self.zones)]

    def columns(self, visit: Visit) -> dict[str, Any]:
        """Returns the direction of a visit, empty without one, and its seconds in each zone."""
        values = [
            *([visit.direction or ""] if self.lines else []),
            *(round(visit.zones.get(name, 0.0), 3) for name in self.zones),
        ]
        return dict(zip(self.column_names, values, strict=True))


def crossings_by_line(places: Places, crossings: Iterable[Crossing]) -> ByLine:
    """Returns the number of crossings of each line, also of one that nobody crossed."""
    numbers: ByLine = {name: dict.fromkeys(DIRECTIONS, 0) for name in places.lines}
    for one in crossings:
        numbers[one.line][one.direction] += 1
    return numbers


def crossing_table(crossings: ByLine) -> str:
    """Returns a table of the crossings of each line by direction."""
    width = max(map(len, ["line", *crossings]))
    rows = [f"{name:{width}}  {found['in']:5}  {found['out']:5}" for name, found in crossings.items()]
    return "\n".join([f"{'line':{width}}     in    out", *rows])


def visit_table(rows: Sequence[dict[str, Any]], places: Places) -> str:
    """Returns a table of the visits, with times in seconds, and their seconds in zones."""
    if not rows:
        return "no visits"
    width = max(5, *(len(row["label"]) for row in rows))
    names = places.column_names
    lines = [f"{'from (s)':>10}  {'to (s)':>10}  {'label':{width}}  peak" + "".join(f"  {name:>9}" for name in names)]
    for row in rows:
        more = "".join(f"  {_format(row[name]):>{max(9, len(name))}}" for name in names)
        clock = f"  {row['from_time']}" if "from_time" in row else ""
        lines.append(f"{row['from']:10.1f}  {row['to']:10.1f}  {row['label']:{width}}  {row['peak']:.2f}{more}{clock}")
    return "\n".join(lines)


def _format(value: str | float) -> str:
    return value or "-" if isinstance(value, str) else f"{value:.1f}"
