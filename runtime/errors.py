"""Every error that Footfall raises on purpose; imports nothing."""


class FootfallError(Exception):
    """Root of them all. The message says what was wrong, where, and what is allowed."""


class InvalidMessage(FootfallError):
    """A payload that is not what its topic promises, or that is over its limit."""


class InvalidSetting(FootfallError):
    """A setting that no retry can mend: the process ends with exit code 2."""


class MissingFile(InvalidSetting):
    """All that is wrong is a file that may still come."""
