"""The errors that Footfall raises."""


class FootfallError(Exception):
    """The base class of all errors. The message says what is wrong, where, and what is allowed."""


class InvalidMessage(FootfallError):
    """Raised for a payload that is invalid, does not match its topic, or exceeds its size limit."""


class InvalidSetting(FootfallError):
    """Raised for an invalid setting. A retry does not help, so the process exits with code 2."""


class MissingFile(InvalidSetting):
    """Raised for a missing file that another process may still create."""
