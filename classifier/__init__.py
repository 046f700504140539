"""The classifier: turns frames into predictions with an exported model, on this machine."""

from runtime import opencv
from runtime.errors import FootfallError
from runtime.memory import return_large_blocks

opencv.set_limits()
return_large_blocks()


class InvalidExport(FootfallError):
    """A model that cannot be served. The message names the file, what was found and what is needed."""


class UnreadableExport(InvalidExport):
    """A model that cannot be read now, for a reason that may pass, such as a lack of memory or of file descriptors."""
