"""The counts of a day as JSON and as CSV."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from bus import DIRECTIONS, DayCounts, DayReport
from bus.fields import ByHour
from bus.rows import escape_formula

Row = tuple[object, ...]


def as_json(report: DayReport) -> dict[str, Any]:
    """Returns the report with a number for each label and hour; None (null) where there is no data.

    A camera's `totals` are None if it has no data for the whole day.
    """
    return asdict(report) | {"cameras": {name: _camera_json(day) for name, day in report.cameras.items()}}


def _camera_json(day: DayCounts) -> dict[str, Any]:
    return asdict(day) | {
        "totals": day.totals if _has_data(day) else None,
        "visits": _every_hour(day, day.visits),
        "crossings": {
            line: {direction: _every_hour(day, by_label) for direction, by_label in directions.items()}
            for line, directions in day.crossings.items()
        },
        "zones": {name: {"visits": _every_hour(day, zone.visits), "seconds": zone.seconds} for name, zone in day.zones.items()},
    }


def _every_hour(day: DayCounts, counts: ByHour) -> dict[str, dict[str, int | None]]:
    return {label: {hour: _number(day, by_hour, hour) for hour in _hours(day)} for label, by_hour in counts.items()}


def as_csv(report: DayReport, table: str = "visits") -> str:
    """Returns one of the `TABLES`, with a row per hour and label. Numbers are empty where there is no data."""
    columns, rows = TABLES[table]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([escape_formula(cell) for cell in row] for row in rows(report))
    return out.getvalue()


def _visit_rows(report: DayReport) -> Iterator[Row]:
    """Yields all labels of the day for each camera and hour; a day without visits has an empty label."""
    labels = sorted({label for day in report.cameras.values() for label in day.visits}) or [""]
    for name, day in report.cameras.items():
        for hour in _hours(day):
            for label in labels:
                yield report.day, hour, name, label, _number(day, day.visits.get(label, {}), hour), *_coverage(day, hour)


def _crossing_rows(report: DayReport) -> Iterator[Row]:
    """Yields both directions of each line, with the labels of the line."""
    for name, day in report.cameras.items():
        for line, directions in day.crossings.items():
            labels = sorted({label for by_label in directions.values() for label in by_label}) or [""]
            for hour in _hours(day):
                for direction in DIRECTIONS:
                    for label in labels:
                        number = _number(day, directions.get(direction, {}).get(label, {}), hour)
                        yield report.day, hour, name, line, direction, label, number, *_coverage(day, hour)


def _zone_rows(report: DayReport) -> Iterator[Row]:
    """Yields the labels of each zone. The mean time in the zone is that of all labels, so visits times mean add up."""
    for name, day in report.cameras.items():
        for zone, counts in day.zones.items():
            for hour in _hours(day):
                visits = sum(by_hour.get(hour, 0) for by_hour in counts.visits.values())
                mean = round(counts.seconds.get(hour, 0.0) / visits, 3) if visits else None
                for label in sorted(counts.visits) or [""]:
                    number = _number(day, counts.visits.get(label, {}), hour)
                    yield report.day, hour, name, zone, label, number, mean, *_coverage(day, hour)


def _coverage(day: DayCounts, hour: str) -> tuple[float | None, str]:
    return day.counted.get(hour), str(day.demo).lower()


TABLES: dict[str, tuple[tuple[str, ...], Callable[[DayReport], Iterator[Row]]]] = {
    "visits": (("day", "hour", "camera", "label", "visits", "counted", "demo"), _visit_rows),
    "crossings": (("day", "hour", "camera", "line", "direction", "label", "crossings", "counted", "demo"), _crossing_rows),
    "zones": (("day", "hour", "camera", "zone", "label", "visits", "mean_seconds", "counted", "demo"), _zone_rows),
}
"""Columns and rows of each table."""


def _has_data(day: DayCounts) -> bool:
    return bool(day.visits) or any(share is not None for share in day.counted.values())


def _hours(day: DayCounts) -> list[str]:
    """Returns all hours of the day, sorted."""
    crossings = [by_label for directions in day.crossings.values() for by_label in directions.values()]
    counts = [day.visits, *crossings, *(zone.visits for zone in day.zones.values())]
    return sorted({*day.counted, *(hour for by_label in counts for by_hour in by_label.values() for hour in by_hour)})


def _number(day: DayCounts, by_hour: dict[str, int], hour: str) -> int | None:
    """Returns the number of an hour; None if there is no data."""
    number = by_hour.get(hour)
    return 0 if number is None and day.counted.get(hour) is not None else number
