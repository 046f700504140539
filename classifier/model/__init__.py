"""The classifier's model as the cloud wants it: fetched, unpacked, served, and turned back from."""

from bus import FootfallError


class DownloadFailed(FootfallError):
    """A download that trying again may mend; what has come stays."""


class DownloadRefused(FootfallError):
    """A download that trying again cannot mend."""


class InvalidModel(FootfallError):
    """A zip that is no model, or none that may be unpacked."""


class NoPrevious(FootfallError):
    """There is no model to turn back to."""


class StoreFailed(FootfallError):
    """The folder of the models cannot be changed at the moment."""
