"""The counts of a day as JSON and CSV."""

from dataclasses import replace
from typing import Any

import pytest

from bus import DayCounts, ZoneHours
from dashboard.exports import as_csv, as_json
from tests.support import samples

REPORT = samples.report()


def day(camera: str, *values: Any, **others: Any) -> DayCounts:
    return DayCounts(camera, "2026-10-25", *values, **others)


HOURS = {"08": 0.25, "09": 1.0, "10": None}
CAMERAS = {
    "back": day("back", {}, {}, dict.fromkeys(HOURS)),
    "door": day("door", {"man": 3}, {"man": {"09": 3}}, HOURS, demo=True),
}
"""One without data, and one that counted during some hours."""
ROWS = """08,back,man,,,false 09,back,man,,,false 10,back,man,,,false 08,door,man,0,0.25,true 09,door,man,3,1.0,true
    10,door,man,,,true"""


@pytest.mark.parametrize(
    ("cameras", "lines"),
    [
        (CAMERAS, ROWS),  # empty without data; 0 if the camera counted no visits
        ({"door": day("door", {}, {}, {"08": 1.0, "09": None})}, "08,door,,0,1.0,false 09,door,,,,false"),
        (
            {"door": day("door", {"=1+1": 1}, {"=1+1": {"02": 1}}, {"02": 0.5})},
            "02,door,'=1+1,1,0.5,false",
        ),  # not a formula
    ],
)
def test_csv(cameras: dict[str, DayCounts], lines: str) -> None:
    head, *rows = as_csv(replace(REPORT, cameras=cameras)).splitlines()
    assert head == "day,hour,camera,label,visits,counted,demo"
    assert rows == [f"2026-10-25,{line}" for line in lines.split()]


def test_json() -> None:
    """Hours without data are null, and so are the totals of a camera without data all day."""
    report = as_json(replace(REPORT, cameras=CAMERAS))
    assert (report["day"], report["zone"]) == ("2026-10-25", "Europe/Berlin")
    back, door = report["cameras"]["back"], report["cameras"]["door"]
    assert (back["totals"], back["visits"], back["counted"], back["demo"]) == (None, {}, dict.fromkeys(HOURS), False)
    assert (door["totals"], door["visits"]) == ({"man": 3}, {"man": {"08": 0, "09": 3, "10": None}})


CROSSED = {"=door": {"in": {"man": {"09": 2}, "undecided": {"11": 1}}, "out": {"man": {"08": 1}}}}
ZONES = {"till": ZoneHours({"man": {"09": 2}, "woman": {"09": 1}}, {"09": 7.5})}
PLACES = {"door": day("door", {"man": 3}, {"man": {"09": 3}}, HOURS, crossings=CROSSED, zones=ZONES)}


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (
            "crossings",
            """hour,camera,line,direction,label,crossings,counted,demo
            08,door,'=door,in,man,0,0.25,false 08,door,'=door,in,undecided,0,0.25,false
            08,door,'=door,out,man,1,0.25,false 08,door,'=door,out,undecided,0,0.25,false
            09,door,'=door,in,man,2,1.0,false 09,door,'=door,in,undecided,0,1.0,false
            09,door,'=door,out,man,0,1.0,false 09,door,'=door,out,undecided,0,1.0,false
            10,door,'=door,in,man,,,false 10,door,'=door,in,undecided,,,false
            10,door,'=door,out,man,,,false 10,door,'=door,out,undecided,,,false
            11,door,'=door,in,man,,,false 11,door,'=door,in,undecided,1,,false
            11,door,'=door,out,man,,,false 11,door,'=door,out,undecided,,,false""",
        ),
        (
            "zones",
            """hour,camera,zone,label,visits,mean_seconds,counted,demo
            08,door,till,man,0,,0.25,false 08,door,till,woman,0,,0.25,false
            09,door,till,man,2,2.5,1.0,false 09,door,till,woman,1,2.5,1.0,false
            10,door,till,man,,,,false 10,door,till,woman,,,,false
            11,door,till,man,,,,false 11,door,till,woman,,,,false""",
        ),
    ],
)
def test_lines_and_zones(table: str, expected: str) -> None:
    """Each has a table. In one of zones, visits times their mean seconds add up to all seconds."""
    report = replace(REPORT, cameras=PLACES)
    head, *rows = as_csv(report, table).splitlines()
    assert [head.removeprefix("day,"), *(row.removeprefix("2026-10-25,") for row in rows)] == expected.split()
    door = as_json(report)["cameras"]["door"]
    assert door["crossings"]["=door"]["in"]["man"] == {"08": 0, "09": 2, "10": None, "11": None}
    assert door["zones"]["till"] == {
        "visits": {"man": {"08": 0, "09": 2, "10": None, "11": None}, "woman": {"08": 0, "09": 1, "10": None, "11": None}},
        "seconds": {"09": 7.5},
    }
