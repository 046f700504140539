"""The counter's settings, of which the time zone is the special one."""

import time

import pytest
import tzlocal

from bus import InvalidSetting
from counter.settings import Settings
from runtime.settings import load


@pytest.mark.parametrize(
    "zone", ["Europe/Berlim", "../etc/passwd", "Nowhere", "CET-1CEST,M3.5.0,M10.5.0/3", "<+0330>-3:30", "Europe"]
)
def test_a_time_zone_that_does_not_exist_is_refused(zone: str) -> None:
    """A misspelt zone would count in UTC without a word; a rule has no name that a browser knows."""
    with pytest.raises(InvalidSetting, match=r"TZ=.*: unknown time zone; a name such as Europe/Berlin is needed"):
        load(Settings, TZ=zone)


@pytest.mark.parametrize(
    ("variable", "system", "offset", "zone"),
    [
        ("Asia/Kathmandu", "Europe/Berlin", 0, "Asia/Kathmandu"),
        ("EST5EDT", None, 0, "EST5EDT"),
        ("", "Europe/Berlin", 0, "Europe/Berlin"),
        ("", None, 0, "UTC"),
        ("", None, -3600, "refused"),
        ("", "Nowhere", 0, "refused"),
    ],
)
def test_without_tz_it_is_the_systems(
    monkeypatch: pytest.MonkeyPatch, variable: str, system: str | None, offset: int, zone: str
) -> None:
    """A container without a zone is at UTC; where the system's has no name, the user must name it."""
    monkeypatch.setattr(tzlocal, "get_localzone_name", lambda: system)
    monkeypatch.setattr(time, "timezone", offset)
    monkeypatch.setenv("TZ", variable)
    try:
        found = load(Settings).calendar.zone
    except InvalidSetting as error:
        assert "TZ: the system's time zone cannot be used" in str(error)
        found = "refused"
    assert found == zone
