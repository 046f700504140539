"""Paths among the arguments of commands."""

from pathlib import Path

from runtime.errors import InvalidSetting
from runtime.settings import expand_user


def argument_path(name: str, text: str) -> Path:
    """Returns the path in an argument, without ``~``. `name` begins the message. Raises `InvalidSetting`."""
    try:
        return expand_user(Path(text))
    except ValueError as error:
        raise InvalidSetting(f"{name}{text!r}: {error}") from None
