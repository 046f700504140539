"""Settings from environment variables: declared once a module, checked once at the start."""

import re
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from typing_extensions import Self

from bus import explanation, topics
from bus.address import public_address
from bus.errors import InvalidSetting, MissingFile

S = TypeVar("S", bound="BusSettings")

SiteName = Annotated[str, Field(pattern=topics.NAME_PATTERN)]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=86400, allow_inf_nan=False)]
UserPath = Annotated[Path, AfterValidator(Path.expanduser)]
"""A path that may begin with ``~``, which not every shell replaces after a ``=``."""
Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


def _reason(error: OSError | UnicodeError) -> str:
    """Without the path or the bytes that it is about."""
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else "it is not a text in UTF-8"


def _readable(path: Path) -> Path:
    try:
        path.read_text("utf-8")
    except (OSError, UnicodeError) as error:
        raise ValueError(f"cannot be read: {_reason(error)}") from None
    return path


ReadableFile = Annotated[UserPath, AfterValidator(_readable)]


class _NotThereYet(ValueError):
    """Why a file cannot be used that may still come."""


def _with_secret(path: Path) -> Path:
    try:
        secret = path.read_text("utf-8").strip()
    except FileNotFoundError:
        raise _NotThereYet("there is no such file") from None
    except (OSError, UnicodeError) as error:
        raise ValueError(f"cannot be read: {_reason(error)}") from None
    if not secret:
        raise _NotThereYet("it is empty")
    return path


SecretFile = Annotated[UserPath, AfterValidator(_with_secret)]
"""A file with a password, which who makes it may still be about to."""


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


CommaSeparated = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]


def _not_reserved(camera: str) -> str:
    if camera in topics.RESERVED_CAMERAS:
        raise ValueError(f"taken by the suite's own topics, as are {', '.join(sorted(topics.RESERVED_CAMERAS))}")
    return camera


CameraName = Annotated[SiteName, AfterValidator(_not_reserved)]
CameraNames = Annotated[tuple[CameraName, ...], NoDecode, BeforeValidator(_split)]


