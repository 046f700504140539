"""Settings from environment variables: declared once in each module, validated once at startup."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

from pydantic import AfterValidator, AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from runtime import explanation
from runtime.address import public_address
from runtime.errors import InvalidSetting, MissingFile
from runtime.logs import one_line

S = TypeVar("S", bound="ModuleSettings")

Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=86400, allow_inf_nan=False)]


def expand_user(path: Path) -> Path:
    """Returns the path without ``~``. Raises `ValueError`."""
    try:
        return path.expanduser()
    except RuntimeError:
        raise ValueError("begins with the home folder of an unknown user") from None


MAX_SHOWN, MAX_PROBLEM, MAX_PROBLEMS = 200, 500, 1000
"""Characters of a value, of what is wrong with it, and of an error message."""
UserPath = Annotated[Path, AfterValidator(expand_user)]
"""A path that can begin with ``~``, because not every shell expands it after ``=``."""
Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class _FileMissing(ValueError):
    """The file is missing or empty, and another process may still write it."""


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise _FileMissing("cannot be read: No such file or directory") from None
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror or type(error).__name__}") from None
    except UnicodeError:
        raise ValueError("cannot be read: not UTF-8 text") from None


def _check_readable(path: Path) -> Path:
    try:
        _read(path)
    except _FileMissing as error:
        raise ValueError(*error.args) from None
    return path


def _check_secret(path: Path) -> Path:
    if not _read(path).strip():
        raise _FileMissing("is empty")
    return path


ReadableFile = Annotated[UserPath, AfterValidator(_check_readable)]
SecretFile = Annotated[UserPath, AfterValidator(_check_secret)]
"""A file with a password; another process may write it after this one starts."""


def split_at_commas(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


CommaSeparated = Annotated[tuple[str, ...], BeforeValidator(split_at_commas)]


class ModuleSettings(BaseModel):
    """The settings of every program. Created without arguments, it takes them from the environment."""

    model_config = ConfigDict(frozen=True, validate_default=True)

    health_file: UserPath | None = Field(
        default=None, description="a file that is touched while the module makes progress, for a container's health check"
    )
    verbose: bool = Field(default=False, description="log debug messages")
    log_format: Literal["edge", "plain"] = Field(default="edge", description="edge: in IoT Edge's format; plain: without time")
    runtime_log_level: str = Field(
        default="info", validation_alias="RuntimeLogLevel", description="set by IoT Edge; debug has the same effect as VERBOSE"
    )

    def __init__(self, **values: Any) -> None:
        given = {name: value for name, value in os.environ.items() if value}  # Docker Compose passes unset ones as empty
        super().__init__(**_by_field(type(self), given) | _by_field(type(self), values))

    @property
    def detailed(self) -> bool:
        return self.verbose or self.runtime_log_level.lower() in ("debug", "verbose")


def _by_field(settings: type[ModuleSettings], values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the values of fields, by field or alias. Their names may be in capital or small letters."""
    given, found = {name.upper(): value for name, value in values.items()}, dict[str, Any]()
    for field_name, field in settings.model_fields.items():
        name = next((one for one in _variable_names(field_name, field) if one.upper() in given), None)
        if name is not None:
            found[name if field.validation_alias else field_name] = given[name.upper()]
    return found


def load(settings: type[S], **values: Any) -> S:
    """Returns the settings from the environment. Tests can override them by `values`. Raises `InvalidSetting`, in one line."""
    try:
        return settings(**values)
    except ValidationError as error:
        raise refusal(settings, error) from None


def refusal(settings: type[ModuleSettings], error: ValidationError) -> InvalidSetting:
    """Returns the error for invalid settings, which names each, in one line of at most `MAX_PROBLEMS` characters."""
    details = error.errors(include_url=False)
    may_appear = all(isinstance(detail.get("ctx", {}).get("error"), _FileMissing) for detail in details)
    text = "; ".join(_explain(settings, one) for one in details)
    return (MissingFile if may_appear else InvalidSetting)(f"{one_line(text):.{MAX_PROBLEMS}}")


class Variable(NamedTuple):
    """An environment variable, as users see it."""

    names: Sequence[str]
    default: str
    meaning: str


def environment_variables(settings: type[ModuleSettings]) -> dict[str, Variable]:
    """Returns the environment variables of a module, by field."""
    return {
        name: Variable(_variable_names(name, field), _format_default(field.default), field.description or "")
        for name, field in settings.model_fields.items()
    }


def help_text(settings: type[ModuleSettings], about: str) -> str:
    """Returns the output of ``--help``: each variable with its default and meaning."""
    lines = [about.strip(), "", "Settings, as environment variables:"]
    for variable in environment_variables(settings).values():
        default = f" [{variable.default}]" if variable.default else ""
        lines.append(f"  {' or '.join(variable.names)}{default}\n      {variable.meaning}")
    return "\n".join(lines)


def _variable_names(name: str, field: FieldInfo) -> Sequence[str]:
    if isinstance(field.validation_alias, AliasChoices):
        return [str(choice) for choice in field.validation_alias.choices]
    return [str(field.validation_alias or name.upper())]


def _format_default(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _redacted(value: object) -> str:
    """Returns a value for an error message, without passwords, at most `MAX_SHOWN` characters of it."""
    text = repr(public_address(value) if isinstance(value, str) else value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."


def _explain(settings: type[ModuleSettings], detail: Any) -> str:
    """Returns the variable, its value without secrets, and what is allowed."""
    problem = f"{explanation.explain(settings, detail):.{MAX_PROBLEM}}"
    if not detail["loc"]:
        return problem
    if detail["type"] == "missing" and len(detail["loc"]) > 1:  # of a part of a value, such as a line's end
        problem = f"{detail['loc'][-1]!r} {problem}"
    name = str(detail["loc"][0])
    for field_name, field in settings.model_fields.items():
        names = _variable_names(field_name, field)
        if name == field_name or name in names:
            secret = "password" in field_name and not field_name.endswith("_file")
            value = "***" if secret else _redacted(detail["input"])
            return f"{names[0]}={value}: {problem}"
    return f"{name}: {problem}"
