"""The counter's settings, of which the time zone is the special one."""

import time

import pytest
import tzlocal

from bus import InvalidSetting
from counter.settings import Settings
from runtime.settings import load

UNKNOWN = "unknown time zone; a name such as Europe/Berlin is needed"
UNUSABLE = "TZ: the system's time zone cannot be used"


@pytest.mark.parametrize(
    ("variable", "system", "offset", "zone"),
    [
        *((zone, "Europe/Berlin", 0, UNKNOWN) for zone in ("Europe/Berlim", "../etc/passwd", "Nowhere", "Europe")),
        *((rule, "Europe/Berlin", 0, UNKNOWN) for rule in ("CET-1CEST,M3.5.0,M10.5.0/3", "<+0330>-3:30")),
        ("Asia/Kathmandu", "Europe/Berlin", 0, "Asia/Kathmandu"),
        ("EST5EDT", None, 0, "EST5EDT"),
        ("", "Europe/Berlin", 0, "Europe/Berlin"),
        ("", None, 0, "UTC"),
        ("", None, -3600, UNUSABLE),
        ("", "Nowhere", 0, UNUSABLE),
    ],
)
def test_the_time_zone(monkeypatch: pytest.MonkeyPatch, variable: str, system: str | None, offset: int, zone: str) -> None:
    """By default the system's: a container without one is at UTC; where it has no name, the user must name it. A misspelt zone
    would count in UTC without a word; a rule has no name that a browser knows.
    """
    monkeypatch.setattr(tzlocal, "get_localzone_name", lambda: system)
    monkeypatch.setattr(time, "timezone", offset)
    monkeypatch.setenv("TZ", variable)
    try:
        assert load(Settings).calendar.zone == zone
    except InvalidSetting as error:
        assert zone in str(error)
