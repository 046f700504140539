"""The errors that Footfall raises."""


class FootfallError(Exception):
    """The base class of all errors. The message says what is wrong, where, and what is allowed."""


class InvalidMessage(FootfallError):
    """A payload is invalid, does not match its topic, or exceeds its size limit."""


class InvalidSetting(FootfallError):
    """A setting is invalid. A retry does not help, so the process exits with code 2."""


class MissingFile(InvalidSetting):
    """A file is missing that another process may still create."""
