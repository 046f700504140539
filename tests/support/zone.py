"""Time zones for tests of what is counted today."""

import time


def zone_at_noon() -> str:
    """One in which it is between twelve and one now: its day does not end while a test runs."""
    return f"Etc/GMT{time.gmtime().tm_hour - 12:+d}"  # west of Greenwich is +


def zone_of_quarters() -> str:
    """One that is three quarters of an hour from everyone else, and whose day does not end while tests run either."""
    return "Pacific/Chatham" if time.gmtime().tm_hour >= 12 else "Asia/Kathmandu"
