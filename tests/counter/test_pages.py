"""Reports over any range of time, compared with a plain recount, over clock changes, in pages."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bus import DIRECTIONS, Answer, Crossing, Page, Question, Visit
from bus.reports import PARAMETERS
from counter import pages as module
from counter.answers import Answers
from counter.changes import Changes
from counter.hours import QUARTER, Calendar
from counter.ledger import Ledger
from counter.opening import OpeningHours
from counter.pages import Pages
from counter.periods import Period
from counter.query import parse_query
from counter.reports import Reports
from counter.steps import STEPS
from tests.counter.shop import OfflineBus, open_ledger, visit

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")
NOW = datetime.fromisoformat("2026-11-27T12:00+01:00").timestamp()
CHANGES = ("2026-03-28", "2026-10-24", "2026-03-07", "2026-10-31", "2026-04-04", "2026-10-03", "2024-02-28", "2026-12-27")
"""Days before clocks change, before a leap day, and before week 53 ends."""
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None


def report(ledger: Ledger, zone: str = "Europe/Berlin", known: Sequence[str] = (), **parameters: str) -> list[Page]:
    """Returns all pages; a parameter that is a word of Python has an underscore."""
    asked, found = {name.strip("_"): value for name, value in parameters.items()}, list[Page]()
    calendar = Calendar(zone)
    while not found or found[-1].cursor:
        cursor = {"cursor": found[-1].cursor or ""} if found else {}
        page = Pages(ledger, calendar).page(parse_query(asked | cursor, calendar, NOW), known)
        found.append(Page(**{name: getattr(page, name) for name in page.__slots__}))  # validates it
    return found


def numbers(pages: Sequence[Page]) -> dict[tuple[str, str], dict[str, int]]:
    """Returns the numbers by camera and period, and by key."""
    cells = [cell for page in pages for cell in page.cells]
    assert len({(cell.camera, cell.period) for cell in cells}) == len(cells), "a period comes twice"
    return {(one.camera, one.period): {" ".join(entry.key): entry.number for entry in one.now.entries} for one in cells}


def rows(pages: Sequence[Page]) -> list[str]:
    """Returns the rows with their values, without the times; None is a hyphen."""
    skipped = 3
    every = [row for page in pages for row in page.rows(pages[0].keys)]
    return [" ".join("-" if one is None else str(one) for one in (row[0], *row[skipped:])) for row in every]


def named(step: str, at: float, zone: ZoneInfo) -> str:
    """Returns the name of the period of a moment, written by other means than the counter's."""
    local = datetime.fromtimestamp(at, zone)
    if step == "quarter":
        return datetime.fromtimestamp(at // QUARTER * QUARTER, zone).isoformat(timespec="minutes")
    if step == "hour":  # begins at minute 0, or where the clock was set to this hour
        back = next(one for one in range(9) if _begins_hour(at // QUARTER * QUARTER - one * QUARTER, zone))
        return datetime.fromtimestamp((at // QUARTER - back) * QUARTER, zone).isoformat(timespec="minutes")
    weekday = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")[local.weekday()]
    formats = {"day": "%Y-%m-%d", "week": "%G-W%V", "month": "%Y-%m", "year": "%Y", "weekday-hour": f"{weekday} %H"}
    return local.strftime(formats[step])


def _begins_hour(at: float, zone: ZoneInfo) -> bool:
    now, before = (datetime.fromtimestamp(one, zone) for one in (at, at - 1))
    return now.minute == 0 or now.hour != before.hour


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    """A zone, a range that often has a change of the clock, visits in and around it, and when the cameras counted."""
    zone = draw(st.sampled_from(ZONES))
    first = date.fromisoformat(draw(st.sampled_from(CHANGES))) + timedelta(days=draw(st.integers(-40, 1)))
    last = first + timedelta(days=draw(st.sampled_from((1, 2, 3, 9, 45, 366))))
    begin, end = (datetime(one.year, one.month, one.day, tzinfo=ZoneInfo(zone)).timestamp() for one in (first, last))
    moments = st.floats(begin - 9e4, end + 9e4) | st.integers(int(begin) // QUARTER - 9, int(end) // QUARTER + 9).map(
        lambda quarter: float(quarter * QUARTER)
    )
    some = st.tuples(moments, st.sampled_from("abc"), st.sampled_from(("door", "back")), st.sampled_from(("in", "out", None)))
    steps = tuple(STEPS) if last - first < timedelta(days=20) else tuple(STEPS)[1:]
    return {
        "zone": zone,
        "from": first.isoformat(),
        "to": last.isoformat(),
        "bounds": (begin, end),
        "step": draw(st.sampled_from(steps)),
        "visits": draw(st.lists(some, max_size=40)),
        "spans": draw(st.lists(st.tuples(moments, st.floats(100, 2e5)), max_size=4)),
        "label": draw(st.sampled_from(("", "a", "a,c"))),
        "way": draw(st.sampled_from(("", "in", "in,none"))),
    }


@settings(max_examples=40, deadline=None)
@given(case=cases())
def test_every_step_equals_a_recount(case: dict[str, Any]) -> None:
    """Visits, crossings, stays in zones and the share of time that was counted, in each zone, step and range, with filters."""
    zone, (begin, end), step = ZoneInfo(case["zone"]), case["bounds"], case["step"]
    visits = [
        Visit(f"{number}", camera, label, max(1.0, at), at + 9, 0.9, 9, False, way, {"till": 2.5} if number % 2 else {})
        for number, (at, label, camera, way) in enumerate(case["visits"])
    ]
    crossings = [
        Crossing(f"c{one.id}", one.camera, one.id, "gate", one.direction, one.label, one.started_at)
        for one in visits
        if one.direction
    ]
    spans = [Period("door", False, at, at + length) for at, length in case["spans"]]
    labels = case["label"].split(",") if case["label"] else "abc"
    ways = [None if one == "none" else one for one in case["way"].split(",")] if case["way"] else (*DIRECTIONS, None)
    inside = [one for one in visits if begin <= one.started_at < end and one.label in labels and one.direction in ways]
    with TemporaryDirectory(dir=MEMORY) as folder, closing(open_ledger(Path(folder))) as ledger:
        ledger.commit(Changes(results=[*crossings, *visits], periods=[*spans]))
        asked = {"from_": case["from"], "to": case["to"], "by": step, "label": case["label"], "direction": case["way"]}
        found = report(ledger, case["zone"], ("door", "back"), **asked)
        by_zone = report(ledger, case["zone"], table="zones", **asked)
        if "none" not in case["way"]:
            crossed = report(ledger, case["zone"], table="crossings", **asked)
            passed = Counter((one.camera, named(step, one.started_at, zone)) for one in inside if one.direction)
            assert {key: sum(some.values()) for key, some in numbers(crossed).items() if some} == passed
    expected = Counter((one.camera, named(step, one.started_at, zone), one.label) for one in inside)
    counts = {(*cell, label): number for cell, some in numbers(found).items() for label, number in some.items()}
    assert counts == expected
    stayed = Counter((one.camera, named(step, one.started_at, zone)) for one in inside if one.zones)
    assert {key: sum(some.values()) for key, some in numbers(by_zone).items() if some} == stayed
    if end - begin < 50 * 86400:
        _check_shares(found, spans, begin, end, step, zone)


def _check_shares(found: Sequence[Page], spans: Sequence[Period], begin: float, end: float, step: str, zone: ZoneInfo) -> None:
    """Recounts the share of each period by quarters of an hour; every period of the range is there."""
    lengths, covered = Counter[str](), defaultdict[str, float](float)
    quarters = range(int(begin), int(end), QUARTER)
    union = _union(spans)
    for quarter in quarters:
        name = named(step, quarter, zone)
        lengths[name] += QUARTER
        covered[name] += sum(max(0.0, min(last, quarter + QUARTER) - max(first, quarter)) for first, last in union)
    cells = [cell for page in found for cell in page.cells if cell.camera == "door"]
    assert {cell.period for cell in cells} == set(lengths)
    assert all(cell.now.counted is not None or not cell.now.entries for cell in cells)
    for cell in cells:
        if covered[cell.period]:
            assert cell.now.counted == pytest.approx(min(1.0, covered[cell.period] / lengths[cell.period]), abs=0.002)
        else:
            assert cell.now.counted in (None, 0.0, 1.0)


def _union(spans: Sequence[Period]) -> list[tuple[float, float]]:
    """Returns the same time without overlaps; gaps of up to a minute count, as in the ledger."""
    whole = list[tuple[float, float]]()
    for one in sorted(spans):
        if whole and one.began_at <= whole[-1][1] + 60:
            whole[-1] = whole[-1][0], max(whole[-1][1], one.ended_at)
        else:
            whole.append((one.began_at, one.ended_at))
    return whole


def at(text: str, zone: str = "Europe/Berlin", fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


@pytest.mark.parametrize(
    ("zone", "day", "hours", "some"),
    [
        ("Europe/Berlin", "2026-10-25", 25, ["02:00+02:00", "02:00+01:00"]),
        ("Europe/Berlin", "2026-03-29", 23, ["01:00+01:00", "03:00+02:00"]),
        ("America/New_York", "2026-11-01", 25, ["01:00-04:00", "01:00-05:00"]),
        ("America/New_York", "2026-03-08", 23, ["01:00-05:00", "03:00-04:00"]),
        ("Australia/Lord_Howe", "2026-04-05", 24, ["01:00+11:00", "02:00+10:30"]),
        ("Australia/Lord_Howe", "2026-10-04", 24, ["01:00+10:30", "02:30+11:00"]),
    ],
)
def test_hours_and_days_where_clocks_change(ledger: Ledger, zone: str, day: str, hours: int, some: list[str]) -> None:
    """A day has 23 or 25 hours. The hour that comes twice is two rows. Half an hour makes the hour longer, or begins one late."""
    begin, end = Calendar(zone).bounds(date.fromisoformat(day))
    ledger.commit(Changes(results=[visit(number, begin + number * 60 + 30) for number in range(int(end - begin) // 60)]))
    by_hour = numbers(report(ledger, zone, from_=day, by="hour"))
    assert len(by_hour) == hours
    assert [period.partition("T")[2] for _, period in by_hour if period.partition("T")[2] in some] == some
    assert sum(one["woman"] for one in by_hour.values()) == (end - begin) / 60
    assert numbers(report(ledger, zone, from_=day))["door", day] == {"woman": (end - begin) / 60}


@pytest.mark.parametrize(
    ("begin", "by", "periods"),
    [
        ("2024-02", "day", [f"2024-02-{day:02}" for day in range(1, 30)]),
        ("2026-W53", "week", ["2026-W53"]),
        ("2026-W53", "day", [f"2026-12-{day}" for day in range(28, 32)] + [f"2027-01-0{day}" for day in (1, 2, 3)]),
        ("2026", "week", [f"2026-W{week:02}" for week in range(1, 54)]),
        ("2027-01-01", "week", ["2026-W53"]),
        ("2026", "month", [f"2026-{month:02}" for month in range(1, 13)]),
        ("2026-11-23", "year", ["2026"]),
    ],
)
def test_periods_of_a_range(ledger: Ledger, begin: str, by: str, periods: list[str]) -> None:
    """A leap year has 29 February, 2026 has a week 53, which ends in 2027. All of an empty ledger is without data."""
    pages = report(ledger, known=["door"], from_=begin, by=by)
    assert [cell.period for page in pages for cell in page.cells] == periods
    assert rows(pages) == [f"{period} door  - - False" for period in periods]
    assert report(ledger, from_=begin, by=by)[0].cells == ()


def test_no_data_is_not_zero(ledger: Ledger) -> None:
    """Where a camera counted nobody there is 0, where it did not count there is nothing; each label has a row in each period.

    Both directions of a line have rows.
    """
    nine = at("2026-11-23T09:00")
    one = visit(1, nine + 60, "man")
    ledger.commit(
        Changes(
            results=[Crossing("c", "door", one.id, "gate", "in", "man", nine + 61), one, visit(2, nine + 4000)],
            periods=[Period("door", False, nine, nine + 3 * 3600 - 1800)],
        )
    )
    assert rows(report(ledger, from_="2026-11-23T09:00", to="2026-11-23T13:00", by="hour")) == [
        "2026-11-23T09:00+01:00 door man 1 1.0 False",
        "2026-11-23T09:00+01:00 door woman 0 1.0 False",
        "2026-11-23T10:00+01:00 door man 0 1.0 False",
        "2026-11-23T10:00+01:00 door woman 1 1.0 False",
        "2026-11-23T11:00+01:00 door man 0 0.5 False",
        "2026-11-23T11:00+01:00 door woman 0 0.5 False",
        "2026-11-23T12:00+01:00 door man - - False",
        "2026-11-23T12:00+01:00 door woman - - False",
    ]
    assert rows(report(ledger, from_="2026-11-23", table="crossings")) == [
        "2026-11-23 door gate in man 1 0.104167 False",
        "2026-11-23 door gate out man 0 0.104167 False",
    ]


def test_demo_and_real_visits_are_never_added_up(ledger: Ledger) -> None:
    """A camera that counted real visitors in the range has only these. The period before has visits of the same kind."""
    noon = at("2026-11-23T12:00")
    demo = Visit("demo", "door", "man", noon, noon + 1, 0.9, 9, True)
    ledger.commit(Changes(results=[demo]))
    assert rows(report(ledger, from_="2026-11"))[22] == "2026-11-23 door man 1 1.0 True"
    ledger.commit(Changes(results=[visit(1, noon + 86400)]))
    assert rows(report(ledger, from_="2026-11", by="month")) == ["2026-11 door woman 1 1.0 False"]
    assert rows(report(ledger, from_="2026-11-24", to="2026-11-25", before="yes"))[0] == "2026-11-24 door woman 1 1.0 - - False"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"from_": "2026-11-25"}, {"2026-11-25": ("2026-11-18T00:00", "2026-11-19T00:00")}),
        ({"from_": "2026-W48", "by": "week"}, {"2026-W48": ("2026-11-16T00:00", "2026-11-23T00:00")}),
        ({"from_": "2026-03", "by": "month"}, {"2026-03": ("2026-02-01T00:00", "2026-03-01T00:00")}),
        (
            {"from_": "2026-03", "by": "day"},
            {"2026-03-28": ("2026-02-28T00:00", "2026-03-01T00:00"), "2026-03-29": None, "2026-03-31": None},
        ),
        ({"from_": "2028", "by": "day"}, {"2028-02-29": None, "2028-03-01": ("2027-03-01T00:00", "2027-03-02T00:00")}),
        ({"from_": "2026-06", "by": "day"}, {"2026-06-30": ("2026-05-30T00:00", "2026-05-31T00:00")}),
        ({"from_": "2026-06", "by": "hour"}, {"2026-06-30T23:00+02:00": ("2026-05-30T23:00", "2026-05-31T00:00")}),
        ({"from_": "2026", "by": "month"}, {"2026-11": ("2025-11-01T00:00", "2025-12-01T00:00")}),
        ({"from_": "2026", "by": "week"}, {"2026-W48": ("2025-11-24T00:00", "2025-12-01T00:00")}),
        ({"from_": "2026-11", "by": "day", "before": "week"}, {"2026-11-01": ("2026-10-25T00:00", "2026-10-26T00:00")}),
        ({"from_": "2026-11-01", "by": "hour"}, {"2026-11-01T02:00+01:00": ("2026-10-25T02:00", "2026-10-25T03:00")}),
        (
            {"from_": "2026-10-25", "by": "hour"},
            {"2026-10-25T02:00+02:00": ("2026-10-18T02:00", "2026-10-18T03:00"), "2026-10-25T02:00+01:00": None},
        ),
        ({"from_": "2026-04-05", "by": "hour"}, {"2026-04-05T02:00+02:00": None}),
    ],
)
def test_the_period_before(ledger: Ledger, asked: dict[str, str], expected: dict[str, tuple[str, str] | None]) -> None:
    """A day is beside the same weekday of the week before, a month beside the month before, and so on.

    A day that the month before lacks has nothing beside it, nor has the second of two hours 02, nor an hour that was skipped. The
    last day of a month has one day beside it, even if the month before is longer.
    """
    pages = report(ledger, known=["door"], **({"before": "yes"} | asked))
    found = {cell.period: cell.before for page in pages for cell in page.cells}
    times = {period: (one.begins_at, one.ends_at) if one else None for period, one in found.items()}
    assert {period: times[period] for period in expected} == {
        period: (at(both[0]), at(both[1])) if both else None for period, both in expected.items()
    }


def test_the_hours_before_are_counted_once(ledger: Ledger) -> None:
    """The quarters of a day with 25 hours have beside them each quarter of the week before once; and the other way round."""
    for day, past in (("2026-10-25", "2026-10-18"), ("2026-11-01", "2026-10-25"), ("2026-04-05", "2026-03-29")):
        for step in ("quarter", "hour", "day"):
            pages = report(ledger, known=["door"], from_=day, by=step, before="yes")
            spans = [(one.before.begins_at, one.before.ends_at) for page in pages for one in page.cells if one.before]
            begin, end = Calendar("Europe/Berlin").bounds(date.fromisoformat(past))
            assert [one for one, _ in spans] + [end] == [begin] + [one for _, one in spans], (day, step)


@pytest.mark.parametrize(
    ("text", "day", "spans"),
    [
        ("Mo-Fr 09:00-18:30; Sa 10:00-16:00", "2026-11-23", [("09:00", "18:30")]),
        ("Mo-Fr 09:00-18:30; Sa 10:00-16:00", "2026-11-28", [("10:00", "16:00")]),
        ("Mo-Fr 09:00-18:30; Sa 10:00-16:00", "2026-11-29", []),
        ("Mo,We-Fr 09:00-12:00, 13:05-18:00", "2026-11-23", [("09:00", "12:00"), ("13:05", "18:00")]),
        ("Mo-Su 08:00-20:00; Mo off", "2026-11-23", []),
        ("Su-Mo 00:00-24:00", "2026-11-23", [("00:00", "24:00")]),
        ("Su 20:00-02:00", "2026-11-23", [("00:00", "02:00")]),
        ("Su 20:00-02:00", "2026-11-22", [("20:00", "24:00")]),
        ("Sa 20:00-05:00; Su 04:00-06:00", "2026-10-25", [("00:00", "05:00"), ("05:00", "06:00")]),
        ("Su 02:30-04:00", "2026-03-29", [("03:00", "04:00")]),
    ],
)
def test_opening_hours(text: str, day: str, spans: list[tuple[str, str]]) -> None:
    """Weekdays, several times a day, times over midnight and over changes of the clock."""
    calendar = Calendar("Europe/Berlin")
    begin, end = calendar.bounds(date.fromisoformat(day))
    expected = [tuple(end if one == "24:00" else at(f"{day}T{one}") for one in span) for span in spans]
    assert list(OpeningHours(text).spans(calendar, begin, end)) == expected


def test_a_report_of_opening_hours(ledger: Ledger) -> None:
    """Visits before 9:05 are left out, closed days have no row, and the share is that of the time in which it was open."""
    opens = at("2026-11-23T09:05")
    ledger.commit(
        Changes(
            results=[visit(1, opens - 0.01), visit(2, opens), visit(3, opens + 3299.9), visit(4, opens + 3300)],
            periods=[Period("door", False, opens - 5000, opens + 1650)],
        )
    )
    hours = "Mo,We 09:05-10:00"
    found = report(ledger, from_="2026-W48", open=hours)
    assert rows(found) == ["2026-11-23 door woman 2 0.5 False", "2026-11-25 door woman - - False"]
    assert rows(report(ledger, from_="2026-W48", by="weekday-hour", open=hours)) == [
        "Mo 09 door woman 2 0.5 False",
        "We 09 door woman - - False",
    ]


@pytest.mark.parametrize("by", ["hour", "weekday-hour"])
def test_pages_while_visits_arrive(ledger: Ledger, by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each period comes once, whatever is recorded between two pages: earlier and later visits, and a new camera."""
    monkeypatch.setattr(module, "MAX_CELLS", 7)
    calendar, begin = Calendar("Europe/Berlin"), at("2026-10-24T00:00")
    ledger.commit(Changes(results=[visit(1, begin), visit(2, begin, camera="yard")]))
    found, number = list[Page](), 10
    while not found or found[-1].cursor:
        cursor = found[-1].cursor if found else None
        query = parse_query({"from": "2026-10-24", "to": "2026-10-26", "by": by, "cursor": cursor or ""}, calendar, NOW)
        found.append(Pages(ledger, calendar).page(query))
        late = [visit(number + one, begin + one * 1800, "late", "gate" if one % 2 else "door") for one in range(98)]
        ledger.commit(Changes(results=[*late]))
        number += 100
    periods = numbers(found)
    assert [len([one for one in periods if one[0] == camera]) for camera in ("door", "gate", "yard")] == [
        49 if by == "hour" else 48
    ] * 3
    assert max(len(page.cells) for page in found) == 7
    assert [bool(page.keys) for page in found] == [True] + [False] * (len(found) - 1)
    assert found[0].keys["yard"] == (("woman",),), "a key of a later page"


def test_pages_are_small_and_soon(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Long labels make pages with fewer cells, which fit into an answer. A page that takes long ends early."""
    begin = at("2026-11-23T00:00")
    labels = [f"{number}{'ä' * 200}" for number in range(20)]
    ledger.commit(Changes(results=[visit(one, begin + one * 300, labels[one % 20]) for one in range(4000)]))
    found = report(ledger, from_="2026-11-23", to="2026-12-10", by="quarter")
    assert len(found) > 1
    assert all(len(Answer("desk", "", "", None, page).pack()) <= Answer.LIMIT for page in found)
    monkeypatch.setattr(module, "PAGE_TIME", -1.0)
    slow = report(ledger, from_="2026-10", to="2027", by="day")
    assert [len(page.cells) for page in slow] == [30, 31, 31]
    totals = [sum(sum(one.values()) for one in numbers(pages).values()) for pages in (found, slow)]
    assert totals == [4000, 4000]


REFUSED = [
    ({"form": "2026"}, "form: unknown parameter; allowed: from, to, by, table,"),
    ({"a\u202e\n": "2026"}, r"a\u202e\n: unknown parameter; allowed: "),
    ({"to": "2026"}, "to: needs from"),
    ({"from": "yesterday"}, "from: 'yesterday' must be a day, month, week, year or time such as 2026-11-23, 2026-11"),
    ({"from": "2026-02-30"}, "from: '2026-02-30' must be"),
    ({"from": "2025-W53"}, "from: '2025-W53' must be"),
    ({"from": "0001"}, "from: '0001' must be"),
    ({"from": "9999-12-31"}, "from: '9999-12-31' must be"),
    ({"from": "2026-11-23T25:00", "to": "2027"}, "from: '2026-11-23T25:00' must be"),
    ({"from": "2026-11-23T09:00"}, "from: a time needs to"),
    ({"from": "2026-12", "to": "2026-11"}, "to: '2026-11' must be after from"),
    ({"by": "minute"}, "by: 'minute' is unknown; allowed: quarter, hour, day, week, month, year, weekday-hour"),
    ({"table": "people"}, "table: 'people' is unknown; allowed: visits, crossings, zones"),
    ({"camera": "No Name"}, "camera: 'No Name' is not the name of a camera"),
    ({"line": "gate"}, "line: only for table=crossings"),
    ({"zone": "till"}, "zone: only for table=zones"),
    ({"direction": "up"}, "direction: 'up' is unknown; allowed: in, out, none"),
    ({"direction": "none", "table": "crossings"}, "direction: 'none' is unknown"),
    ({"before": "decade"}, "before: 'decade' is unknown; allowed: yes, week, month, year"),
    ({"open": "yes"}, "open: the setting OPENING_HOURS is not set"),
    ({"open": "daily"}, "open: 'daily' must be weekdays and times such as Mo-Fr 09:00-18:30; Sa 10:00-16:00"),
    ({"open": "Mo 25:00-26:00"}, "open: 'Mo 25:00-26:00' must be weekdays"),
    ({"open": "Mo off"}, "open: 'Mo off' must be weekdays"),
    ({"cursor": "7"}, "cursor: '7' is not a cursor; use the one of the page before"),
    *(
        ({"cursor": f"{times}~door~r~1767225600.0"}, f"cursor: '{times}~door~r~17672"[:49])
        for times in ("1767225600.0~176777225600.0", "1798761600.0~1767225600.0", "0.0~1767225600.0")
    ),
    ({"from": "1990", "to": "2026", "by": "quarter"}, "from, to: more than 400000 steps; use a shorter range or a longer step"),
]


@pytest.mark.parametrize(("asked", "problem"), REFUSED)
def test_a_broken_query_is_refused(ledger: Ledger, asked: dict[str, str], problem: str) -> None:
    """The answer says which parameter is wrong, and what is allowed."""
    answers = Answers(OfflineBus([]), Reports(ledger, Calendar("Europe/Berlin")), list)
    answer = answers.answer(Question("desk", "7", query=asked))
    assert answer.problem.startswith(problem)
    assert (answer.page, answer.refused, "\n" in answer.problem) == (None, True, False)


def test_any_query_has_an_answer(ledger: Ledger) -> None:
    """Whatever the parameters are, the answer is a page or the reason why the query is refused."""
    ledger.commit(Changes(results=[visit(1, NOW)]))
    answers = Answers(OfflineBus([]), Reports(ledger, Calendar("Europe/Berlin")), list, "Mo-Fr 09:00-18:00")
    words = st.sampled_from(
        [
            "2026",
            "9999",
            "2026-11",
            "1970-01-02",
            "5000-12-31",
            "2026-11-01T02:00+99:99",
            "day",
            "yes",
            "door",
            "~",
            "1.0~2.0~a~r~3.0",
        ]
    )

    @settings(max_examples=200, deadline=None)
    @given(st.dictionaries(st.sampled_from((*PARAMETERS, "cursor")), words | st.text(max_size=20), max_size=4))
    def ask(asked: dict[str, str]) -> None:
        answer = answers.answer(Question("desk", query=asked))
        assert (answer.page is None) == answer.refused == bool(answer.problem)
        answer.pack()

    ask()


def test_the_plain_cost_of_a_report(ledger: Ledger) -> None:
    """SQLite finds the visits of each step in the index, and never reads all of them."""
    ledger.commit(Changes(results=[visit(1, NOW)]))
    with ledger.reading() as connection:
        asked = list[str]()
        connection.set_trace_callback(asked.append)
        for table in ("visits", "crossings", "zones"):
            report(ledger, from_="2026-11", table=table, label="woman")
        connection.set_trace_callback(None)
        plans = [connection.execute(f"EXPLAIN QUERY PLAN {one}").fetchall() for one in asked if "AS part" in one]
    steps = [str(row[3]) for plan in plans for row in plan]
    assert len(plans) >= 3
    assert all(any("SEARCH" in str(row[3]) and "INDEX" in str(row[3]) for row in plan) for plan in plans)
    assert not [one for one in steps if one.startswith(("SCAN visit", "SCAN crossing"))]
