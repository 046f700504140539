"""What can be set about the bridge."""

import pytest

from bridge.settings import Settings
from bus import InvalidSetting
from runtime.settings import load


@pytest.mark.parametrize(
    "zone",
    [
        "Europe/Berlin",
        "UTC",
        ":America/St_Johns",
        "CET-1CEST,M3.5.0,M10.5.0/3",
        "EST5EDT",
        "IST-5:30",
        "<+0330>-3:30",
        "GMT0BST,M3.5.0/1,M10.5.0",
    ],
)
def test_time_zones_are_taken_as_the_system_takes_them(zone: str) -> None:
    """By name, or spelt out as POSIX has them."""
    assert load(Settings, TZ=zone).tz == zone


@pytest.mark.parametrize(
    "zone", ["Europe/Berlim", "Berlin1", "Europe1", "abc1 garbage", "../etc/passwd", "5", "CET-1CEST,nonsense", "/etc/hosts"]
)
def test_a_time_zone_that_there_is_not_is_refused(zone: str) -> None:
    """The system would count in UTC, or in some offset, without a word."""
    with pytest.raises(InvalidSetting, match="TZ="):
        load(Settings, TZ=zone)
