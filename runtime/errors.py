"""Every error that Footfall raises on purpose."""


class FootfallError(Exception):
    """Base class. The message says what is wrong, where, and what is allowed."""


class InvalidMessage(FootfallError):
    """A payload that does not match its topic, or is over its limit."""


class InvalidSetting(FootfallError):
    """A setting that no retry can fix: the process ends with exit code 2."""


class MissingFile(InvalidSetting):
    """The only problem is a file that may still appear."""
