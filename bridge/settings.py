"""Settings of the bridge."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator

from bridge import sinks
from bridge.policy import Forward, Policy
from bridge.sinks.webhook.poster import check_url
from bridge.sinks.webhook.signing import parse_secret
from bus.settings import BusSettings, check_certificate
from runtime.settings import CommaSeparated, Probability, ReadableFile, SecretFile, UserPath


class Settings(BusSettings):
    """The settings of a bridge, which forwards the results of all cameras on its broker."""

    state_dir: UserPath = Field(
        default=Path(".state/bridge"), description="folder of the outbox (outbox.db), which keeps undelivered results"
    )
    sinks: CommaSeparated = Field(
        default=(),
        description="where results go, separated by commas: log (standard output), edgehub, webhook;"
        " by default edgehub under IoT Edge, otherwise log",
    )
    log_results: Literal["text", "json"] = Field(
        default="text", description="format of the sink log: text (for people) or json (one object a line)"
    )
    forward: Forward = Field(
        default="visits",
        description="what to forward: none, visits (crossings, summaries and alerts too), changes (label changes too) or all"
        " (predictions too)",
    )
    min_probability: Probability = Field(default=0.0, description="minimum probability of forwarded results")
    labels: CommaSeparated = Field(default=(), description="labels to forward, separated by commas; all by default")
    interval_seconds: Annotated[float, Field(ge=0, le=86400, allow_inf_nan=False)] = Field(
        default=0.0, description="minimum seconds between two forwarded predictions of a camera"
    )
    homeassistant: bool = Field(
        default=False, description="describe all cameras to Home Assistant, by MQTT discovery; off removes them from it"
    )
    outbox_max: Annotated[int, Field(ge=1, le=10_000_000)] = Field(
        default=50_000, description="maximum number of results in the outbox; beyond that, the oldest are dropped, visits last"
    )

    webhook_url: SecretStr | None = Field(
        default=None, description="where the sink webhook sends results: https, or http in the local network"
    )
    webhook_secret_file: SecretFile | None = Field(default=None, description="a file with the secret that signs them")
    webhook_ca_file: ReadableFile | None = Field(
        default=None, description="certificate authority of the receiver (PEM), instead of the system's"
    )

    @field_validator("webhook_url")
    @classmethod
    def _valid_url(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None:
            check_url(url.get_secret_value())
        return url

    @field_validator("webhook_secret_file")
    @classmethod
    def _valid_secret(cls, path: Path | None) -> Path | None:
        if path is not None:
            parse_secret(path.read_text("utf-8"))
        return path

    @field_validator("webhook_ca_file")
    @classmethod
    def _valid_authority(cls, path: Path | None) -> Path | None:
        if path is not None:
            check_certificate(path)
        return path

    @field_validator("sinks")
    @classmethod
    def _known_sinks(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        known = sinks.names()
        for name in names:
            if name not in known:
                raise ValueError(f"{name!r} is not a sink; allowed are {', '.join(known)}")
        return tuple(dict.fromkeys(names))

    @property
    def sink_names(self) -> tuple[str, ...]:
        """The names of the sinks that are configured, or of the default sink."""
        return self.sinks or ("edgehub" if "IOTEDGE_MODULEID" in os.environ else "log",)

    @property
    def policy(self) -> Policy:
        return Policy(self.forward, self.min_probability, self.labels, self.interval_seconds)
