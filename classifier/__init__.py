"""The classifier: turns frames into predictions with an exported model, on this machine."""

import os

from bus.images import MAX_PIXELS
from runtime.errors import FootfallError
from runtime.memory import return_large_blocks

os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MAX_PIXELS))  # read when OpenCV is imported
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")  # a picture that cannot be decoded is counted and logged
return_large_blocks()


class InvalidExport(FootfallError):
    """A model that cannot be served. The message names the file, what was found and what is needed."""
