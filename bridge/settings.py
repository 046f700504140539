"""Settings of the bridge."""

import os
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator
from typing_extensions import Self

from bridge import sinks
from bridge.policy import Forward, Policy
from bus.settings import AuthorityFile, BusSettings, HostName, check_certificate
from runtime.settings import CommaSeparated, Port, Probability, ReadableFile, SecretFile, UserPath

MAX_TOPIC_ROOT = 100
"""Bytes of a topic root."""


def _topic_root(root: str) -> str:
    if not all(root.split("/")) or re.search(r"[+#$\x00-\x1f\x7f]", root) or len(root.encode()) > MAX_TOPIC_ROOT:
        raise ValueError(
            f"must be a topic such as shops/berlin-1, without + # $ and empty levels, of at most {MAX_TOPIC_ROOT} bytes"
        )
    return root


TopicRoot = Annotated[str, AfterValidator(_topic_root)]


class Settings(BusSettings):
    """The settings of a bridge, which forwards the results of all cameras on its broker."""

    state_dir: UserPath = Field(
        default=Path(".state/bridge"), description="folder of the outbox (outbox.db), which keeps undelivered results"
    )
    sinks: CommaSeparated = Field(
        default=(),
        description="where results go, separated by commas: log (standard output), edgehub, mqtt (another broker); by default"
        " edgehub under IoT Edge, otherwise log",
    )
    log_results: Literal["text", "json"] = Field(
        default="text", description="format of the sink log: text (for people) or json (one object a line)"
    )
    forward: Forward = Field(
        default="visits",
        description="what to forward: none, visits (crossings and summaries too), changes (label changes too) or all"
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

    topic_root: TopicRoot | None = Field(
        default=None, description="first levels of the topics of the sink mqtt, such as shops/berlin-1"
    )
    mqtt_sink_host: HostName | None = Field(default=None, description="address of the broker of the sink mqtt")
    mqtt_sink_port: Port = Field(default=8883, description="its port")
    mqtt_sink_tls: bool = Field(default=True, description="use TLS there")
    mqtt_sink_ca_file: AuthorityFile | None = Field(
        default=None, description="its certificate authority (PEM); by default the system's authorities"
    )
    mqtt_sink_cert_file: ReadableFile | None = Field(default=None, description="the bridge's own certificate there (PEM)")
    mqtt_sink_key_file: ReadableFile | None = Field(
        default=None, description="the certificate's key (PEM, without a passphrase), if it is not in MQTT_SINK_CERT_FILE"
    )
    mqtt_sink_username: str | None = Field(default=None, description="user name there")
    mqtt_sink_password: SecretStr | None = Field(default=None, description="the user's password")
    mqtt_sink_password_file: SecretFile | None = Field(
        default=None, description="a file with the password, instead of MQTT_SINK_PASSWORD"
    )
    mqtt_sink_client_id: str | None = Field(
        default=None, description="client id there, different for each site; by default TOPIC_ROOT with - for /"
    )
    mqtt_sink_state: bool = Field(
        default=False,
        description="also publish there, retained, the label, counts and occupancy of each camera and the state of each module",
    )

    @model_validator(mode="after")
    def _consistent_sink(self) -> Self:
        if self.mqtt_sink_password is not None and self.mqtt_sink_password_file is not None:
            raise ValueError("set either MQTT_SINK_PASSWORD or MQTT_SINK_PASSWORD_FILE, not both")
        if not self.mqtt_sink_tls and (self.mqtt_sink_ca_file or self.mqtt_sink_cert_file):
            raise ValueError("MQTT_SINK_CA_FILE and MQTT_SINK_CERT_FILE need MQTT_SINK_TLS=true")
        check_certificate("MQTT_SINK", self.mqtt_sink_cert_file, self.mqtt_sink_key_file)
        return self

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
    def mqtt_sink_secret(self) -> str | None:
        """The password at the other broker."""
        if self.mqtt_sink_password_file is not None:
            return self.mqtt_sink_password_file.read_text("utf-8").strip()
        return self.mqtt_sink_password.get_secret_value() if self.mqtt_sink_password else None

    @property
    def policy(self) -> Policy:
        return Policy(self.forward, self.min_probability, self.labels, self.interval_seconds)
