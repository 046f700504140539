"""What can be set about the bridge."""

import os
import re
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from bridge.policy import Forward, Policy
from bus.settings import LabelSettings
from counter.visits import Rules
from runtime.settings import CommaSeparated, Probability, Seconds, UserPath

_NAME, _OFFSET, _RULE = r"(<[+-]?\w{3,5}>|[A-Za-z]{3,5})", r"[+-]?\d{1,2}(:\d{2}){0,2}", r",[MJ]?[\d.]+(/[+-]?\d[\d:]*)?"
POSIX_ZONE = rf"{_NAME}{_OFFSET}({_NAME}({_OFFSET})?({_RULE}{_RULE})?)?"
"""As in CET-1CEST,M3.5.0,M10.5.0/3."""


class Settings(LabelSettings):
    """One bridge counts the visits at all cameras on its broker."""

    state_dir: UserPath = Field(
        default=Path(".state/bridge"), description="folder of the ledger (ledger.db): visits, what is open, what is to be sent"
    )
    keep_days: Annotated[int, Field(ge=1, le=36500)] = Field(
        default=400, description="days after which a visit is deleted, by time that has passed and not by the clock"
    )
    tz: str | None = Field(default=None, description="the site's time zone, as Europe/Berlin; without it the system's")
    visit_frames: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=3, description="by how many predictions a label must outnumber all else for its visit to begin"
    )
    visit_gap_seconds: Seconds = Field(
        default=1.5, description="how long nobody, or another, is seen before a visit ends; above the time between two frames"
    )
    upstream: Literal["log", "edgehub"] | None = Field(
        default=None,
        description="where results go: log (standard output) or edgehub; without it, edgehub where IoT Edge runs this",
    )
    log_results: Literal["text", "json"] = Field(
        default="text", description="how UPSTREAM=log writes them: text (for people) or json (a line each)"
    )
    forward: Forward = Field(
        default="visits", description="what goes there: none; visits; changes, of the label too; all, predictions too"
    )
    min_probability: Probability = Field(default=0.0, description="least probability of what goes there")
    labels: CommaSeparated = Field(default=(), description="the labels that go there (commas between); all, without it")
    interval_seconds: Annotated[float, Field(ge=0, le=86400, allow_inf_nan=False)] = Field(
        default=0.0, description="least time between two predictions of a camera that go there"
    )
    outbox_max: Annotated[int, Field(ge=1, le=10_000_000)] = Field(
        default=50_000, description="most messages kept for an edgeHub that is away; of more, the oldest go, visits last"
    )
    model_store: UserPath | None = Field(
        default=None, description="folder for models from the cloud; the classifier's MODEL is its `current`"
    )

    @field_validator("tz")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        if name is not None and not re.fullmatch(POSIX_ZONE, name):
            try:
                ZoneInfo(name.removeprefix(":"))
            except (OSError, ValueError, KeyError):
                raise ValueError("no time zone of that name; one as Europe/Berlin is needed") from None
        return name

    @property
    def goes_to_edgehub(self) -> bool:
        """Whether results are sent to IoT Edge's edgeHub."""
        return self.upstream == "edgehub" or (self.upstream is None and "IOTEDGE_MODULEID" in os.environ)

    @property
    def rules(self) -> Rules:
        """When a visit begins and ends."""
        return Rules(self.threshold, self.visit_frames, self.visit_gap_seconds, self.is_background)

    @property
    def policy(self) -> Policy:
        """What is selected to go upstream."""
        return Policy(self.forward, self.min_probability, self.labels, self.interval_seconds)
