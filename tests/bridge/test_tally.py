"""Visits by day, label and hour."""

from datetime import datetime
from zoneinfo import ZoneInfo

from bridge.tally import Tally
from bus import Visit

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> float:
    """The Unix time of a time in Berlin."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()


def visit(label: str, started: str) -> Visit:
    """A visit of ten seconds."""
    return Visit("id", "door", label, at(started), at(started) + 10, 0.9, 30)


def test_counts_by_label_and_hour_of_the_site() -> None:
    """Hours are the site's, in winter as in summer."""
    tally = Tally("door", BERLIN)
    for label, started in [("woman", "2026-07-01 09:59:59"), ("woman", "2026-07-01 10:00:00"), ("man", "2026-07-01 10:30")]:
        tally.add(visit(label, started))
    counts = tally.day(at("2026-07-01 23:00"))
    assert counts.day == "2026-07-01"
    assert counts.totals == {"man": 1, "woman": 2}
    assert counts.visits == {"man": {"10": 1}, "woman": {"09": 1, "10": 1}}


def test_a_new_day_begins_at_midnight_of_the_site() -> None:
    """At midnight the counts are empty; a visit over midnight counts where it began."""
    tally = Tally("door", BERLIN)
    tally.add(visit("woman", "2026-07-01 23:59:55"))
    assert tally.day(at("2026-07-01 23:59:59")).totals == {"woman": 1}
    assert tally.day(at("2026-07-02 00:00:01")).totals == {}
    tally.add(visit("man", "2026-07-01 23:59:58"))
    assert tally.day(at("2026-07-01 23:59:59")).totals == {"man": 1, "woman": 1}


def test_a_clock_that_was_wrong_takes_nothing_away() -> None:
    """Visits of days to come, as a camera with a wrong clock tells them, do not cost today's."""
    tally = Tally("door", BERLIN)
    tally.add(visit("woman", "2026-02-10 12:00"))
    for day in (12, 13, 14):
        tally.add(visit("man", f"2026-02-{day} 12:00"))
        tally.add(visit("woman", "2026-02-10 12:05"))
        tally.day(at("2026-02-10 12:10"))
    assert tally.day(at("2026-02-10 12:10")).totals == {"woman": 4}


def test_old_days_are_let_go() -> None:
    """Memory does not grow with the days."""
    tally = Tally("door", BERLIN)
    for day in range(1, 29):
        tally.add(visit("woman", f"2026-02-{day:02} 12:00"))
        tally.day(at(f"2026-02-{day:02} 12:01"))
    assert len(tally._days) == 2
    assert tally.day(at("2026-02-28 13:00")).totals == {"woman": 1}
    assert tally.day(at("2026-02-01 13:00")).totals == {}
