"""Settings from environment variables: declared once in each module, validated once at the start."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from runtime import explanation
from runtime.address import public_address
from runtime.errors import InvalidSetting, MissingFile

S = TypeVar("S", bound="ModuleSettings")

Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=86400, allow_inf_nan=False)]
UserPath = Annotated[Path, AfterValidator(Path.expanduser)]
"""A path that may begin with ``~``, which not every shell expands after a ``=``."""
Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class _FileMissing(ValueError):
    """The file may still appear."""


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise _FileMissing("cannot be read: No such file or directory") from None
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror or type(error).__name__}") from None
    except UnicodeError:
        raise ValueError("cannot be read: it is not UTF-8 text") from None


def _readable(path: Path) -> Path:
    try:
        _read(path)
    except _FileMissing as error:
        raise ValueError(*error.args) from None
    return path


def _with_secret(path: Path) -> Path:
    if not _read(path).strip():
        raise _FileMissing("it is empty")
    return path


ReadableFile = Annotated[UserPath, AfterValidator(_readable)]
SecretFile = Annotated[UserPath, AfterValidator(_with_secret)]
"""A file with a password, which another process may be about to write."""


def split_at_commas(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


CommaSeparated = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_at_commas)]


class ModuleSettings(BaseSettings):
    """Settings of every program."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, extra="ignore")

    health_file: UserPath | None = Field(
        default=None, description="a file that is touched when the module makes progress, for a container's health check"
    )
    verbose: bool = Field(default=False, description="log in detail")
    log_format: Literal["edge", "plain"] = Field(default="edge", description="edge: as IoT Edge reads it; plain: without time")
    runtime_log_level: str = Field(
        default="info", validation_alias="RuntimeLogLevel", description="set by IoT Edge: debug is as VERBOSE"
    )

    @property
    def detailed(self) -> bool:
        return self.verbose or self.runtime_log_level.lower() in ("debug", "verbose")


def load(settings: type[S], **values: Any) -> S:
    """The settings from the environment; `values` replace variables in tests. Raises `InvalidSetting` with one line."""
    try:
        return settings(**values)
    except ValidationError as error:
        details = error.errors(include_url=False)
        may_come = all(isinstance(detail.get("ctx", {}).get("error"), _FileMissing) for detail in details)
        raise (MissingFile if may_come else InvalidSetting)("; ".join(_explain(settings, one) for one in details)) from None


class Variable(NamedTuple):
    """A setting as users see it."""

    names: Sequence[str]
    default: str
    meaning: str


def variables_of(settings: type[ModuleSettings]) -> dict[str, Variable]:
    """The environment variables of a module, by field."""
    return {
        name: Variable(_names(name, field), _shown(field.default), field.description or "")
        for name, field in settings.model_fields.items()
    }


def help_text(settings: type[ModuleSettings], about: str) -> str:
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


def _explain(settings: type[ModuleSettings], detail: Any) -> str:
    """Variable, value (never a secret) and what is allowed."""
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
