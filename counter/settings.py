"""The counter's settings."""

import datetime as dt
import re
import time
from pathlib import Path
from typing import Annotated, cast
from zoneinfo import ZoneInfo

import tzlocal
from pydantic import Field, field_validator

from bus import InvalidSetting
from bus.fields import TIME_ZONE_PATTERN
from bus.settings import SetupSettings
from counter.hours import Calendar
from counter.opening import EXAMPLE, OpeningHours
from counter.presence import PresenceRules
from runtime.settings import Seconds, UserPath


class Settings(SetupSettings):
    """The settings of a counter, which counts the visits at all cameras on its broker."""

    state_dir: UserPath = Field(default=Path(".state/counter"), description="folder of ledger.db, with visits and counts")
    keep_days: Annotated[int, Field(ge=1, le=36500)] = Field(
        default=400, description="days after which a visit is deleted, by elapsed time and not by the clock"
    )
    tz: str | None = Field(default=None, description="the site's time zone, such as Europe/Berlin; by default the system's")
    visit_frames: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=3,
        description="without a detector: number of predictions by which a label must outnumber all others for a visit to start",
    )
    visit_gap_seconds: Seconds = Field(
        default=1.5,
        description="without a detector: time without the visitor before a visit ends; must exceed the time between two frames",
    )

    occupancy_reset: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = Field(
        default="04:00",
        description="time of day, by the site's clock, at which the number of visitors inside begins again at zero",
        json_schema_extra={"allowed": "must be a time of day such as 04:00"},
    )

    opening_hours: str | None = Field(
        default=None,
        description=f"when the place is open, such as `{EXAMPLE}`; reports can be limited to it, alerts are",
    )

    @field_validator("opening_hours")
    @classmethod
    def _valid_hours(cls, text: str | None) -> str | None:
        if text is not None:
            OpeningHours(text)
        return text

    @field_validator("tz")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        if name is not None:
            try:
                if not re.fullmatch(TIME_ZONE_PATTERN, name):  # Python would import packages whose names have its parts
                    raise ValueError
                ZoneInfo(name)
            except (OSError, ValueError, KeyError):
                raise ValueError("unknown time zone; use a name such as Europe/Berlin, not a rule such as CET-1CEST") from None
        return name

    @property
    def rules(self) -> PresenceRules:
        """The rules for the start and end of visits."""
        return PresenceRules(self.threshold, self.visit_frames, self.visit_gap_seconds)

    @property
    def reset_at(self) -> dt.time:
        """The time of day at which nobody is inside."""
        return dt.time.fromisoformat(self.occupancy_reset)

    @property
    def calendar(self) -> Calendar:
        """The site's days and hours. Raises `InvalidSetting` if the system does not know its time zone."""
        try:
            found = cast(str | None, tzlocal.get_localzone_name())  # None if /etc/localtime is missing or not a link
            is_utc = time.timezone == time.daylight == 0
            return Calendar(self.tz or found or ("UTC" if is_utc else "unnamed"))
        except (OSError, ValueError, KeyError) as error:
            raise InvalidSetting(f"TZ: the system's time zone cannot be used ({error}); set one such as Europe/Berlin") from None
