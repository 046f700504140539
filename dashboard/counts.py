"""A day's counts as other programs get them: an hour in which a camera did not count has no number, not 0."""

import csv
import io
from dataclasses import asdict
from typing import Any

from bus import CameraDay, DayReport

COLUMNS = ("day", "hour", "camera", "label", "visits", "counted", "demo")


def as_json(report: DayReport) -> dict[str, Any]:
    """The report with a number for each label and hour, which is None (null) where the camera was not counting.

    So are a camera's `totals` where it was not counting all day.
    """
    cameras = {
        name: asdict(day)
        | {
            "totals": day.totals if _has_data(day) else None,
            "visits": {label: {hour: _visits(day, label, hour) for hour in _hours(day)} for label in day.visits},
        }
        for name, day in report.cameras.items()
    }
    return asdict(report) | {"cameras": cameras}


def as_csv(report: DayReport) -> str:
    """A line for each camera, hour and label that had visits on that day; `visits` is empty where the camera was not counting.

    A day without any visit has one line for each camera and hour, with an empty label.
    """
    out = io.StringIO()
    lines = csv.writer(out)
    lines.writerow(COLUMNS)
    labels = sorted({label for day in report.cameras.values() for label in day.visits}) or [""]
    lines.writerows(
        (report.day, hour, name, _plain(label), _visits(day, label, hour), day.counted.get(hour), str(day.demo).lower())
        for name, day in report.cameras.items()
        for hour in _hours(day)
        for label in labels
    )
    return out.getvalue()


def _has_data(day: CameraDay) -> bool:
    return bool(day.visits) or any(share is not None for share in day.counted.values())


def _hours(day: CameraDay) -> list[str]:
    """All hours of the day, in their order."""
    return sorted({*day.counted, *(hour for hours in day.visits.values() for hour in hours)})


def _visits(day: CameraDay, label: str, hour: str) -> int | None:
    """None where there is no data."""
    visits = day.visits.get(label, {}).get(hour)
    return 0 if visits is None and day.counted.get(hour) is not None else visits


def _plain(label: str) -> str:
    """As a spreadsheet takes it for a text, whatever it begins with."""
    return f"'{label}" if label.startswith(("=", "+", "-", "@")) else label
