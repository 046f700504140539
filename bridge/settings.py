"""Settings of the bridge."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from bridge import sinks
from bridge.policy import Forward, Policy
from bus.settings import BusSettings
from runtime.settings import CommaSeparated, Probability, UserPath


class Settings(BusSettings):
    """One bridge forwards the results of all cameras on its broker."""

    state_dir: UserPath = Field(
        default=Path(".state/bridge"), description="folder of the outbox (outbox.db): results that a sink does not have yet"
    )
    sinks: CommaSeparated = Field(
        default=(),
        description="where results go (commas between): log (standard output), edgehub; without it, edgehub where IoT Edge"
        " runs this, else log",
    )
    log_results: Literal["text", "json"] = Field(
        default="text", description="how the sink log writes them: text (for people) or json (a line each)"
    )
    forward: Forward = Field(
        default="visits", description="what to forward: none; visits; changes, of the label too; all, predictions too"
    )
    min_probability: Probability = Field(default=0.0, description="minimum probability of forwarded results")
    labels: CommaSeparated = Field(default=(), description="the labels that are forwarded (commas between); all, without it")
    interval_seconds: Annotated[float, Field(ge=0, le=86400, allow_inf_nan=False)] = Field(
        default=0.0, description="minimum time between two predictions of a camera that are forwarded"
    )
    outbox_max: Annotated[int, Field(ge=1, le=10_000_000)] = Field(
        default=50_000, description="most results kept for sinks that are away; of more, the oldest are dropped, visits last"
    )

    @field_validator("sinks")
    @classmethod
    def _known_sinks(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        known = sinks.names()
        for name in names:
            if name not in known:
                raise ValueError(f"no sink {name!r}; there are {', '.join(known)}")
        return tuple(dict.fromkeys(names))

    @property
    def sink_names(self) -> tuple[str, ...]:
        """The configured sinks, or the default."""
        return self.sinks or ("edgehub" if "IOTEDGE_MODULEID" in os.environ else "log",)

    @property
    def policy(self) -> Policy:
        return Policy(self.forward, self.min_probability, self.labels, self.interval_seconds)