class BusSettings(BaseSettings):
    """What every module takes."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, extra="ignore")

    module_name: SiteName | None = Field(
        default=None,
        validation_alias=AliasChoices("MODULE_NAME", "IOTEDGE_MODULEID"),
        description="name on the broker (client id and status topic), when it is not the module's own",
    )
    mqtt_host: Annotated[str, Field(min_length=1)] = Field(default="127.0.0.1", description="the broker's address")
    mqtt_port: Port = Field(default=1883, description="the broker's port")
    mqtt_username: str | None = Field(
        default=None,
        description="user on the broker; without it, the module's own name, if there is a password",
    )
    mqtt_password: SecretStr | None = Field(default=None, description="the user's password")
    mqtt_password_file: SecretFile | None = Field(default=None, description="a file with the password, instead")
    mqtt_ca_file: ReadableFile | None = Field(default=None, description="certificate authority of the broker; turns TLS on")
    health_file: UserPath | None = Field(
        default=None, description="a file that is touched when the module makes progress, for a container's health check"
    )
    verbose: bool = Field(default=False, description="log in detail")
    log_format: Literal["edge", "plain"] = Field(default="edge", description="edge: as IoT Edge reads it; plain: without time")
    runtime_log_level: str = Field(
        default="info", validation_alias="RuntimeLogLevel", description="set by IoT Edge: debug is as VERBOSE"
    )

    @field_validator("mqtt_host")
    @classmethod
    def _host_name(cls, host: str) -> str:
        if re.search(r"[/@?#\s]", host):
            raise ValueError("must be the name or IP address of a machine, without mqtt://, user, password or port")
        try:
            host.encode("idna")  # what the socket will do with it
        except UnicodeError:
            raise ValueError("must be the name or IP address of a machine") from None
        return host

    @field_validator("mqtt_ca_file")
    @classmethod
    def _certificate(cls, path: Path | None) -> Path | None:
        if path is not None:
            try:
                ssl.create_default_context(cafile=path)
            except ssl.SSLError:
                raise ValueError("no certificate in it; PEM is needed") from None
        return path

    @field_validator("module_name", mode="before")
    @classmethod
    def _as_topic_level(cls, name: object) -> object:
        return re.sub(r"[^a-z0-9_-]", "-", name.lower())[:64] if isinstance(name, str) else name  # IoT Edge allows more

    @model_validator(mode="after")
    def _one_password(self) -> Self:
        if self.mqtt_password is not None and self.mqtt_password_file is not None:
            raise ValueError("MQTT_PASSWORD and MQTT_PASSWORD_FILE: set one of them")
        return self

    @property
    def own_name(self) -> str:
        """The name on the broker of a module that was given none."""
        return type(self).__module__.partition(".")[0]

    @property
    def name(self) -> str:
        return self.module_name or self.own_name

    @property
    def username(self) -> str | None:
        """On the broker; None is nobody."""
        is_given = self.mqtt_password is not None or self.mqtt_password_file is not None
        return self.mqtt_username or (self.name if is_given else None)

    @property
    def password(self) -> str | None:
        if self.mqtt_password_file is not None:
            return self.mqtt_password_file.read_text("utf-8").strip()
        return self.mqtt_password.get_secret_value() if self.mqtt_password else None

    @property
    def detailed(self) -> bool:
        return self.verbose or self.runtime_log_level.lower() in ("debug", "verbose")


class LabelSettings(BusSettings):
    """What the modules take that act on labels."""

    threshold: Probability = Field(default=0.5, description="least probability at which a label counts")
    background_labels: CommaSeparated = Field(
        default=("Negative", "nobody", "none"), description="labels that mean: nobody is there (commas between)"
    )

    def is_background(self, label: str) -> bool:
        return label.casefold() in {background.casefold() for background in self.background_labels}


def load(settings: type[S], **values: Any) -> S:
    """The settings from the environment; `values` stand for variables in tests. Raises `InvalidSetting` with one line."""
    try:
        return settings(**values)
    except ValidationError as error:
        details = error.errors(include_url=False)
        may_come = all(isinstance(detail.get("ctx", {}).get("error"), _NotThereYet) for detail in details)
        raise (MissingFile if may_come else InvalidSetting)("; ".join(_explain(settings, one) for one in details)) from None


class Variable(NamedTuple):
    """A setting as its user sees it."""

    names: Sequence[str]
    default: str
    meaning: str


def variables_of(settings: type[BusSettings]) -> dict[str, Variable]:
    """The environment variables of a module, by field."""
    return {
        name: Variable(_names(name, field), _shown(field.default), field.description or "")
        for name, field in settings.model_fields.items()
    }


def help_text(settings: type[BusSettings], about: str) -> str:
    """What ``--help`` prints: each variable with its default and meaning."""
    lines = [about.strip(), "", "Settings, as environment variables:"]
    for variable in variables_of(settings).values():
        default = f" [{variable.default}]" if variable.default else ""
        lines.append(f"  {' or '.join(variable.names)}{default}\n      {variable.meaning}")
    return "\n".join(lines)


def _names(name: str, field: FieldInfo) -> Sequence[str]:
    if isinstance(field.validation_alias, AliasChoices):
        return [str(choice) for choice in field.validation_alias.choices]
    return [str(field.validation_alias or name.upper())]


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _public(value: object) -> str:
    return repr(public_address(value) if isinstance(value, str) else value)


def _explain(settings: type[BusSettings], detail: Any) -> str:
    """One line: variable, value (never a secret), what is allowed."""
    problem = explanation.explain(settings, detail)
    if not detail["loc"]:
        return problem
    name = str(detail["loc"][0])
    for field_name, field in settings.model_fields.items():
        names = _names(field_name, field)
        if name == field_name or name in names:
            secret = "password" in field_name and not field_name.endswith("_file")
            value = "***" if secret else _public(detail["input"])
            return f"{names[0]}={value}: {problem}"
    return f"{name}: {problem}"
