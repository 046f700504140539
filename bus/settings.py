"""The settings of every program that connects to the broker, and of modules that use labels."""

import json
import re
import ssl
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, SecretStr, field_validator, model_validator
from typing_extensions import Self

from bus import topics
from bus.alerts import AlertRules
from bus.setup import Lines, Setup, Zones
from bus.tls import Tls
from runtime.explanation import NAME_PATTERN
from runtime.settings import ModuleSettings, Port, Probability, ReadableFile, SecretFile, split_at_commas

SiteName = Annotated[str, Field(pattern=NAME_PATTERN)]


def _not_reserved(camera: str) -> str:
    if camera in topics.RESERVED_CAMERAS:
        raise ValueError(f"is reserved; a camera cannot be called {', '.join(sorted(topics.RESERVED_CAMERAS))}")
    return camera


CameraName = Annotated[SiteName, AfterValidator(_not_reserved)]
CameraNames = Annotated[tuple[CameraName, ...], BeforeValidator(split_at_commas)]


def json_value(value: object) -> object:
    """Returns the value of a text in JSON. Raises `ValueError`."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is not JSON: {error!s:.80}") from None


def _not_a_height(value: object) -> object:
    """Ignores a number: some programs export LINES, the height of the terminal."""
    return () if isinstance(value, str) and value.isdecimal() else value


def _host_name(host: str) -> str:
    if re.search(r"[/@?#\s]", host):
        raise ValueError("must be a host name or IP address, without mqtt://, user, password or port")
    try:
        host.encode("idna")  # as the socket does
    except UnicodeError:
        raise ValueError("must be a host name or IP address") from None
    return host


def _authority(path: Path) -> Path:
    try:
        Tls(path)
    except ssl.SSLError:
        raise ValueError("must be a certificate in PEM format") from None
    return path


HostName = Annotated[str, Field(min_length=1), AfterValidator(_host_name)]
AuthorityFile = Annotated[ReadableFile, AfterValidator(_authority)]


def check_certificate(prefix: str, cert_file: Path | None, key_file: Path | None) -> None:
    """Raises `ValueError` if the files are not a client's certificate and its key; `prefix` is that of their settings."""
    if cert_file is None and key_file is not None:
        raise ValueError(f"{prefix}_KEY_FILE needs {prefix}_CERT_FILE")
    if cert_file is None:
        return
    try:
        Tls(None, cert_file, key_file)
    except OSError:
        names = f"{prefix}_CERT_FILE, {prefix}_KEY_FILE"
        raise ValueError(f"{names}: must be a certificate and its key in PEM format, without a passphrase") from None


class BusSettings(ModuleSettings):
    """The settings of every module."""

    module_name: SiteName | None = Field(
        default=None,
        validation_alias=AliasChoices("MODULE_NAME", "IOTEDGE_MODULEID"),
        description="name on the broker (client id and status topic), if not the module's name",
    )
    mqtt_host: HostName = Field(default="127.0.0.1", description="the broker's address")
    mqtt_port: Port = Field(default=1883, description="the broker's port")
    mqtt_username: str | None = Field(
        default=None, description="user name on the broker; if there is a password, the default is the module's name"
    )
    mqtt_password: SecretStr | None = Field(default=None, description="the user's password")
    mqtt_password_file: SecretFile | None = Field(
        default=None,
        description="a file with the password, instead of MQTT_PASSWORD; if it is `capture/password`, the user `capture-back` "
        "uses `capture/back.password` beside it, if there is one",
    )
    mqtt_ca_file: AuthorityFile | None = Field(default=None, description="certificate authority of the broker (PEM); enables TLS")
    mqtt_cert_file: ReadableFile | None = Field(
        default=None,
        description="the program's own certificate (PEM), for a broker that asks for one; enables TLS; without MQTT_CA_FILE, the"
        " system's authorities are trusted",
    )
    mqtt_key_file: ReadableFile | None = Field(
        default=None, description="the certificate's key (PEM, without a passphrase), if it is not in MQTT_CERT_FILE"
    )
    metrics_port: Port | None = Field(default=None, description="port of `/metrics` for Prometheus; without it, there is none")
    metrics_host: Annotated[str, Field(min_length=1)] = Field(
        default="127.0.0.1", description="address to listen on for it; in the images, 0.0.0.0"
    )

    @field_validator("module_name", mode="before")
    @classmethod
    def _as_topic_level(cls, name: object) -> object:
        return re.sub(r"[^a-z0-9_-]", "-", name.lower())[:64] if isinstance(name, str) else name  # IoT Edge allows more

    @model_validator(mode="after")
    def _one_password(self) -> Self:
        if self.mqtt_password is not None and self.mqtt_password_file is not None:
            raise ValueError("set either MQTT_PASSWORD or MQTT_PASSWORD_FILE, not both")
        return self

    @model_validator(mode="after")
    def _certificate_with_key(self) -> Self:
        check_certificate("MQTT", self.mqtt_cert_file, self.mqtt_key_file)
        return self

    @property
    def tls(self) -> Tls | None:
        """The options of TLS; None without TLS."""
        if self.mqtt_ca_file is None and self.mqtt_cert_file is None:
            return None
        return Tls(self.mqtt_ca_file, self.mqtt_cert_file, self.mqtt_key_file)

    @property
    def default_name(self) -> str:
        """The name on the broker if MODULE_NAME is not set."""
        return type(self).__module__.partition(".")[0]

    @property
    def name(self) -> str:
        return self.module_name or self.default_name

    @property
    def username(self) -> str | None:
        """The user name on the broker; None for anonymous access."""
        has_password = self.mqtt_password is not None or self.mqtt_password_file is not None
        return self.mqtt_username or (self.name if has_password else None)

    @property
    def password(self) -> str | None:
        if self.mqtt_password_file is not None:
            return self._own_file(self.mqtt_password_file).read_text("utf-8").strip()
        return self.mqtt_password.get_secret_value() if self.mqtt_password else None

    def _own_file(self, file: Path) -> Path:
        """Returns the user's own file that mosquitto/secrets.sh wrote beside the role's, or else `file`."""
        role, _, own = (self.username or "").partition("-")
        beside = file.with_name(f"{own}.password")
        return beside if own and (file.parent.name, file.name) == (role, "password") and beside.is_file() else file


class LabelSettings(BusSettings):
    """The settings of modules that use labels."""

    threshold: Probability = Field(default=0.5, description="minimum probability for a label to count")


class SetupSettings(LabelSettings):
    """The settings of modules that use the setups of cameras."""

    lines: Annotated[Lines, BeforeValidator(json_value), BeforeValidator(_not_a_height)] = Field(
        default=(),
        description='lines at cameras without a setup, as JSON: `[{"name": "door", "from": [0.1, 0.5], "to": [0.9, 0.5]}]`',
    )
    zones: Annotated[Zones, BeforeValidator(json_value)] = Field(
        default=(), description='zones there: `[{"name": "till", "polygon": [[0.1, 0.5], [0.4, 0.5], [0.4, 0.9]]}]`'
    )
    alerts: Annotated[AlertRules, BeforeValidator(json_value)] = Field(
        default=(), description='rules of alerts there: `[{"name": "full", "inside": 50}]`'
    )

    def completed(self, setup: Setup) -> Setup:
        """Returns a camera's setup with these lines, zones and rules of alerts where it has none."""
        missing = [part for part in ("lines", "zones", "alerts") if getattr(setup, part) is None]
        return replace(setup, **{part: getattr(self, part) for part in missing})
