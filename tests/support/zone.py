"""Time zones for tests of today's counts."""

import time


def zone_at_noon() -> str:
    """Returns a time zone in which it is between 12:00 and 13:00 now, so that its day does not end during a test."""
    return f"Etc/GMT{time.gmtime().tm_hour - 12:+d}"  # west of Greenwich is +


def zone_with_45_minute_offset() -> str:
    """Returns a time zone with an offset of 45 minutes, whose day does not end during a test."""
    return "Pacific/Chatham" if time.gmtime().tm_hour >= 12 else "Asia/Kathmandu"
